"""What plain `docker compose up -d --build` really recreates on an engine, and what `darkpeak plan` says, are the same.

Each case is a service in a state A and in a state B. Darkpeak deploys A, and plans B. Plain compose starts A and then B
in a copy of the service, and the ids of its containers before and after say what it has recreated. All services are in
one collective, so that one `up` and one `plan` are enough. The cases without an engine are in test_differential.py.
"""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from darkpeak.vocabulary import BLOCKS
from lab.collectives import Collective

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Campaign

Files = dict[str, str]
CREATED = {"create", "replace", "update", "recreate"}  # actions of a plan that make a container
FIRST = BLOCKS[1]  # the first block of a service
IN_CI = 27  # cases; the others only with --long
COPIES = 500  # between the block of a service and the block of its copy
BLOCK = "@"  # in the compose file: the first three digits of the ports of the block
# Checked once, and then as rarely as in services/: each check costs the engine much more than the container.
CHECKED = "if [ -e /dev/shm/healthy ]; then sleep 300; else touch /dev/shm/healthy; fi"
DOCKERFILE = f"""\
FROM debian:trixie
ARG A=none
LABEL built=$A
COPY page /page
HEALTHCHECK --interval=1s --timeout=10m CMD {CHECKED}
CMD ["sleep", "infinity"]
"""
PORT = f"127.0.0.1:{BLOCK}0:80"
DATA: dict[str, Any] = {"volumes": {"data": {}}}


@dataclass(frozen=True)
class State:
    """The files of a service: its containers with their keys, the keys at the top, and other files by name."""

    containers: dict[str, dict[str, Any]]
    top: dict[str, Any] = field(default_factory=dict)
    files: Files = field(default_factory=dict)
    note: str = ""  # a comment in the compose file
    dockerfile: str = DOCKERFILE

    def write(self, folder: Path, name: str, block: int) -> None:
        """Write the state into a service's folder."""
        own = {"about": "A case", "block": block, "admins": ["ada", "grace"], "kind": "user", "level": "alpha"}
        base = {"build": "one", "init": True}
        subnet = f"10.{block // 100}.{block % 100}.0/24"
        content = {
            "name": f"darkpeak-{name}",
            "x-darkpeak": own,
            "services": {key: base | keys for key, keys in self.containers.items()},
            **self.top,
            "networks": {"default": {"ipam": {"config": [{"subnet": subnet}]}}, **self.top.get("networks", {})},
        }
        text = json.dumps(content).replace(BLOCK, str(block // 10))  # JSON is YAML
        files = {"one/Dockerfile": self.dockerfile, "one/page": "one", "README.md": "# A case\n", **self.files}
        for script in ("backup", "restore", "updates"):
            files[f"scripts/{script}"] = "#!/bin/sh\n"
        for path, content_of in {"docker-compose.yml": f"# {self.note}\n{text}\n", **files}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content_of)
            if path.startswith("scripts/"):
                (folder / path).chmod(0o755)


def one(top: dict[str, Any] | None = None, files: Files | None = None, **keys: Any) -> State:
    """Return a state with one container."""
    return State({"one": keys}, top or {}, files or {})


def two(**keys: Any) -> State:
    """Return a state with two containers; the keys are the second one's."""
    return State({"one": {}, "two": keys})


def config(text: str, section: str = "configs") -> State:
    """Return a state with a file that compose mounts."""
    keys: dict[str, Any] = {section: ["site"]}
    return one({section: {"site": {"file": "site"}}}, {"site": text}, **keys)


def built(**files: str) -> State:
    """Return a state with these files of the build context."""
    return one(files={f"one/{name}": text for name, text in files.items()})


def network(**keys: Any) -> dict[str, Any]:
    """Return a second network, from the second half of the block's subnet."""
    return {"networks": {"more": keys}}


CHECK = {"test": ["CMD", "true"], "interval": "1s", "retries": 3}
ONCE = {"command": ["true"], "restart": "no", "healthcheck": {"disable": True}}
ENV = one(files={"a.env": "A=1\n"}, env_file=["a.env"])
USES = {"environment": {"A": "${OWN:-0}"}}
CASES: dict[str, tuple[State, State]] = {
    "nothing": (one(), one()),
    "a comment": (one(), State({"one": {}}, note="new")),
    "environment": (one(environment={"A": "1"}), one(environment={"A": "2"})),
    "environment as a list": (one(environment={"A": "1"}), one(environment=["A=1"])),
    "an environment file": (ENV, one(files={"a.env": "A=2\n"}, env_file=["a.env"])),
    "a comment in an environment file": (ENV, one(files={"a.env": "# new\nA=1\n"}, env_file=["a.env"])),
    "command": (one(command=["sleep", "901"]), one(command=["sleep", "902"])),
    "labels": (one(labels={"a": "1"}), one(labels={"a": "2"})),
    "a volume": (one(), one(DATA, volumes=["data:/data"])),
    "a volume's path": (one(DATA, volumes=["data:/data"]), one(DATA, volumes=["data:/srv"])),
    "a config's file": (config("one"), config("two")),
    "a secret's file": (config("one", "secrets"), config("two", "secrets")),
    "healthcheck": (one(healthcheck=CHECK), one(healthcheck=CHECK | {"retries": 4})),
    "a build argument": (
        one(build={"context": "one", "args": {"A": "1"}}),
        one(build={"context": "one", "args": {"A": "2"}}),
    ),
    "a file that is copied": (built(page="one"), built(page="two")),
    "a file that is not copied": (built(other="one"), built(other="two")),
    "the Dockerfile": (one(), State({"one": {}}, dockerfile=f"{DOCKERFILE}LABEL a=1\n")),
    "a profile": (two(), two(profiles=["x"])),
    "scale": (one(), one(scale=2)),
    "a network": (one(), one(network(), networks=["default", "more"])),
    "logging": (one(), one(logging={"driver": "local", "options": {"max-size": "1m"}})),
    "ulimits": (one(ulimits={"nofile": 1024}), one(ulimits={"nofile": 2048})),
    "ports": (one(), one(ports=[PORT])),
    "one that has ended": (two(**ONCE), two(**ONCE)),
    "one that has ended, with another command": (two(**ONCE), two(**ONCE | {"command": ["echo"]})),
    "another container": (one(), two()),
    "another container's volume": (two(), State({"one": {}, "two": {"volumes": ["data:/data"]}}, DATA)),
    # with --long
    "a container that is gone": (two(), one()),
    "a comment in the Dockerfile": (one(), State({"one": {}}, dockerfile=f"# new\n{DOCKERFILE}")),
    "a network's alias": (
        one(networks={"default": {"aliases": ["a"]}}),
        one(networks={"default": {"aliases": ["b"]}}),
    ),
    "a port's other side": (one(ports=[PORT]), one(ports=[f"127.0.0.1:{BLOCK}0:81"])),
    "a port in the long form": (
        one(ports=[PORT]),
        one(ports=[{"host_ip": "127.0.0.1", "published": f"{BLOCK}0", "target": 80}]),
    ),
    "restart": (one(), one(restart="always")),
    "stop_grace_period": (one(), one(stop_grace_period="1m")),
    "mem_limit": (one(mem_limit="64m"), one(mem_limit="128m")),
    "mem_limit in another unit": (one(mem_limit="64m"), one(mem_limit="65536k")),
    "user": (one(), one(user="1000")),
    "cap_drop": (one(), one(cap_drop=["ALL"])),
    "read_only and tmpfs": (one(), one(read_only=True, tmpfs=["/tmp"])),  # noqa: S108 (in a container)
    "hostname": (one(), one(hostname="a")),
    "extra_hosts": (one(), one(extra_hosts=["a:127.0.0.1"])),
    "depends_on": (two(), State({"one": {"depends_on": ["two"]}, "two": {}})),
    "a variable of .env": (one(files={".env": "OWN=1\n"}, **USES), one(files={".env": "OWN=2\n"}, **USES)),
    "a variable of .env that nothing uses": (one(files={".env": "B=1\n"}), one(files={".env": "B=2\n"})),
    "the override file": (one(), one(files={"docker-compose.override.yml": "services: {one: {labels: {a: '1'}}}\n"})),
    "an image's name": (one(), one(image="darkpeak-case-other")),
    "a config's content": (
        one({"configs": {"site": {"content": "one"}}}, configs=["site"]),
        one({"configs": {"site": {"content": "two"}}}, configs=["site"]),
    ),
    "replicas": (one(), one(deploy={"replicas": 2})),
    "an x- key": (one(), State({"one": {"x-note": "new"}})),
}
# Here the plan names containers that compose 2.26 leaves as they are, for these reasons.
MOUNTED = "compose leaves a container whose file it mounts, with the content before if the file was replaced"
COPIED = "compose copies it into a container that it makes, and leaves a container that has the content before"
CONTENT = "what goes into a build decides, since nobody can know before the build that the image will be the same"
MORE = {
    "a config's file": MOUNTED,
    "a secret's file": MOUNTED,
    "a config's content": COPIED,
    "a file that is not copied": CONTENT,
    "a comment in the Dockerfile": CONTENT,
}
REFUSED = {"scale", "replicas"}


@dataclass(frozen=True)
class Case:
    """A case in the collective, and its copy for plain compose."""

    words: str
    name: str
    block: int

    @property
    def copy(self) -> str:
        """The name of the copy."""
        return f"{self.name}-copy"

    def write(self, state: State, ours: Collective, plain: Collective) -> None:
        """Write a state into both folders."""
        state.write(ours.folder(self.name), self.name, self.block)
        state.write(plain.folder(self.copy), self.copy, self.block + COPIES)


def containers(plain: Collective, case: Case) -> dict[str, str]:
    """Return the ids of the copy's containers, by name."""
    shown = plain.compose(case.copy, "ps", "--all", "--format", "json").stdout
    return {entry["Name"].split("-")[-2]: entry["ID"] for entry in map(json.loads, shown.splitlines())}


def start(plain: Collective, case: Case) -> dict[str, str]:
    """Start the copy with plain compose; return the ids of its containers."""
    plain.compose(case.copy, "up", "-d", "--build", timeout=300)
    return containers(plain, case)


@dataclass(frozen=True)
class Seen:
    """The containers that both made new, or would, in a case."""

    compose: set[str]  # what `docker compose up -d --build` really did
    dry_run: set[str]  # what it said before it would do, which it does not know of what a build changes
    ours: set[str]
    refused: bool


def dry_run(plain: Collective, case: Case) -> set[str]:
    """Return the containers that compose says it would recreate."""
    said = plain.compose(case.copy, "--ansi", "never", "up", "-d", "--dry-run", timeout=120)
    lines = [line.split() for line in (said.stdout + said.stderr).splitlines() if line.endswith(" Recreated")]
    return {line[-2].split("-")[-2] for line in lines}


@pytest.fixture(scope="module")
def seen(collective: Collective, tmp_path_factory: pytest.TempPathFactory, campaign: Campaign) -> dict[str, Seen]:
    """Bring all cases from A to B; return what both did."""
    top = tmp_path_factory.mktemp("ours")
    shutil.copy(collective.top / "collective.toml", top)
    ours, plain = Collective(top, collective.host), Collective(tmp_path_factory.mktemp("plain"), collective.host)
    words = list(CASES)[: campaign(len(CASES), short=IN_CI)]
    cases = [Case(case, f"case{number:02}", FIRST + 10 * number) for number, case in enumerate(words)]
    with ThreadPoolExecutor(4) as pool:
        for case in cases:
            case.write(CASES[case.words][0], ours, plain)
        ours.darkpeak("up", timeout=600)
        before = list(pool.map(lambda case: start(plain, case), cases))
        for case in cases:
            case.write(CASES[case.words][1], ours, plain)
        told = ours.darkpeak("plan", "--json", check=False, timeout=300).stdout
        foreseen = list(pool.map(lambda case: dry_run(plain, case), cases))
        after = list(pool.map(lambda case: start(plain, case), cases))
    plan = json.loads(told)[0]["plan"]
    refused = {fault["at"]["file"].split("/")[1] for fault in plan["faults"]}
    made = {
        item["service"]: {entry["container"] for entry in item["decisions"] if entry["action"] in CREATED}
        for item in plan["services"]
    }
    changed = [{name for name in new if new[name] != old.get(name)} for old, new in zip(before, after, strict=True)]
    return {
        case.words: Seen(compose, dry, made.get(case.name, set()), case.name in refused)
        for case, compose, dry in zip(cases, changed, foreseen, strict=True)
    }


@pytest.mark.parametrize(
    "words", [*list(CASES)[:IN_CI], *(pytest.param(one, marks=pytest.mark.long) for one in list(CASES)[IN_CI:])]
)
def test_the_plan_names_the_containers_that_compose_makes_new(seen: dict[str, Seen], words: str) -> None:
    found = seen[words]
    assert found.refused == (words in REFUSED), found
    assert found.dry_run <= found.compose, found
    if words in MORE:
        assert (found.compose, found.ours) == (set(), {"one"}), MORE[words]
    else:
        assert found.refused or found.compose == found.ours, found
