"""From a machine with only Debian, git and Python to the members' wiki, as the README describes it."""

from __future__ import annotations

import ast
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lab.collectives import TOP
from lab.commands import run
from lab.hosts import Host

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

WIKI = "wiki.localhost"
PASSED_ON = ("index_url", "extra_index_url", "trusted_host", "proxy", "timeout", "retries")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """In a long run, also test the next Debian, and a login that is not root."""
    cases = [("bookworm", "root"), ("trixie", "maria")]
    metafunc.parametrize(("suite", "user"), cases if metafunc.config.getoption("--long") else cases[:1])


def test_a_bare_machine_serves_a_wiki_after_one_command(
    suite: str, user: str, host: Host, say: Callable[[str], None]
) -> None:
    host.forget()
    packages = ("git", "python3") if user == "root" else ("git", "python3", "sudo")
    with Host(debian=suite, packages=packages) as machine:
        newcomer = Newcomer(machine, user)
        newcomer.set_up()

        started = time.monotonic()
        with ThreadPoolExecutor() as pool:
            first = pool.submit(newcomer.run, "bin/demo")
            while not first.done() and not answers(machine):
                time.sleep(0.5)
            answered = time.monotonic() - started
            printed = first.result()
        ended = time.monotonic() - started
        say(f"{suite}: bare machine to wiki answering {answered:.0f} s, bin/demo {ended:.0f} s")
        assert f"http://{WIKI}:7080/" in printed
        assert answers(machine)
        assert answers(machine, tls=True)

        containers = newcomer.containers()
        started = time.monotonic()
        again = newcomer.run("bin/demo")
        took = time.monotonic() - started
        say(f"{suite}: bin/demo again {took:.1f} s")
        assert newcomer.containers() == containers
        assert logins(again) == logins(printed)

        memory = newcomer.run("docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}")
        say("\n  ".join(sorted(memory.splitlines())))


@dataclass(frozen=True)
class Newcomer:
    """A new admin with a bare machine and the README."""

    machine: Host
    user: str

    @property
    def checkout(self) -> str:
        """The folder of their clone."""
        return "/root/darkpeak" if self.user == "root" else f"/home/{self.user}/darkpeak"

    def set_up(self) -> None:
        """Make their account, with sudo, and a clone of this checkout, which has only what is committed."""
        if self.user != "root":
            self.machine.run(["useradd", "--create-home", "--shell", "/bin/bash", self.user])
            (self.machine.root / "etc/sudoers.d/newcomer").write_text(f"{self.user} ALL=(ALL) NOPASSWD: ALL\n")
        trusting = ["-c", f"safe.directory={TOP}", "-c", f"safe.directory={TOP}/.git"]  # for any owner
        run(["git", *trusting, "clone", "--quiet", "--no-hardlinks", str(TOP), f"{self.machine.root}{self.checkout}"])
        self.machine.run(["chown", "-R", f"{self.user}:", self.checkout])
        if authorities():
            shutil.copy(authorities(), self.machine.root / "etc/machine-authorities.crt")

    def run(self, *argv: str) -> str:
        """Run a command in their checkout; return its output."""
        login = ("setpriv", "--reuid", self.user, "--regid", self.user, "--init-groups")
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(Path(self.checkout).parent),
            **{name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")},
            **{f"PIP_{name.upper()}": value for name, value in pip_settings().items() if name in PASSED_ON},
        }
        if authorities():  # a proxy with its own CA may be before the package index
            environment["PIP_CERT"] = "/etc/machine-authorities.crt"
        return self.machine.run([*login, *argv], cwd=self.checkout, env=environment, timeout=1200).stdout

    def containers(self) -> list[str]:
        """Return each container with the time of its start."""
        ids = self.run("docker", "ps", "-aq").split()
        return sorted(self.run("docker", "inspect", "--format", "{{.Name}} {{.State.StartedAt}}", *ids).splitlines())


def authorities() -> str:
    """Return the file of CAs that this machine's pip uses; empty if none is set."""
    told = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    return pip_settings().get("cert") or told or ""


@cache
def pip_settings() -> dict[str, str]:
    """Return the settings of this machine's pip, except folders that only this machine has."""
    found: dict[str, str] = {}
    for line in run([sys.executable, "-m", "pip", "config", "list"]).stdout.splitlines():
        key, _, value = line.partition("=")
        words = [word for word in str(ast.literal_eval(value)).split() if not word.startswith("file:")]
        if words:
            found[key.rpartition(".")[2].replace("-", "_")] = " ".join(words)
    return found


def answers(machine: Host, *, tls: bool = False) -> bool:
    """Return whether a browser on the machine gets a wiki page, by http, or by https verified with the CA."""
    authority = machine.root / "var/lib/docker/volumes/darkpeak-trust/_data/ca.crt"
    url = ["--cacert", str(authority), f"https://{WIKI}:7443/"] if tls else [f"http://{WIKI}:7080/"]
    page = machine.reach(["curl", "-sSL", "--fail", "--max-time", "5", *url], check=False)
    return not page.returncode and "dokuwiki" in page.stdout.lower()


def logins(printed: str) -> list[str]:
    """Return the lines with a name and a password."""
    return [line for line in printed.splitlines() if ", password " in line]
