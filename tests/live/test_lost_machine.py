"""The lost machine: a clone, one admin's ssh key and an empty engine are enough to restore everything."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from lab.collectives import TOOL, Collective
from lab.commands import run
from lab.hosts import SSH, Host
from tests.live import facts
from tests.live.facts import router

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Say = Callable[[str], None]

SERVICES = ("chat", "directory", "git", "router", "wiki")


@pytest.mark.long
def test_everything_is_restored_on_an_empty_engine(collective: Collective, tmp_path: Path, say: Say) -> None:
    """The repository is on a third machine, reached by sftp; the restore is killed once, and then continues."""
    shutil.copytree(collective.top, tmp_path / "clone")
    own = Collective(tmp_path / "clone", collective.host)
    with Host() as store:
        store.start_sshd()
        write_backup(own, store, tmp_path)
        own.darkpeak("up", *SERVICES, timeout=900)
        written = {service: facts.of(service).write(own) for service in SERVICES}
        key = ("--identity", str(tmp_path / "ada"))
        refused = own.darkpeak("backup", "init", *key, timeout=300, check=False)
        assert (refused.returncode, (own.top / "backup-key.age").exists()) == (2, False)
        assert "needs a credential that the backup key does not have: ssh-key, known-hosts" in refused.stderr
        secrets = [f"ssh-key={SSH / 'id_ed25519'}", f"known-hosts={SSH / 'known_hosts'}"]
        own.darkpeak("backup", "init", *(word for item in secrets for word in ("--secret", item)), *key, timeout=300)
        own.darkpeak("backup", *SERVICES, *key, timeout=600)
        own.darkpeak("down", *SERVICES, "--volumes", "--yes", timeout=300)
        forget(own)
        started = time.monotonic()
        stop_half_way(own, key)
        done = json.loads(own.darkpeak("restore", "--all", "--json", *key, timeout=1800).stdout)
        took = time.monotonic() - started
    assert {item["service"]: item["done"] for item in done if item["service"] in SERVICES} == dict.fromkeys(
        SERVICES, "restored"
    )
    assert "in an earlier run" in {item["message"] for item in done}
    for service in ("chat", "directory", "git", "wiki"):
        facts.of(service).check(own, written[service])
    # Routes come from the files, and not from the router's snapshot; the CA, which members trust, is only there.
    assert router.authority(own) == written["router"]
    say(f"everything is restored after {took:.0f} s; only the restores: {sum(item['seconds'] for item in done):.0f} s")


def stop_half_way(own: Collective, key: tuple[str, ...]) -> None:
    """Begin to restore everything, and kill the command when the first service is restored."""
    argv, pipe = [str(TOOL), "restore", "--all", *key], subprocess.PIPE
    with subprocess.Popen(argv, cwd=own.top, env=dict(own.environment), stderr=pipe, stdout=pipe, text=True) as process:
        assert process.stderr
        first = next((line for line in process.stderr if ": restored" in line), "")
        second = next(process.stderr, "")  # this line is printed after the first is recorded as done
        process.kill()
    assert first, "no service was restored before it ended"
    assert second, "it ended after the first service"


def write_backup(own: Collective, store: Host, folder: Path) -> None:
    """Write a repository on another machine into collective.toml, and an admin with a key."""
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "ada")])
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "grace")])
    path = own.top / "collective.toml"
    text = path.read_text()
    for name in ("ada", "grace"):
        public = (folder / f"{name}.pub").read_text().strip()
        text = text.replace(f"[admins.{name}]\n", f'[admins.{name}]\nssh = ["{public}"]\n')
    repository = f"sftp:root@{store.address}:{folder}/repository"
    path.write_text(f'{text}\n[backup]\nrepositories = ["{repository}"]\n')


def forget(own: Collective) -> None:
    """Make the engine like a new one: without containers, volumes, and images of ours."""
    docker = ["docker", "--host", own.host.docker_host]
    for what, remove in (("ps -aq", "rm -f"), ("volume ls -q", "volume rm -f"), ("images -q", "rmi -f")):
        found = run([*docker, *what.split()]).stdout.split()
        if found:
            run([*docker, *remove.split(), *dict.fromkeys(found)], timeout=120)
