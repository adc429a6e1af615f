"""A service's life: `darkpeak test`, a shell, and the end: nothing of it stays behind."""

from __future__ import annotations

import json
import re
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from darkpeak.vocabulary import PROJECT_LABEL
from lab import ledger
from lab.collectives import SERVICES, TOOL, TOP
from lab.terminal import Terminal, on_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Change = Callable[[str], str]

    from lab.kept import Kept

SCRIPT = "#!/bin/sh\nset -eu\n"
SAMPLE = f'{SCRIPT}cd "$(dirname "$0")/.."\ndocker compose exec -T store book 200 1 </dev/null\n'
STUBBORN = 'CMD ["sh", "-c", "trap \'\' TERM; while :; do sleep 1; done"]'
OLDER = "RUN sed -i '/^Package: hostname$/,/^$/s/^Version: .*/&~older/' /var/lib/dpkg/status\n"
LONGER = 600
SHORT = ("directory", "dns", "git")  # two minutes together; the others build for longer


@contextmanager
def changed(kept: Kept, files: dict[str, Change]) -> Iterator[None]:
    """Change files of the ledger, and restore them afterwards."""
    folder = kept.collective.folder(ledger.NAME)
    before = {name: (folder / name).read_bytes() if (folder / name).exists() else None for name in files}
    for name, change in files.items():
        path = folder / name
        path.write_text(change(path.read_text() if path.exists() else ""))
        path.chmod(0o755)
    try:
        yield
    finally:
        for name, content in before.items():
            (folder / name).write_bytes(content) if content is not None else (folder / name).unlink()


def to(text: str) -> Change:
    """Return a change of a file to this text."""
    return lambda _: text


def replaced(old: str, new: str) -> Change:
    """Return a change of a file that replaces a text in it."""

    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


def present(kept: Kept) -> dict[str, list[str]]:
    """Return what is on the engine, except for the helper's own image and cache, which stay."""
    listed = {
        "containers": kept.docker("ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.State}}"),
        "volumes": kept.docker("volume", "ls", "--format", "{{.Name}}"),
        "networks": kept.docker("network", "ls", "--no-trunc", "--format", "{{.ID}} {{.Name}}"),
        "images": kept.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"),
        "routes": kept.collective.darkpeak("routes", "--json").stdout,
    }
    return {kind: sorted(line for line in text.splitlines() if "<none>" not in line) for kind, text in listed.items()}


def tried(kept: Kept, service: str = ledger.NAME, code: int = 1) -> dict[str, dict[str, Any]]:
    """Run the test of a service; return its steps by name. Nothing else on the engine may change."""
    before = present(kept)
    done = kept.collective.darkpeak("test", service, "--json", timeout=LONGER, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert present(kept) == before
    (trial,) = json.loads(done.stdout)
    return {step["step"]: step for step in trial["steps"]}


def failed(steps: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return what is said of the steps that failed; lint finds something in the ledger, which is made for backups."""
    found = {name: step["message"] for name, step in steps.items() if step["result"] == "failed"}
    return {name: message for name, message in found.items() if name != "lint"}


def test_a_sound_service_passes_every_step(kept: Kept, say: Callable[[str], None]) -> None:
    with changed(kept, {"scripts/sample": to(SAMPLE)}):
        steps = tried(kept)
    assert failed(steps) == {}
    assert {name for name, step in steps.items() if step["result"] == "skipped"} == {"answer"}
    assert re.fullmatch(r"2 parts, 400 lines, the newest of \S+", steps["back up"]["message"])
    assert "scripts/verify printed: 0 lines" in steps["verify empty"]["message"]
    assert steps["verify"]["message"] == steps["upgrade"]["message"] == steps["back up"]["message"].partition(", ")[2]
    say(f"{sum(step['seconds'] for step in steps.values()):.0f} s")


@dataclass(frozen=True)
class Broken:
    """Faults in a service's folder: the changed files, and each step that must fail with what it must say of it."""

    files: dict[str, Change]
    said: dict[str, str]  # patterns
    log: dict[str, str] = field(default_factory=dict)  # patterns of the first line that is shown


BROKEN = {
    # Each at another step, so that one run shows all four.
    "wrong port, outdated package, verify that always passes, deaf to the signal to stop": Broken(
        {
            "scripts/sample": to(SAMPLE),
            "scripts/verify": to(f"{SCRIPT}echo fine\n"),
            "scripts/updates": to((TOP / "services/wiki/scripts/updates").read_text()),
            "store/Dockerfile": lambda text: text.replace("USER games", f"{OLDER}USER games").replace(
                'CMD ["sleep", "infinity"]', STUBBORN
            ),
            "docker-compose.yml": lambda text: text.replace(
                "  block: 6910\n", "  block: 6910\n  routes: {http: 6910}\n"
            ).replace("    init: true\n", "    stop_grace_period: 2s\n"),
        },
        {
            "answer": r"ledger\.localhost does not answer at port 80 of store: .+",
            "updates": r"\d+ packages? out of date right after a build without the cache",  # Debian may have others
            "verify empty": "scripts/verify printed the same on an empty service: fine",
            "stop": "store did not end within 2 s of the signal to stop, and was killed",
        },
        {"updates": "hostname .+"},
    ),
    "restore that restores nothing": Broken(
        {"scripts/sample": to(SAMPLE), "scripts/restore": to(SCRIPT)},
        dict.fromkeys(
            ("verify", "upgrade"),
            "scripts/verify printed “0 lines.*”; before, it printed “400 lines, the newest of .+”",
        ),
    ),
    "no health check": Broken(
        {"docker-compose.yml": lambda text: re.sub(r"    healthcheck: .*\n", "", text)},
        {"healthy": "store has no health check, so nothing shows whether it is ready"},
    ),
    "backup that saves nothing": Broken(
        {"scripts/sample": to(SAMPLE), "scripts/backup": to(f'{SCRIPT}mkdir -p "$1"\n: >"$1/ledger.txt"\n')},
        {"back up": "scripts/backup wrote nothing"},
    ),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_each_fault_fails_at_its_own_step(kept: Kept, broken: Broken) -> None:
    with changed(kept, broken.files):
        steps = tried(kept)
    said = failed(steps)
    assert said.keys() == broken.said.keys(), said
    assert [said[step] for step, pattern in broken.said.items() if not re.fullmatch(pattern, said[step])] == []
    for step, pattern in broken.log.items():
        assert any(re.fullmatch(pattern, line) for line in steps[step]["log"]), steps[step]["log"]
    skipped = {step["message"] for step in steps.values() if step["result"] == "skipped"}
    assert {f"because of the step “{step}”" for step in ("healthy", "back up") if step in said} <= skipped


def test_the_log_of_a_container_that_never_becomes_healthy_is_shown(kept: Kept) -> None:
    files = {
        "docker-compose.yml": replaced("/data/ledger], interval: 300ms, timeout: 10m, retries: 20", "/no], retries: 1"),
        "store/Dockerfile": replaced('CMD ["sleep", "infinity"]', 'CMD ["sh", "-c", "echo no disk >&2; exit 7"]'),
    }
    with changed(kept, files):
        done = kept.collective.darkpeak("test", ledger.NAME, timeout=LONGER, check=False)
    assert done.returncode == 1
    assert "container darkpeak-ledger-test-store-1 ended with exit code 7" in done.stdout
    assert "healthy:\n  darkpeak-ledger-test-store-1:\n  no disk\n" in done.stdout


@pytest.mark.parametrize(
    "service",
    [pytest.param(name, id=f"of {name}", marks=() if name in SHORT else pytest.mark.long) for name in SERVICES],
)
def test_the_catalogue_passes(kept: Kept, service: str, say: Callable[[str], None]) -> None:
    if service != "dns":
        kept.collective.darkpeak("up", service, timeout=900)
    for step in tried(kept, service, code=0).values():
        say(f"{step['step']}: {step['result']} in {step['seconds']} s {step['message']}")


@contextmanager
def at_terminal(kept: Kept, *words: str) -> Iterator[Terminal]:
    """Run the tool on a terminal."""
    own = kept.collective
    with on_terminal([str(TOOL), *words], own.top, {**own.environment, "TERM": "xterm"}) as terminal:
        yield terminal


def test_a_shell_has_the_terminals_size_and_signals_and_exit_code(kept: Kept) -> None:
    with at_terminal(kept, "shell", ledger.NAME) as terminal:
        terminal.type("echo $0-$((40 + 2)); until [ \"$(stty size)\" = '24 80' ]; do :; done; echo sized-$((1 + 0))\r")
        terminal.expect("bash-42")
        terminal.expect("sized-1")
        terminal.resize(40, 132)
        terminal.type("until [ \"$(stty size)\" = '40 132' ]; do :; done; echo resized-$((1 + 1))\r")
        terminal.expect("resized-2")
        # One process says that it is ready, and sleeps: the signal reaches it before and after that.
        terminal.type("sh -c 'echo ready-$((1 + 3)); exec sleep 60'\r")
        terminal.expect("ready-4")
        terminal.type("\x03")
        terminal.expect("^C")
        terminal.type("echo after-$((1 + 2))\r")
        terminal.expect("after-3")
        terminal.type("exit 7\r")
        assert terminal.end() == 7


def test_a_command_in_a_container_needs_no_terminal(kept: Kept) -> None:
    shell = ("shell", ledger.NAME, "store")
    done = kept.collective.darkpeak(*shell, "--", "sh", "-c", "cat; echo said >&2; exit 9", stdin="typed", check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("typed", "said\n", 9)
    found = json.loads(kept.collective.darkpeak(*shell, "--json", "--", "echo", "a b").stdout)
    assert (found["stdout"], found["code"]) == ("a b\n", 0)
    assert kept.collective.darkpeak("shell", "wiki", check=False).returncode == 3


def test_a_service_is_not_removed_without_its_name(kept: Kept) -> None:
    before = present(kept)
    with at_terminal(kept, "remove", ledger.NAME) as terminal:
        terminal.expect("volumes, with all data: darkpeak-ledger_data")
        terminal.expect("type the service's name: ")
        terminal.type("yes\r")
        terminal.expect("nothing was removed")
        assert terminal.end() == 2
    assert kept.collective.darkpeak("remove", ledger.NAME, check=False).returncode == 2  # no terminal
    refused = kept.collective.darkpeak("remove", "router", "--yes", check=False)
    assert (refused.returncode, "depend on router; nothing was touched" in refused.stderr) == (2, True)
    assert present(kept) == before


def empty_tar(folder: Path) -> Path:
    """Return a tar archive without files, of which an engine makes an image."""
    path = folder / "empty.tar"
    tarfile.open(path, "w").close()
    return path


def test_a_removed_service_leaves_nothing_behind(booked: Kept, tmp_path: Path) -> None:
    """Its snapshots stay until they are deleted on purpose; then it can be added and deployed again, and is empty."""
    booked.darkpeak("drill", ledger.NAME)
    nameless = booked.docker("import", "--change", f"LABEL {PROJECT_LABEL}={ledger.PROJECT}", str(empty_tar(tmp_path)))
    done = booked.darkpeak("remove", ledger.NAME, "--yes")
    assert "ledger: removed, with its data\nits snapshots are kept" in done.stdout
    assert [line for lines in present(booked).values() for line in lines if "ledger" in line] == []
    assert nameless not in booked.docker("image", "ls", "--all", "--quiet", "--no-trunc").splitlines()
    kept_snapshots = [item["name"] for item in booked.snapshots()]
    assert kept_snapshots
    done = booked.darkpeak("remove", ledger.NAME, "--yes", "--snapshots")
    assert f"its snapshots are deleted: {', '.join(kept_snapshots)}" in done.stdout
    assert booked.snapshots() == []
    assert "the engine has nothing of it" in done.stdout
    booked.collective.darkpeak("up", ledger.NAME, timeout=900)
    assert ledger.content(booked.collective) == ""


def test_a_service_without_a_folder_is_removed_by_its_name(kept: Kept) -> None:
    own = kept.collective
    own.darkpeak("up", "router", ledger.NAME, timeout=900)
    assert own.darkpeak("remove", "ledgers", "--yes", check=False).returncode == 2
    folder = own.folder(ledger.NAME)
    aside = folder.rename(own.top / "aside")
    try:
        plan = own.darkpeak("plan", check=False).stdout
        assert f"is in no file; remove it with its data: darkpeak remove {ledger.NAME}" in plan
        done = own.darkpeak("remove", ledger.NAME, "--yes")
        assert "ledger: removed, with its data\nits snapshots are kept" in done.stdout
        assert "its folder" not in done.stdout
        assert [line for lines in present(kept).values() for line in lines if "ledger" in line] == []
        again = own.darkpeak("remove", ledger.NAME, "--yes", check=False)
        assert (again.returncode, "there is no service" in again.stderr) == (2, True), again.stderr
    finally:
        aside.rename(folder)
