"""The steps from what a machine has to what is wanted, each with its cause. Pure."""

import base64
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from darkpeak.errors import UsageError
from darkpeak.system.base import (
    CLIENT,
    DAEMON_FILE,
    DEBIAN,
    FIREWALL,
    LOGIN,
    PACKAGES,
    UBUNTU,
    Wanted,
    make_files,
    packages_of,
)

SPARE_KIB = 2 << 20  # that much of the disk must stay free
RUN = ("docker", FIREWALL)
NO_KEYS = f"note: no admin has an ssh key in collective.toml, so the login {LOGIN} is not made"


@dataclass(frozen=True)
class Found:
    """What a machine has of the base system."""

    suite: str
    distribution: str = DEBIAN
    packages: frozenset[str] = frozenset()
    files: tuple[tuple[str, str, int], ...] = ()  # path, text, mode
    ssh_ports: tuple[int, ...] = (22,)
    swap: int = 0  # KiB
    disk: int = 0  # KiB free
    login: bool = False
    running: frozenset[str] = frozenset()

    def file(self, path: str) -> tuple[str, int] | None:
        """Return a file's text and mode, or None if there is no such file."""
        return next(((text, mode) for name, text, mode in self.files if name == path), None)


@dataclass(frozen=True)
class SystemStep:
    """One thing to do, why, and the lines of shell that do it with the functions of make.sh."""

    what: str
    cause: str
    lines: tuple[str, ...]


def read_found(output: str) -> Found:
    """Return what a machine has, from the output of look.sh.

    Raises:
        UsageError: when the machine has neither Debian nor Ubuntu.
    """
    rows = [line.split(" ") for line in output.splitlines() if line.startswith("=")]
    one = {row[0]: row[1] for row in rows if len(row) > 1}
    many = {
        word: [row[1] for row in rows if row[0] == word and len(row) > 1] for word in ("=package", "=port", "=runs")
    }
    distribution = one.get("=id", "")
    if distribution not in (DEBIAN, UBUNTU):
        what = f"the machine runs {distribution or 'an unknown system'}, which is not supported"
        raise UsageError(what, hint="use Debian 12 or newer, or Ubuntu 22.04 or newer")
    files = [row[1:] for row in rows if row[0] == "=file"]
    return Found(
        suite=one.get("=suite", ""),
        distribution=distribution,
        packages=frozenset(many["=package"]),
        files=tuple((path, base64.b64decode(text).decode(), int(mode, 8)) for path, mode, text in files),
        ssh_ports=tuple(sorted({int(port) for port in many["=port"]})),
        swap=int(one.get("=swap", "0")),
        disk=int(one.get("=disk", "0")),
        login=one.get("=login") == "yes",
        running=frozenset(many["=runs"]),
    )


def arguments_of_look(wanted: Wanted) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the packages and files that look.sh must look for."""
    return tuple(sorted((*PACKAGES, CLIENT))), tuple(file.path for file in make_files(wanted, ()))


def make_steps(found: Found, wanted: Wanted) -> tuple[SystemStep, ...]:
    """Return the steps that are to be done; none if the machine is prepared.

    Raises:
        UsageError: when a file there is not JSON.
    """
    # Settings come before packages, so that what a package starts has read them.
    return (
        *_login(found, wanted),
        *_files(found, wanted),
        *_packages(found),
        *_swap(found, wanted),
        *_runs(found, wanted),
    )


def _packages(found: Found) -> Iterator[SystemStep]:
    missing = [name for name in packages_of(found.suite, found.distribution) if name not in found.packages]
    if missing:
        yield SystemStep(f"install {' '.join(missing)}", "not installed", (f"install_packages {shlex.join(missing)}",))


def _login(found: Found, wanted: Wanted) -> Iterator[SystemStep]:
    if wanted.keys and not found.login:
        yield SystemStep(f"make the login {LOGIN}", "admins use Docker with it", (f"make_login {LOGIN}",))


def _files(found: Found, wanted: Wanted) -> Iterator[SystemStep]:
    daemon = found.file(DAEMON_FILE)
    try:
        files = make_files(wanted, found.ssh_ports, daemon[0] if daemon else "")
    except ValueError as error:
        raise UsageError(f"the file is not JSON: {error}", where=DAEMON_FILE, hint="fix it on that machine") from error
    for file in files:
        there = found.file(file.path)
        if there == (file.text, file.mode):
            continue
        cause = "it differs" if there else "it is missing"
        put = shlex.join(("put", file.path, f"{file.mode:o}", file.text))
        yield SystemStep(f"write {file.path} ({file.why})", cause, (put,))


def _swap(found: Found, wanted: Wanted) -> Iterator[SystemStep]:
    if not wanted.swap or found.swap:
        return
    if found.disk < wanted.swap * 1024 + SPARE_KIB:
        return
    yield SystemStep(f"make /swapfile, {wanted.swap} MiB", "there is no swap", (f"make_swap {wanted.swap}",))


def _runs(found: Found, wanted: Wanted) -> Iterator[SystemStep]:
    """Yield steps that start what does not run, and that reload what reads a changed file."""
    daemon = found.file(DAEMON_FILE)
    files = make_files(wanted, found.ssh_ports, daemon[0] if daemon else "")
    changed = {file.read_by for file in files if file.read_by and found.file(file.path) != (file.text, file.mode)}
    for name in RUN:
        if name not in found.running:
            yield SystemStep(f"start {name}, now and at each boot", "it does not run", (f"start {name}",))
        elif name in changed:
            yield SystemStep(f"reload {name}", "its settings have changed", (f"again {name}",))
    if "ssh" in changed:
        yield SystemStep("reload ssh", "its settings have changed", ("again ssh",))
