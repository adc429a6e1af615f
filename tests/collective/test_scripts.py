"""A script that cannot be started: one clear reason, before anything runs."""

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

import pytest

from darkpeak import collective, lint
from darkpeak.collective.scripts import BadScript, find_fault, find_text_fault, here, in_helper
from darkpeak.engine.compose import Compose
from darkpeak.engine.engine import Engine
from darkpeak.helper.image import script as in_image
from darkpeak.helper.scripts import ComposeProject, Scripts, _pack
from darkpeak.result import Result
from tests.making import without_notes, write_collective

if TYPE_CHECKING:
    from darkpeak.helper.container import Helper

Make = Callable[[Path], object]


def text(content: bytes, mode: int = 0o755) -> Make:
    def make(path: Path) -> None:
        path.write_bytes(content)
        path.chmod(mode)

    return make


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


FAULTS: dict[str, tuple[Make, str]] = {
    "CRLF": (text(b"#!/bin/sh\r\nset -eu\r\n"), "has lines that end with CRLF, as on Windows"),
    "CRLF in the third line": (text(b"#!/bin/sh\nset -eu\necho a\r\n"), "has lines that end with CRLF, as on Windows"),
    "no interpreter": (text(b"#!/no/such/program\n"), "needs /no/such/program, which is not there"),
    "no interpreter for env": (text(b"#!/usr/bin/env nosuchlanguage\n"), "needs nosuchlanguage, which is not there"),
    "a relative interpreter": (text(b"#!sh\n"), "needs sh, which is not there"),
    "an unknown option": (text(b"#!/bin/sh -Z\n"), "cannot be run by sh with “-Z”"),
    "two options": (text(b"#!/bin/bash -e -u\n"), "cannot be run by bash with “-e -u”"),
    "commands that are not run": (text(b"#!/bin/sh -n\nfalse\n"), "cannot be run by sh with “-n”"),
    "two words for env": (
        text(b"#!/usr/bin/env bash -eu\n"),
        "cannot be run: env looks for a program named “bash -eu”",
    ),
    "nothing for env": (text(b"#!/usr/bin/env\n"), "cannot be run by env with “”"),
    "no #!": (text(b"set -eu\n"), "has no #! line"),
    "an empty #!": (text(b"#!\necho\n"), "names no program in its #! line"),
    "a byte-order mark": (text(b"\xef\xbb\xbf#!/bin/sh\n"), "begins with a byte-order mark"),
    "UTF-16": (text("#!/bin/sh\n".encode("utf-16")), "has no #! line"),
    "empty": (text(b""), "is empty"),
    "not executable": (text(b"#!/bin/sh\n", 0o644), "is not executable"),
    "a folder": (lambda path: path.mkdir(), "is a folder"),
    "a FIFO": (lambda path: os.mkfifo(path, 0o755), "is not a file"),
    "a socket": (bind, "is not a file"),
    "a dangling link": (lambda path: path.symlink_to("nowhere"), "is a link to nowhere, which cannot be followed"),
    "a loop": (lambda path: path.symlink_to(path.name), "is a link to backup, which cannot be followed"),
    "missing": (lambda _: None, "is missing"),
}


# The system starts these. They do nothing, or never end, or only fail where a line ends with CRLF.
HARMLESS = {"CRLF in the third line", "commands that are not run", "nothing for env"}


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of a script; the folder is the present one, since names of sockets must be short."""
    monkeypatch.chdir(write_collective(tmp_path))
    path = Path("services/wiki/scripts/backup")
    path.unlink()
    return path


@pytest.mark.parametrize("case", FAULTS)
@pytest.mark.parametrize("has", [here, in_helper])
def test_a_script_that_cannot_be_started_has_one_reason(at: Path, case: str, has: Callable[[str], bool]) -> None:
    make, what = FAULTS[case]
    make(at)
    fault = find_fault(at, has)
    assert fault
    assert fault.what.startswith(what)
    assert fault.hint


@pytest.mark.parametrize("case", sorted(FAULTS.keys() - HARMLESS))
def test_such_a_script_does_fail(at: Path, case: str) -> None:
    """A check of the cases: the system itself does not run them well."""
    FAULTS[case][0](at)
    with pytest.raises((OSError, subprocess.CalledProcessError)):
        subprocess.run([str(at.absolute())], check=True, timeout=10, capture_output=True)


@pytest.mark.parametrize(
    "line",
    [
        *("#!/bin/sh", "#! /bin/sh -eu", "#!/bin/bash -e", "#!/usr/bin/env bash", "#!/usr/bin/env -S bash -eu"),
        *("#!/usr/bin/python3", "#!/usr/bin/env -S LC_ALL=C sh"),
    ],
)
def test_a_script_that_can_be_started_has_no_fault(at: Path, line: str) -> None:
    text(f"{line}\n".encode())(at)
    assert (find_fault(at, here), find_fault(at, in_helper)) == (None, None)
    subprocess.run([str(at.absolute())], check=True, timeout=10)


def test_a_link_to_a_script_is_a_script(at: Path) -> None:
    at.symlink_to("restore")
    assert find_fault(at, here) is None


@pytest.mark.parametrize("name", ["backup", "restore", "updates", "verify"])
@pytest.mark.parametrize("case", sorted(FAULTS.keys() - {"missing"}))
def test_lint_finds_it_in_each_script(at: Path, case: str, name: str) -> None:
    text(b"#!/bin/sh\n")(at)
    path = at.with_name(name)
    path.unlink(missing_ok=True)
    FAULTS[case][0](path)
    found, unreadable = collective.read(Path.cwd())
    lines = [f"{item.at} {item.what}" for item in (*unreadable, *without_notes(lint.check(found)))]
    assert [line.partition(":")[0] for line in lines] == [f"services/wiki/scripts/{name}"]
    number = 3 if "third" in case else 1
    assert lines[0].startswith(f"services/wiki/scripts/{name}:{number} scripts/{name} ")


@pytest.mark.parametrize(
    ("content", "mode", "found"),
    [
        (b"#!/bin/sh\r\n", 0o755, ["webserver/bin/serve has lines that end with CRLF, as on Windows"]),
        (b"x=1\r\n", 0o644, ["webserver/bin/serve has lines that end with CRLF, as on Windows"]),
        (b"set -eu\n", 0o755, ["webserver/bin/serve has no #! line"]),
        (b"set -eu\n", 0o644, []),
        (b"\x7fELF\0\r\n", 0o755, []),
        (b"#!/usr/bin/env lua5.4\n", 0o755, []),
    ],
    ids=["CRLF", "a library with CRLF", "no #!", "a library", "compiled", "another language"],
)
def test_lint_looks_at_the_programs_of_containers(tmp_path: Path, content: bytes, mode: int, found: list[str]) -> None:
    folder = write_collective(tmp_path) / "services/wiki/webserver/bin"
    folder.mkdir()
    text(content, mode)(folder / "serve")
    assert [item.what for item in without_notes(lint.check(collective.read(tmp_path)[0]))] == found


def test_a_program_that_cannot_be_read_is_a_fault() -> None:
    fault = find_text_fault(Path("/proc/self/mem"))  # root cannot read it either
    assert fault
    assert fault.what == "cannot be read: Input/output error"


def wiki(root: Path) -> ComposeProject:
    service = next(item for item in collective.read(root)[0].services if item.name == "wiki")
    return ComposeProject(service, service.project, lambda *_: Result(0))


@pytest.mark.parametrize("case", FAULTS)
def test_it_is_refused_before_an_engine_or_the_helper_is_needed(at: Path, case: str) -> None:
    FAULTS[case][0](at)
    root = Path.cwd()
    project = wiki(root)
    starts: tuple[Callable[[], Result], ...] = (
        lambda: Scripts(cast("Helper", None)).run(project, "backup", "/parts"),
        lambda: Compose(Engine("unix:///nonexistent"), {}).script(project.service, "backup", "/parts"),
    )
    for start in starts:
        with pytest.raises(BadScript) as refused:
            start()
        assert refused.value.message.startswith(f"scripts/backup of wiki {FAULTS[case][1]}")
        assert refused.value.where.startswith(f"{root}/services/wiki/scripts/backup:")


def test_a_verify_script_that_is_no_file_is_not_passed_over(at: Path) -> None:
    at.with_name("verify").symlink_to("nowhere")
    checked = Scripts(cast("Helper", None)).verify(wiki(Path.cwd()))
    assert checked
    assert (checked.code, checked.last_line().partition(",")[0]) == (1, "scripts/verify of wiki is a link to nowhere")


class Here(Compose):
    """Compose without an engine, for scripts that do not call it."""

    environment: ClassVar[dict[str, str]] = dict(os.environ)


def test_a_script_that_does_not_end_is_named(at: Path) -> None:
    text(b"#!/bin/sh\nexec sleep 600\n")(at)
    compose = Here(Engine("unix:///nonexistent"), {})
    with pytest.raises(BadScript, match="scripts/backup of wiki did not end within 1 s, and was killed"):
        compose.script(wiki(Path.cwd()).service, "backup", seconds=1)


def test_a_script_that_was_killed_says_so(at: Path) -> None:
    text(b"#!/bin/sh\necho half >&2\nkill -KILL $$\n")(at)
    ended = Here(Engine("unix:///nonexistent"), {}).script(wiki(Path.cwd()).service, "backup")
    assert ended.last_line() == "killed by SIGKILL, after “half”"


def test_the_helper_gets_files_instead_of_links_and_nothing_else(at: Path, tmp_path: Path) -> None:
    """A link can lead to another folder, which the helper does not have."""
    shared = tmp_path / "shared"
    text(b"#!/bin/sh\necho shared\n")(shared)
    at.symlink_to("../../../shared")
    at.with_name("lost").symlink_to("nowhere")
    os.mkfifo(at.with_name("fifo"))
    os.link(at.with_name("updates"), at.with_name("again"))
    packed = _pack(wiki(Path.cwd()).service)
    listed = subprocess.run(["tar", "-tvf", "-"], input=packed, capture_output=True, check=True, timeout=10).stdout
    lines = [line.split() for line in listed.decode().splitlines()]
    names = ["scripts/", *(f"scripts/{name}" for name in ("again", "backup", "restore", "updates"))]
    assert [line[-1] for line in lines] == names
    assert {line[0][0] for line in lines[1:]} == {"-"}


def test_inside_the_helper_a_script_that_cannot_be_started_is_no_traceback(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text(b"#!/no/such/program\n")(tmp_path / "backup")
    with socket.socket(socket.AF_UNIX) as listener:
        assert in_image.run([str(tmp_path / "backup")], listener) == 126
    assert capfd.readouterr().err == "it cannot be started in the backup helper: No such file or directory\n"
