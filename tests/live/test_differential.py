"""Where plain `docker compose up -d --build` would change something, `darkpeak plan` says so, and nowhere else.

Each case is a service in a state A and in a state B. Compose's view of both is its own configuration hash of each
container, what it would build (the `build` of its resolved configuration), and every file of the build contexts.
Darkpeak's view is the content of each container. Both must differ, or none; or a rule refuses B. That needs no engine.
The cases with `engine` are also deployed on one: there, `plan` is compared with `up --dry-run` of plain compose.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from darkpeak.deploy.check import check_files
from lab.commands import run
from tests.making import write_collective

if TYPE_CHECKING:
    from collections.abc import Callable

SERVICE = "wiki"
FILE = "docker-compose.yml"
OVERLAY = "docker-compose.override.yml"
OWN = {
    "about": "The members' wiki",
    "block": 6010,
    "routes": {"http": 6010},
    "admins": ["ada", "grace"],
    "kind": "user",
    "level": "alpha",
}
PORT = "127.0.0.1:6010-6011:80"
BUILD = {"context": "webserver"}


@dataclass(frozen=True)
class State:
    """The files of a service: its container's keys, the keys at the top, and other files by name."""

    keys: dict[str, Any] = field(default_factory=dict)
    top: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    note: str = ""  # a comment in the compose file
    indent: int | None = None

    def write(self, folder: Path) -> None:
        """Write the state into a service's folder."""
        container = {"build": BUILD, "ports": [PORT], **self.keys}
        content = {"name": "darkpeak-wiki", "x-darkpeak": OWN, "services": {"webserver": container}, **self.top}
        note = f"# {self.note}\n" if self.note else ""
        (folder / FILE).write_text(note + json.dumps(content, indent=self.indent) + "\n")  # JSON is YAML
        for name, text in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        for name, target in self.links.items():
            (folder / name).symlink_to(target)


def keys(**values: object) -> State:
    """Return a state with these keys of the container."""
    return State(keys=values)


def compose_view(folder: Path) -> object:
    """Return all that decides what plain compose would do."""
    compose = ["docker", "compose", "config"]
    resolved = json.loads(run([*compose, "--format", "json"], cwd=folder).stdout)
    hashes = sorted(run([*compose, "--hash", "*"], cwd=folder).stdout.split("\n"))
    builds = {name: entry.get("build") for name, entry in resolved["services"].items()}
    # `config --hash` of compose 2.26 leaves out what env_file has; `up` does not.
    environments = {name: entry.get("environment") for name, entry in resolved["services"].items()}
    contexts = [Path(path) for entry in builds.values() if entry for path in _contexts(entry)]
    sent = [(str(path), _sent(path)) for context in contexts for path in sorted(context.rglob("*"))]
    # A file that is mounted, of a config or a secret: compose leaves the container, which keeps the file before.
    mounted = [resolved.get(section, {}) for section in ("configs", "secrets")]
    contents = [_sent(Path(one["file"])) for section in mounted for one in section.values() if "file" in one]
    return json.dumps([hashes, environments, builds, sent, contents], sort_keys=True)


def _contexts(build: dict[str, Any]) -> list[str]:
    return [build["context"], *build.get("additional_contexts", {}).values()]


def _sent(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    return f"{path.stat().st_mode & 0o111 != 0} {path.read_text()}" if path.is_file() else "folder"


def our_view(root: Path) -> tuple[object, bool]:
    """Return the content of each container, and whether a rule refuses the service."""
    checked = check_files(root)
    found = next((item for item in checked.collective.services if item.name == SERVICE), None)
    content = {item.name: item.content for item in found.containers} if found else {}
    return content, any(item.at.service == SERVICE for item in checked.findings)


def compare(root: Path, before: State, after: State) -> None:
    """Compare both views of a change."""
    seen = []
    folder = root / "services" / SERVICE
    for state in (before, after):
        shutil.rmtree(root / "services", ignore_errors=True)
        write_collective(root)
        state.write(folder)
        seen.append((compose_view(folder), our_view(root)))
    (compose_a, (ours_a, _)), (compose_b, (ours_b, refused)) = seen
    assert refused or (compose_a != compose_b) == (ours_a != ours_b), (before, after, ours_a, ours_b)


ENV = State(keys={"env_file": ["a.env"]}, files={"a.env": "A=1\n"})
USES = keys(environment={"A": "${OWN:-0}"})


def with_file(state: State, name: str, text: str) -> State:
    """Return the same state with another file."""
    return State(state.keys, state.top, {**state.files, name: text}, state.links)


CONFIG = State(keys={"configs": ["site"]}, top={"configs": {"site": {"file": "site.conf"}}}, files={"site.conf": "one"})
SECRET = State(keys={"secrets": ["key"]}, top={"secrets": {"key": {"file": "key"}}}, files={"key": "one"})
EXTENDS = State(
    keys={"extends": {"file": "common.yml", "service": "base"}},
    files={"common.yml": "services: {base: {labels: {a: '1'}}}"},
)
INCLUDE = State(top={"include": ["more.yml"]}, files={"more.yml": "services: {more: {build: webserver}}"})
DEFAULT = {"default": {"ipam": {"config": [{"subnet": "10.60.10.0/24"}]}}}
STORE, OTHER = {"build": BUILD}, {"webserver/Other": "FROM debian:trixie\n"}
BOTH = State(top={"services": {"webserver": {"build": BUILD}, "store": {"build": BUILD}}})

CASES: dict[str, tuple[State, State]] = {
    "nothing": (keys(), keys()),
    "a comment": (keys(), State(note="new")),
    "other spaces": (keys(init=True), State(keys={"init": True}, indent=4)),
    "the order of keys": (keys(init=True, user="1"), keys(user="1", init=True)),
    "a list as a mapping": (keys(environment=["A=1"]), keys(environment={"A": "1"})),
    "a command as text": (keys(command=["sleep", "9"]), keys(command="sleep 9")),
    "an x- key": (keys(), keys(**{"x-note": "new"})),
    "an x- key at the top": (keys(), State(top={"x-note": "new"})),
    "image": (keys(), keys(image="darkpeak-other")),
    "command": (keys(command=["sleep", "9"]), keys(command=["sleep", "8"])),
    "entrypoint": (keys(), keys(entrypoint=["sleep"])),
    "environment": (keys(environment={"A": "1"}), keys(environment={"A": "2"})),
    "environment, one more": (keys(environment={"A": "1"}), keys(environment={"A": "1", "B": ""})),
    "labels": (keys(labels={"a": "1"}), keys(labels={"a": "2"})),
    "user": (keys(), keys(user="1000")),
    "working_dir": (keys(), keys(working_dir="/srv")),
    "hostname": (keys(), keys(hostname="a")),
    "init": (keys(), keys(init=True)),
    "init, said to be off": (keys(), keys(init=False)),
    "read_only": (keys(), keys(read_only=True)),
    "tmpfs": (keys(), keys(tmpfs=["/run"])),
    "cap_add": (keys(), keys(cap_add=["CHOWN"])),
    "cap_drop": (keys(), keys(cap_drop=["ALL"])),
    "security_opt": (keys(), keys(security_opt=["no-new-privileges:true"])),
    "ulimits": (keys(), keys(ulimits={"nofile": 1024})),
    "mem_limit": (keys(mem_limit="64m"), keys(mem_limit="128m")),
    "mem_limit in another unit": (keys(mem_limit="64m"), keys(mem_limit="65536k")),
    "cpus": (keys(), keys(cpus=0.5)),
    "pids_limit": (keys(), keys(pids_limit=50)),
    "restart": (keys(), keys(restart="always")),
    "stop_signal": (keys(), keys(stop_signal="SIGINT")),
    "stop_grace_period": (keys(stop_grace_period="10s"), keys(stop_grace_period="1m")),
    "stop_grace_period in another unit": (keys(stop_grace_period="60s"), keys(stop_grace_period="1m")),
    "healthcheck": (keys(), keys(healthcheck={"test": ["CMD", "true"]})),
    "healthcheck's interval": (
        keys(healthcheck={"test": ["CMD", "true"], "interval": "1s"}),
        keys(healthcheck={"test": ["CMD", "true"], "interval": "2s"}),
    ),
    "logging": (keys(), keys(logging={"driver": "local"})),
    "extra_hosts": (keys(), keys(extra_hosts=["a:127.0.0.1"])),
    "dns": (keys(), keys(dns=["9.9.9.9"])),
    "expose": (keys(), keys(expose=["81"])),
    "a port": (keys(), keys(ports=[PORT, "127.0.0.1:6012:81"])),
    "a port in the long form": (
        keys(ports=["127.0.0.1:6010:80"]),
        keys(ports=[{"host_ip": "127.0.0.1", "published": "6010", "target": 80}]),
    ),
    "a volume": (keys(), State(keys={"volumes": ["data:/data"]}, top={"volumes": {"data": {}}})),
    "a volume's path": (
        State(keys={"volumes": ["data:/data"]}, top={"volumes": {"data": {}}}),
        State(keys={"volumes": ["data:/srv"]}, top={"volumes": {"data": {}}}),
    ),
    "a network's alias": (
        State(keys={"networks": {"default": {"aliases": ["a"]}}}, top={"networks": DEFAULT}),
        State(keys={"networks": {"default": {"aliases": ["b"]}}}, top={"networks": DEFAULT}),
    ),
    "another container": (State(top={"services": {"webserver": {"build": BUILD}}}), BOTH),
    "depends_on": (
        BOTH,
        State(top={"services": {"webserver": {"build": BUILD, "depends_on": ["store"]}, "store": {"build": BUILD}}}),
    ),
    "a build argument": (keys(build={**BUILD, "args": {"A": "1"}}), keys(build={**BUILD, "args": {"A": "2"}})),
    "a build target": (keys(), keys(build={**BUILD, "target": "final"})),
    "build as text": (keys(), keys(build="webserver")),
    "another Dockerfile": (
        keys(),
        State({"build": {**BUILD, "dockerfile": "Other"}}, {}, {"webserver/Other": "FROM a"}),
    ),
    "the Dockerfile": (keys(), State(files={"webserver/Dockerfile": "FROM debian:trixie\nHEALTHCHECK CMD true\n"})),
    "a file of the context": (State(files={"webserver/page": "one"}), State(files={"webserver/page": "two"})),
    "a new file of the context": (keys(), State(files={"webserver/page": ""})),
    "a link's target": (State(links={"webserver/a": "one"}), State(links={"webserver/a": "two"})),
    "an environment file": (ENV, with_file(ENV, "a.env", "A=2\n")),
    "a comment in an environment file": (ENV, with_file(ENV, "a.env", "# new\nA=1\n")),
    ".env, used": (with_file(USES, ".env", "OWN=1\n"), with_file(USES, ".env", "OWN=2\n")),
    ".env, not used": (with_file(USES, ".env", "OWN=1\n"), with_file(USES, ".env", "OWN=1\nMORE=1\n")),
    ".env, the default": (USES, with_file(USES, ".env", "OWN=0\n")),
    "the override file": (keys(), State(files={OVERLAY: "services: {webserver: {init: true}}"})),
    "the override file, without effect": (keys(init=True), State({"init": True}, {}, {OVERLAY: "services: {}"})),
    "an extended file": (EXTENDS, with_file(EXTENDS, "common.yml", "services: {base: {labels: {a: '2'}}}")),
    "an extended file, another part": (
        EXTENDS,
        with_file(EXTENDS, "common.yml", "services: {base: {labels: {a: '1'}}, other: {init: true}}"),
    ),
    "an included file": (INCLUDE, with_file(INCLUDE, "more.yml", "services: {more: {build: webserver, init: true}}")),
    "a config's file": (CONFIG, with_file(CONFIG, "site.conf", "two")),
    "a secret's file": (SECRET, with_file(SECRET, "key", "two")),
    "a profile": (
        BOTH,
        State(top={"services": {"webserver": {"build": BUILD}, "store": {"build": BUILD, "profiles": ["x"]}}}),
    ),
    "an anchor": (keys(environment={"A": "1"}), State({"environment": {"A": "1"}}, {"x-common": {"A": "1"}})),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_by_hand(tmp_path: Path, before: State, after: State) -> None:
    compare(tmp_path, before, after)


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "command": st.sampled_from([["sleep", "9"], "sleep 9", ["sleep", "8"]]),
    "environment": st.sampled_from([{"A": "1"}, ["A=1"], {"A": "${OWN:-1}"}, {"A": "$OWN"}, {"B": "$$1"}, {}]),
    "env_file": st.sampled_from(["a.env", ["a.env"], [{"path": "b.env", "required": False}]]),
    "labels": st.sampled_from([{"a": "1"}, ["a=1"], {"a": "${OWN:-1}"}]),
    "init": st.booleans(),
    "user": st.sampled_from(["1", "1:1", "${OWN:-1}"]),
    "cap_add": st.sampled_from([["CHOWN"], ["CHOWN", "SETUID"], []]),
    "stop_grace_period": st.sampled_from(["60s", "1m", "5s"]),
    "mem_limit": st.sampled_from(["64m", "65536k", "32m"]),
    "tmpfs": st.sampled_from([["/run"], "/run", ["/tmp"]]),  # noqa: S108 (in a container)
    "expose": st.sampled_from([["81"], [81], ["82"]]),
    "healthcheck": st.sampled_from([{"test": "true"}, {"test": ["CMD-SHELL", "true"]}, {"disable": True}]),
    "extra_hosts": st.sampled_from([["a:127.0.0.1"], {"a": "127.0.0.1"}]),
    "build": st.sampled_from(["webserver", BUILD, {**BUILD, "args": ["A=1"]}, {**BUILD, "args": {"A": "${OWN:-1}"}}]),
    "logging": st.sampled_from([{"driver": "local"}, {"driver": "json-file", "options": {"max-size": "1m"}}]),
    "x-note": st.sampled_from(["one", "two"]),
}
FILES: dict[str, st.SearchStrategy[str]] = {
    ".env": st.sampled_from(["OWN=1\n", "OWN=2\n", "OTHER=1\n", "# nothing\n"]),
    "b.env": st.sampled_from(["B=1\n", "B=2\n", "B=${OWN}\n"]),
    OVERLAY: st.sampled_from(["services: {webserver: {init: true}}\n", "services: {webserver: {labels: {b: '1'}}}\n"]),
    "webserver/page": st.sampled_from(["one", "two"]),
}


@st.composite
def states(draw: st.DrawFn) -> State:
    """Draw a state of a service."""
    chosen = draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True, max_size=5))
    files = draw(st.lists(st.sampled_from(sorted(FILES)), unique=True, max_size=3))
    return State(
        keys={key: draw(VALUES[key]) for key in chosen},
        files={"a.env": draw(st.sampled_from(["A=1\n", "A=2\n"])), **{name: draw(FILES[name]) for name in files}},
        note=draw(st.sampled_from(["", "a note"])),
        indent=draw(st.sampled_from([None, 2])),
    )


@st.composite
def changes(draw: st.DrawFn) -> tuple[State, State]:
    """Draw a state, and another one that differs from it in few parts."""
    before, other = draw(states()), draw(states())
    changed = draw(st.lists(st.sampled_from(sorted({*before.keys, *other.keys, "init"})), max_size=2))
    kept = {key: value for key, value in before.keys.items() if key not in changed}
    more = {key: other.keys[key] for key in changed if key in other.keys}
    files = other.files if draw(st.booleans()) else before.files
    return before, State({**more, **kept}, {}, files, note=other.note, indent=other.indent)


def test_generated(tmp_path: Path, campaign: Callable[[int], int]) -> None:
    @seed(15)
    @settings(max_examples=campaign(200), deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(change=changes())
    def agree(change: tuple[State, State]) -> None:
        compare(tmp_path, *change)

    agree()
