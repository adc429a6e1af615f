"""The tutorial, and the page about a VM: every command is run, in one shell, and prints what the page shows."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.collectives import TOP
from lab.commands import run, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lab.hosts import Host

PAGES = {name: (TOP / f"docs/{name}.md").read_text() for name in ("tutorial", "vm")}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
UPSTREAM = "https://darkpeak.example/darkpeak.git"
DEADLINE = 3000
# Its own files in /etc, and a plain resolv.conf; /run/systemd shows that `systemctl` can restart services.
LAPTOP = """\
mount -t tmpfs tmpfs "$1" && mkdir "$1/etc" "$1/bin" "$1/work" "$1/state"
cp -a /etc/. "$1/etc" && mount --bind "$1/etc" /etc && rm -rf /etc/dhcp
mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd && mkdir /run/systemd/system && exec sleep infinity
"""
SYSTEMCTL = """\
#!/bin/sh
[ "$*" = "restart dnsmasq" ] || exit 1
pkill -F /run/systemd/dnsmasq.pid 2>/dev/null || :
exec dnsmasq --conf-dir=/etc/dnsmasq.d --pid-file=/run/systemd/dnsmasq.pid
"""
SUDO = '#!/bin/sh\nexec "$@"\n'


def blocks(page: str, kind: str) -> list[str]:
    """Return the fenced blocks of one kind in a page."""
    return [text for word, text in BLOCK.findall(PAGES[page]) if word == kind]


def follow(page: str, enter: Sequence[str], environment: Mapping[str, str], cwd: Path) -> None:
    """Run every command of a page in one shell; compare what it prints with the page."""
    given = {
        "LANG": "C.UTF-8",
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"url.{TOP}.insteadOf",
        "GIT_CONFIG_VALUE_0": UPSTREAM,
        "GIT_CONFIG_KEY_1": "safe.directory",
        "GIT_CONFIG_VALUE_1": "*",
    }
    script = "set -eux\n" + "\n".join(blocks(page, "sh"))
    done = run([*enter, "sh", "-s"], stdin=script, env={**given, **environment}, cwd=cwd, timeout=DEADLINE)
    printed = (done.stdout + done.stderr).splitlines()
    for line in "".join(blocks(page, "text")).splitlines():
        assert line in printed


@pytest.fixture
def laptop() -> Iterator[tuple[int, str]]:
    """Yield a process with a laptop's own /etc, and its folder."""
    folder = tempfile.mkdtemp(prefix="laptop-")
    with subprocess.Popen(["unshare", "--mount", "sh", "-euc", LAPTOP, "sh", folder]) as holder:
        root = Path(f"/proc/{holder.pid}/root")
        try:
            wait_for("its /etc", lambda: Path(f"/proc/{holder.pid}/comm").read_text() == "sleep\n")
            for name, text in (("sudo", SUDO), ("systemctl", SYSTEMCTL)):
                program = Path(f"{root}{folder}/bin/{name}")
                program.write_text(text)
                program.chmod(0o755)
            yield holder.pid, folder
        finally:
            run(
                ["nsenter", "--target", str(holder.pid), "--mount", "pkill", "-F", "/run/systemd/dnsmasq.pid"],
                check=False,
            )
            holder.kill()
    Path(folder).rmdir()


@pytest.mark.parametrize("page", PAGES)
def test_every_line_of_shell_is_in_a_block_that_is_run(page: str) -> None:
    """A command in another block, `text` or without a kind, would not be tested."""
    kinds = re.findall(r"^```(\w*)$", PAGES[page], re.MULTILINE)
    assert {kind for kind in kinds if kind} == {"sh", "text"}
    assert kinds.count("") == len(kinds) / 2
    for text in blocks(page, "sh"):
        run(["sh", "-n"], stdin=text)


def test_the_tutorial_works_up_to_a_drilled_service(seeded: Host, tmp_path: Path) -> None:
    seeded.forget()
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "sudo").write_text(SUDO)
    (programs / "sudo").chmod(0o755)
    environment = {
        **os.environ,  # such as pip's own variables
        "PATH": f"{programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(tmp_path),
        "DOCKER_HOST": seeded.docker_host,
    }
    follow("tutorial", [], environment, tmp_path)


@pytest.mark.long
def test_the_page_works_up_to_an_own_service_on_a_vm(host: Host, laptop: tuple[int, str]) -> None:
    holder, folder = laptop
    environment = {
        "PATH": f"{folder}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "DOCKER_HOST": host.docker_host,
        "XDG_STATE_HOME": f"{folder}/state",
    }
    follow("vm", ["nsenter", "--target", str(holder), "--mount", f"--wdns={folder}/work"], environment, TOP)
