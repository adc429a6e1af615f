"""A service's own scripts as files: why one cannot be started. `lint` finds that, and each start checks it first."""

import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from darkpeak.collective.model import Service
from darkpeak.collective.text import NotReadable, open_file
from darkpeak.errors import SystemFailure

VERIFY = "verify"
SAMPLE = "sample"  # writes something that VERIFY finds
LARGEST = 1 << 20  # bytes that are looked at
FIRST_LINE = "write #!/bin/sh as its first line"
IN_HELPER = {"bash", "dash", "perl", "python3", "sh"}  # helper/image/Dockerfile
SYSTEM_FOLDERS = {"/bin", "/usr/bin"}
SHELLS = {"bash", "dash", "sh"}
SHELL_OPTIONS = re.compile(r"-[aCefmuvx]+")  # not -c, -n or -s, with which a shell ignores the script, without an error
Has = Callable[[str], bool]  # whether there is such a program where the script runs


class BadScript(SystemFailure):
    """A script that cannot be started, or does not end."""

    @property
    def line(self) -> str:
        """The whole error in one line, for reports about many services."""
        return f"{self.message} (at {self.where}): {self.hint}"


@dataclass(frozen=True)
class Fault:
    """Why a script cannot be started: lint's rule, what is wrong (after the script's name), and what to do."""

    rule: str
    what: str
    hint: str
    line: int = 1


def here(program: str) -> bool:
    """Return whether this machine has a program, given by its path or by its name."""
    return shutil.which(program) is not None


def in_helper(program: str) -> bool:
    """Return whether the backup helper has a program, given by its path or by its name."""
    path = PurePosixPath(program)
    return path.name in IN_HELPER and (program == path.name or str(path.parent) in SYSTEM_FOLDERS)


def has_verify(service: Service) -> bool:
    """Return whether a service has a scripts/verify, also one that cannot be started."""
    return os.path.lexists(service.folder / "scripts" / VERIFY)


def has_sample(service: Service) -> bool:
    """Return whether a service has a scripts/sample, also one that cannot be started."""
    return os.path.lexists(service.folder / "scripts" / SAMPLE)


def startable(service: Service, name: str, has: Has = here) -> Path:
    """Return the path of one of a service's own scripts.

    Raises:
        BadScript: when it cannot be started, with the reason.
    """
    path = service.folder / "scripts" / name
    fault = find_fault(path, has)
    if fault:
        what = f"scripts/{name} of {service.name} {fault.what}"
        raise BadScript(what, where=f"{path}:{fault.line}", hint=fault.hint)
    return path


def too_slow(service: Service, name: str, seconds: float) -> BadScript:
    """Return the error about a script that did not end before its deadline."""
    what = f"scripts/{name} of {service.name} did not end within {seconds:.0f} s, and was killed"
    hint = "run it by hand to see where it waits"
    return BadScript(what, where=str(service.folder / "scripts" / name), hint=hint)


def find_fault(path: Path, has: Has) -> Fault | None:
    """Return why a script cannot be started where `has` tells which programs there are; None if it can."""
    try:
        return next(_faults_of_file(path), None) or next(_faults_of_text(_read(path), has), None)
    except (OSError, NotReadable) as error:
        why = error.strerror if isinstance(error, OSError) else error
        return Fault("unreadable", f"cannot be read: {why}", f"see its owner and its mode: ls -lL {path}")


def find_text_fault(path: Path) -> Fault | None:
    """Return why a program of a container cannot be started there, as far as its text shows; None if it can."""
    try:
        text = _read(path)
    except (OSError, NotReadable) as error:
        why = error.strerror if isinstance(error, OSError) else error
        return Fault("unreadable", f"cannot be read: {why}", f"see its owner and its mode: ls -lL {path}")
    # Without the executable bit it is perhaps a library, which other programs read.
    program = path.stat().st_mode & stat.S_IXUSR and b"\0" not in text
    return next(_line_faults(text), None) or (next(_missing_line(text), None) if program else None)


def _read(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read(LARGEST)


def _faults_of_file(path: Path) -> Iterator[Fault]:
    """Yield what is wrong with the file itself; it is not opened, since opening a FIFO waits."""
    again = "restore it from git, or write it"
    if not os.path.lexists(path):
        folder = path.parent
        if folder.is_symlink() and not folder.exists():
            what = f"cannot be reached: {folder.name} is a link to {folder.readlink()}, which cannot be followed"
            yield Fault("no-file", what, "restore the folder from git, or write it")
        else:
            yield Fault("missing-file", "is missing", again)
        return
    try:
        found = path.stat()
    except OSError as error:
        if not path.is_symlink():
            raise
        yield Fault("no-file", f"is a link to {path.readlink()}, which cannot be followed: {error.strerror}", again)
        return
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "not a file"
        yield Fault("no-file", f"is {kind}", f"remove it, and {again}")
    elif not found.st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH):
        yield Fault("not-executable", "is not executable", f"make it executable: chmod +x {path}")
    elif not os.access(path, os.X_OK):
        hint = "check its owner and mode, and that its disk is not mounted noexec"
        yield Fault("not-executable", "is executable, but not for you here", hint)
    elif not found.st_size:
        yield Fault("empty-file", "is empty", again)


def _faults_of_text(text: bytes, has: Has) -> Iterator[Fault]:
    """Yield what is wrong with the content of a script; a compiled program has no lines."""
    if text.startswith(b"\x7fELF"):
        return
    yield from _line_faults(text)
    yield from _missing_line(text)
    yield from _interpreter_faults(text.splitlines()[0][2:].decode(errors="replace").strip(), has)


def _line_faults(text: bytes) -> Iterator[Fault]:
    if b"\r\n" in text and b"\0" not in text:
        line = text[: text.index(b"\r\n")].count(b"\n") + 1
        hint = "convert it: sed -i 's/\\r$//' FILE; to keep it so, write into .gitattributes: * text=auto eol=lf"
        yield Fault("crlf", "has lines that end with CRLF, as on Windows", hint, line)
    if text.startswith(b"\xef\xbb\xbf"):
        yield Fault("no-interpreter", "begins with a byte-order mark, so its first line is not read", FIRST_LINE)


def _missing_line(text: bytes) -> Iterator[Fault]:
    if not text.startswith((b"#!", b"\xef\xbb\xbf")):
        yield Fault("no-interpreter", "has no #! line", FIRST_LINE)


def _interpreter_faults(line: str, has: Has) -> Iterator[Fault]:
    """Yield what is wrong with a #! line. The system passes all that follows the program as one argument."""
    program, _, argument = line.partition(" ")
    argument = argument.strip()
    name = PurePosixPath(program).name
    if not program:
        yield Fault("no-interpreter", "names no program in its #! line", FIRST_LINE)
    elif not program.startswith("/") or (name != "env" and not has(program)):
        yield Fault("interpreter", f"needs {program}, which is not there", FIRST_LINE)
    elif name in SHELLS and argument and not SHELL_OPTIONS.fullmatch(argument):
        yield Fault("interpreter", f"cannot be run by {name} with “{argument}”", "write #!/bin/sh, then: set -eu")
    elif name == "env":
        yield from _env_faults(argument, has)


def _env_faults(argument: str, has: Has) -> Iterator[Fault]:
    words = [word for word in re.sub(r"^(-S|--split-string[= ])\s*", "", argument).split() if "=" not in word]
    if not words or words[0].startswith("-"):
        yield Fault("interpreter", f"cannot be run by env with “{argument}”", FIRST_LINE)
    elif len(words) > 1 and not argument.startswith(("-S", "--split-string")):
        hint = f"write #!/usr/bin/env -S {argument}"
        yield Fault("interpreter", f"cannot be run: env looks for a program named “{argument}”", hint)
    elif not has(words[0]):
        yield Fault("interpreter", f"needs {words[0]}, which is not there", FIRST_LINE)
