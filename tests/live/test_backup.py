"""Sets that restore, whatever dies meanwhile: made, verified, drilled, restored, by the tool and by hand."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from darkpeak.backup import key, trouble
from darkpeak.collective import read
from darkpeak.daemon.engine import Result as Outcome
from tests.live import facts, ledger
from tests.live.collectives import SERVICES, TOOL, Collective
from tests.live.commands import CommandFailed, Result, run, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Campaign = Callable[[int], int]
    Say = Callable[[str], None]

REPOSITORY = "darkpeak-test-repository"
SPARE = "darkpeak-test-spare"
FULL = "darkpeak-test-full"
SMALL, LARGE = 2000, 300_000  # transfers: 40 KB, and 7 MB
NOWHERE = "198.51.100.1"  # of a network that is for documentation only
SAVED = 0


@dataclass(frozen=True)
class Kept:
    """A collective with repositories, and an admin who can open them."""

    collective: Collective
    key: Path

    def darkpeak(self, command: str, *arguments: str, check: bool = True) -> Result:
        """Run a command that needs the key."""
        return self.collective.darkpeak(*command.split(), *arguments, *self.identity, check=check, timeout=600)

    @property
    def password(self) -> str:
        """The repository's password."""
        return key.read(read(self.collective.top)[0], [self.key], str).password

    @property
    def identity(self) -> tuple[str, str]:
        """The option that names the admin's ssh key."""
        return ("--identity", str(self.key))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command, and don't wait for it."""
        environment, pipe = dict(self.collective.environment), subprocess.PIPE
        argv = [str(TOOL), *arguments, *self.identity]
        return subprocess.Popen(argv, cwd=self.collective.top, env=environment, stdout=pipe, stderr=pipe, text=True)

    def docker(self, *arguments: str, check: bool = True) -> str:
        """Ask the engine."""
        return run(["docker", "--host", self.collective.host.docker_host, *arguments], check=check).stdout.strip()

    def sets(self, service: str = ledger.NAME) -> list[dict[str, Any]]:
        """Return the sets of a service."""
        found: list[dict[str, Any]] = json.loads(self.darkpeak("snapshots", service, "--json").stdout)
        return found

    def write_backup(self, *repositories: str) -> None:
        """Name the repositories in collective.toml."""
        path = self.collective.top / "collective.toml"
        text = re.sub(
            r"^repositories = .*$", f"repositories = {json.dumps(repositories)}", path.read_text(), flags=re.MULTILINE
        )
        path.write_text(text)

    @property
    def volume(self) -> Path:
        """Where the engine, which runs on this very host, keeps the repository."""
        return Path(self.docker("volume", "inspect", REPOSITORY, "--format", "{{.Mountpoint}}"))

    def packs(self) -> list[Path]:
        """Return the repository's files with data."""
        return sorted(path for path in (self.volume / "data").rglob("*") if path.is_file())

    def locks(self) -> set[str]:
        """Return the names of the locks in the repository; what is still being written is none yet."""
        return {path.name for path in (self.volume / "locks").iterdir() if "-tmp-" not in path.name}


@pytest.fixture(scope="module")
def kept(collective: Collective, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Return a collective of its own with the ledger up and an empty repository."""
    top = tmp_path_factory.mktemp("kept")
    shutil.copytree(collective.top, top, dirs_exist_ok=True)
    own = Collective(top, collective.host)
    text = (top / "collective.toml").read_text()
    for name in ("ada", "grace"):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(top / name)])
        public = (top / f"{name}.pub").read_text().strip()
        text = text.replace(f"[admins.{name}]\n", f'[admins.{name}]\nssh = ["{public}"]\n')
    (top / "collective.toml").write_text(text + "\n[backup]\nrepositories = []\n")
    ledger.add(own)
    kept = Kept(own, top / "ada")
    kept.write_backup(f"volume:{REPOSITORY}")
    own.darkpeak("up", ledger.NAME, timeout=900)
    kept.darkpeak("backup init")
    yield kept
    own.darkpeak("down", ledger.NAME, "--volumes", "--yes", timeout=120)
    records = kept.docker("ps", "-aq", "--filter", "label=darkpeak.record").split()
    kept.docker("rm", "-f", *records)
    kept.docker("volume", "rm", "-f", REPOSITORY, SPARE)


@pytest.fixture
def booked(kept: Kept) -> Kept:
    """Return it with a small ledger, and a set of that."""
    ledger.book(kept.collective, SMALL, 1)
    kept.darkpeak("backup", ledger.NAME)
    return kept


def leftovers(kept: Kept) -> list[str]:
    """Return what a command that has ended should have taken with it."""
    names = kept.docker("ps", "-a", "--format", "{{.Names}}").split()
    return [name for name in names if re.search("-helper|-lock-|-drill-", name) and "-record-" not in name]


def test_what_was_saved_comes_back_and_what_it_replaces_is_kept(booked: Kept) -> None:
    before = ledger.content(booked.collective)
    ledger.book(booked.collective, SMALL, 2)
    replaced = ledger.content(booked.collective)
    done = json.loads(booked.darkpeak("restore", ledger.NAME, "--json").stdout)
    assert ledger.content(booked.collective) == before
    assert done["verified"] == f"{2 * SMALL} lines"
    booked.darkpeak("restore", ledger.NAME, "--set", done["kept"])
    assert ledger.content(booked.collective) == replaced
    assert leftovers(booked) == []


def test_members_find_what_they_wrote(kept: Kept, pytestconfig: pytest.Config) -> None:
    """Every service of ours with --long, else the one with a database and the one with files."""
    services = SERVICES if pytestconfig.getoption("--long") else ("chat", "wiki")
    kept.collective.darkpeak("up", *services, timeout=900)
    for service in services:
        written = facts.of(service).write(kept.collective)
        kept.darkpeak("backup", service)
        kept.collective.compose(service, "down", "--volumes")
        kept.collective.compose(service, "up", "-d", "--wait", timeout=300)
        kept.darkpeak("restore", service)
        facts.of(service).check(kept.collective, written)
        drilled = json.loads(kept.darkpeak("drill", service, "--json").stdout)
        assert [(item["set_name"], item["good"]) for item in drilled] == [(kept.sets(service)[-2]["name"], True)]


def test_a_set_is_restored_by_hand(booked: Kept, tmp_path: Path) -> None:
    """With nothing but what `--explain` prints: age, docker (restic), and the service's own script."""
    before = ledger.content(booked.collective)
    ledger.book(booked.collective, SMALL, 3)
    lines = booked.collective.darkpeak("restore", ledger.NAME, "--explain").stdout
    (tmp_path / ".ssh").mkdir()
    shutil.copy(booked.key, tmp_path / ".ssh" / "id_ed25519")
    snapshot = booked.sets()[-1]["snapshot"]
    by_hand = f"set -euo pipefail\n{lines}".replace(" ID:", f" {snapshot}:")
    environment = {**booked.collective.environment, "HOME": str(tmp_path)}
    run(["bash", "-c", by_hand], cwd=booked.collective.top, env=environment, timeout=120)
    assert ledger.content(booked.collective) == before
    shutil.rmtree(booked.collective.top / f"{ledger.NAME}-restored")


def test_a_drill_is_cut_off_and_leaves_nothing(booked: Kept) -> None:
    with booked.start("drill", ledger.NAME) as process:
        project = f"{ledger.PROJECT}-drill"
        find = partial(booked.docker, "ps", "-q", "--filter", f"label=com.docker.compose.project={project}")
        wait_for("the scratch project", find)
        shown = json.loads(booked.docker("inspect", find()))[0]
        networks = [
            json.loads(booked.docker("network", "inspect", name))[0] for name in shown["NetworkSettings"]["Networks"]
        ]
        out, err = process.communicate(timeout=300)
    assert process.returncode == SAVED, err
    assert "right" in out
    assert shown["HostConfig"]["PortBindings"] == {}
    assert [network["Internal"] for network in networks] == [True]
    assert shown["Image"] == booked.docker("inspect", f"{ledger.PROJECT}-store-1", "--format", "{{.Image}}")
    assert leftovers(booked) == []
    assert f"{project}_data" not in booked.docker("volume", "ls", "-q").split()


# how the newest set is spoilt behind the tool's back
SPOILT_CONTENT = {
    "a line lost": "sed -i 2d /data/ledger",
    "another amount": "sed -i '3s/$/7/' /data/ledger",
    "empty": ": >/data/ledger",
}


def test_a_drill_finds_a_set_that_was_bad_from_the_beginning(booked: Kept) -> None:
    for spoil in list(SPOILT_CONTENT.values())[:2]:
        booked.collective.compose(ledger.NAME, "exec", "-T", "store", "sh", "-c", spoil)
        booked.darkpeak("backup", ledger.NAME, check=False)
        drilled = booked.darkpeak("drill", ledger.NAME, check=False)
        assert (drilled.returncode, "its content is not right" in drilled.stderr) == (1, True), drilled.stderr
        ledger.book(booked.collective, SMALL, 1)
    assert "and found" in booked.darkpeak("drill", ledger.NAME, "--spoilt").stdout


def test_a_restore_that_is_not_well_is_undone(booked: Kept) -> None:
    booked.collective.compose(ledger.NAME, "exec", "-T", "store", "sh", "-c", SPOILT_CONTENT["a line lost"])
    booked.darkpeak("backup", ledger.NAME)
    ledger.book(booked.collective, SMALL, 4)
    before = ledger.content(booked.collective)
    refused = booked.darkpeak("restore", ledger.NAME, check=False)
    assert (refused.returncode, "what was there before is back" in refused.stderr) == (1, True), refused.stderr
    assert ledger.content(booked.collective) == before


@pytest.mark.parametrize("victim", ["command", "helper", "dump"])
def test_whatever_is_killed_no_bad_set_is_called_good(kept: Kept, campaign: Campaign, victim: str) -> None:
    """Killed at any moment: every set there is restores to what the ledger held, and the next backup is made."""
    ledger.book(kept.collective, LARGE, 5)
    whole = ledger.content(kept.collective)
    started = time.monotonic()
    kept.darkpeak("backup", ledger.NAME)
    usual = time.monotonic() - started
    known = {item["name"] for item in kept.sets()}
    said_good = 0
    for _ in range(campaign(50)):
        with kept.start("backup", ledger.NAME) as process:
            time.sleep(random.uniform(0, usual) if victim != "dump" else 0)  # noqa: S311
            kill(kept, victim, process)
            process.communicate(timeout=300)
        said_good += process.returncode == SAVED
    wait_for("the helper to be gone", lambda: not leftovers(kept), timeout=30)
    kept.darkpeak("backup", ledger.NAME)
    new = [item["name"] for item in kept.sets() if item["name"] not in known]
    assert len(new) >= said_good + 1
    for name in new:
        folder = kept.collective.top / name
        kept.darkpeak("restore", ledger.NAME, "--set", name, "--to", str(folder))
        text = (folder / "ledger.txt").read_text()
        assert text == f"{whole}# {2 * LARGE} lines\n"
        shutil.rmtree(folder)


def kill(kept: Kept, victim: str, process: subprocess.Popen[str]) -> None:
    """Kill the command, its helper, or the dump inside the service, as hard as can be."""
    if victim == "command":
        process.send_signal(signal.SIGKILL)
    elif victim == "helper":
        kept.docker("kill", "darkpeak-helper", check=False)
    else:
        words = "for n in $(seq 500); do pid=$(pidof -x dump) && break; sleep 0.02; done; sleep $0; kill -9 $pid"
        wait = f"{random.uniform(0, 0.5):.2f}"  # noqa: S311
        kept.collective.execute(ledger.NAME, "store", "sh", "-c", words, wait, check=False)


def test_an_engine_that_dies_meanwhile_leaves_no_bad_set(kept: Kept, campaign: Campaign) -> None:
    ledger.book(kept.collective, LARGE, 7)
    whole = ledger.content(kept.collective)
    known = {item["name"] for item in kept.sets()}
    for _ in range(campaign(50)):
        with kept.start("backup", ledger.NAME) as process:
            time.sleep(random.uniform(1, 8))  # noqa: S311
            kept.collective.host.kill_engine()
            wait_for("the engine to be gone", lambda: not kept.collective.host.engine_answers())
            process.communicate(timeout=300)
            kept.collective.host.start_engine()
        kept.collective.compose(ledger.NAME, "up", "-d", "--wait")
    kept.darkpeak("backup", ledger.NAME)
    for name in {item["name"] for item in kept.sets()} - known:
        folder = kept.collective.top / name
        kept.darkpeak("restore", ledger.NAME, "--set", name, "--to", str(folder))
        assert (folder / "ledger.txt").read_text() == f"{whole}# {2 * LARGE} lines\n"
        shutil.rmtree(folder)


def test_a_full_repository_takes_no_set_and_loses_none(kept: Kept) -> None:
    """A volume with room for one set, kept mounted by a container that does nothing else."""
    kept.docker("volume", "create", "--opt=type=tmpfs", "--opt=device=tmpfs", "--opt=o=size=12m", FULL)
    holder = kept.docker("run", "-d", "-v", f"{FULL}:/repository", "debian:trixie", "sleep", "infinity")
    kept.write_backup(f"volume:{FULL}")
    try:
        kept.darkpeak("backup init")
        ledger.book(kept.collective, LARGE, 8)
        first = ledger.content(kept.collective)
        kept.darkpeak("backup", ledger.NAME)
        for seed in range(9, 13):
            ledger.book(kept.collective, LARGE, seed)
            result = kept.darkpeak("backup", ledger.NAME, check=False)
            if result.returncode:
                break
        assert (result.returncode, "failed" in result.stderr) == (3, True), result.stderr
        assert "no space left" in result.stderr
        folder = kept.collective.top / "first"
        kept.darkpeak("restore", ledger.NAME, "--set", kept.sets()[0]["name"], "--to", str(folder))
        assert (folder / "ledger.txt").read_text() == f"{first}# {2 * LARGE} lines\n"
        shutil.rmtree(folder)
    finally:
        kept.write_backup(f"volume:{REPOSITORY}")
        kept.docker("rm", "-f", holder)
        kept.docker("volume", "rm", "-f", FULL)


def test_two_backups_at_once_become_two_sets(booked: Kept) -> None:
    before = len(booked.sets())
    with booked.start("backup", ledger.NAME) as one, booked.start("backup", ledger.NAME) as other:
        said = [process.communicate(timeout=300)[1] for process in (one, other)]
    assert [one.returncode, other.returncode] == [SAVED, SAVED], said
    assert "waits for" in "".join(said)
    assert len({item["number"] for item in booked.sets()}) == before + 2


def test_a_restore_that_was_killed_is_run_again(booked: Kept, campaign: Campaign) -> None:
    whole = ledger.content(booked.collective)
    for _ in range(campaign(50)):
        ledger.book(booked.collective, SMALL, 6)
        with booked.start("restore", ledger.NAME) as process:
            time.sleep(random.uniform(2, 12))  # noqa: S311
            process.kill()
            process.communicate(timeout=300)
        wait_for("the helper to be gone", lambda: not leftovers(booked), timeout=30)
        booked.darkpeak("restore", ledger.NAME)
        assert ledger.content(booked.collective) == whole


@pytest.mark.parametrize("spoil", ["flip", "lose"])
def test_bit_rot_is_found_before_anything_is_touched(kept: Kept, campaign: Campaign, spoil: str, say: Say) -> None:
    """A flipped bit in, or the loss of, a pack of the newest set: the restore refuses, and the service is as it was."""
    refused = 0
    for _ in range(campaign(50)):
        known = set(kept.packs())
        ledger.book(kept.collective, SMALL, time.time_ns())
        kept.darkpeak("backup", ledger.NAME)
        before = ledger.content(kept.collective)
        pack = random.choice([path for path in kept.packs() if path not in known])  # noqa: S311
        whole = pack.read_bytes()
        at = random.randrange(len(whole))  # noqa: S311
        pack.unlink()
        if spoil == "flip":
            pack.write_bytes(whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :])
        result = kept.darkpeak("restore", ledger.NAME, check=False)
        refused += result.returncode != SAVED
        assert ledger.content(kept.collective) == before
        scrubbed = kept.darkpeak("scrub", "--all", check=False)
        assert (scrubbed.returncode, "is damaged" in scrubbed.stderr) == (1, True), scrubbed.stderr
        pack.write_bytes(whole)
    say(f"{spoil}: {refused} of {campaign(50)} restores needed it and refused; scrub found every one")
    kept.darkpeak("scrub", "--all")


def test_the_key_of_another_collective_opens_nothing(booked: Kept) -> None:
    path = booked.collective.top / "backup-key.age"
    own = path.read_bytes()
    path.unlink()
    booked.write_backup(f"volume:{SPARE}")
    try:
        booked.darkpeak("backup init")
        booked.write_backup(f"volume:{REPOSITORY}")
        refused = booked.darkpeak("backup", ledger.NAME, check=False)
        assert (refused.returncode, "does not open with the key" in refused.stderr) == (1, True), refused.stderr
    finally:
        path.write_bytes(own)
        booked.write_backup(f"volume:{REPOSITORY}")


def test_a_repository_that_does_not_answer_holds_up_no_other(booked: Kept) -> None:
    number = booked.sets()[-1]["number"]
    booked.write_backup(f"rest:http://{NOWHERE}:8000/", f"volume:{REPOSITORY}")
    silence = ["FORWARD", "-d", NOWHERE, "-j", "DROP"]
    run(["iptables", "-I", *silence])
    try:
        started = time.monotonic()
        result = booked.darkpeak("backup", ledger.NAME, check=False)
        took = time.monotonic() - started
    finally:
        run(["iptables", "-D", *silence])
        booked.write_backup(f"volume:{REPOSITORY}")
    assert (result.returncode, f"{NOWHERE}:8000/ does not answer" in result.stderr) == (3, True), result.stderr
    assert took < 120
    assert booked.sets()[-1]["number"] == number + 1


@pytest.fixture
def stranger(booked: Kept) -> Iterator[str]:
    """Hold a lock in the repository from another machine, which has died; return the lock's name."""
    mount, name = f"{REPOSITORY}:/repository", "darkpeak-test-stranger"
    hold = "cat >/tmp/password; sleep 99 | restic -r /repository -p /tmp/password backup --stdin"
    argv = ["docker", "--host", booked.collective.host.docker_host, "run", "-i", "--rm", "--name", name]
    argv += ["-h", "stranger", "-v", mount, "darkpeak-helper", "sh", "-c", hold]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as held:
        assert held.stdin
        held.stdin.write(booked.password.encode())
        held.stdin.close()
        wait_for("the stranger's lock", booked.locks)
        booked.docker("kill", name)
    (theirs,) = booked.locks()
    yield theirs
    for name in booked.locks():
        (booked.volume / "locks" / name).unlink()


def test_the_lock_of_a_dead_helper_is_cleared_and_that_of_another_host_stays(booked: Kept, stranger: str) -> None:
    ledger.book(booked.collective, LARGE, time.time_ns())
    with booked.start("backup", ledger.NAME) as process:
        wait_for_line(process, f"{ledger.NAME}: to ")
        wait_for("a lock in the repository", lambda: booked.locks() - {stranger}, pause=0.002)
        run(["pkill", "-STOP", "-x", "restic"])  # or it might end before its helper is dead
        booked.docker("kill", "darkpeak-helper")
        process.communicate(timeout=300)
    assert booked.locks() > {stranger}, "the dead helper left no lock: nothing is shown by this"
    booked.darkpeak("backup", ledger.NAME)
    assert booked.locks() == {stranger}


def test_whoever_must_wait_for_a_lock_is_told_whose_it_is(booked: Kept, stranger: str) -> None:
    """`check` wants the repository for itself alone."""
    assert stranger
    check = "cat >/tmp/password; exec restic -r /repository -p /tmp/password check"
    argv = [
        "docker",
        "--host",
        booked.collective.host.docker_host,
        "run",
        "-i",
        "--rm",
        "-v",
        f"{REPOSITORY}:/repository",
    ]
    result = run([*argv, "darkpeak-helper", "sh", "-c", check], stdin=booked.password, check=False)
    error = trouble.of("nas", Outcome(result.returncode, b"", result.stderr.encode()))
    assert error
    assert error.message.startswith("nas is locked by stranger, since 20"), result.stderr


def test_what_a_dead_helper_was_writing_goes_when_it_is_old(booked: Kept) -> None:
    """Each file that restic writes has another name at first, and one that keeps it is never looked at again."""
    names = [(folder, days) for folder in ("locks", "data/00") for days in (0, 2)]
    half = [booked.volume / folder / f"{'0' * 64}-tmp-{days}" for folder, days in names]
    for path, (_, days) in zip(half, names, strict=True):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - days * 86400,) * 2)
    booked.darkpeak("backup", ledger.NAME)
    booked.darkpeak("prune")
    assert [path.exists() for path in half] == [not days for _, days in names]
    for path in half:
        path.unlink(missing_ok=True)


def wait_for_line(process: subprocess.Popen[str], begin: str) -> None:
    """Wait until a command says on standard error that it has come so far."""
    assert process.stderr
    said: list[str] = []
    while not (said and said[-1].startswith(begin)):
        said.append(process.stderr.readline())
        assert said[-1], said


def test_a_removed_admin_opens_nothing_any_more(booked: Kept) -> None:
    before = (booked.collective.top / "backup-key.age").read_bytes()
    grace = Kept(booked.collective, booked.collective.top / "grace")
    grace.darkpeak("key check")
    assert booked.darkpeak("key remove", "grace", check=False).returncode == 1  # one person is too few
    with pytest.raises(CommandFailed, match="is not opened by"):
        grace.darkpeak("key check")
    now = (booked.collective.top / "backup-key.age").read_bytes()
    (booked.collective.top / "backup-key.age").write_bytes(before)
    with pytest.raises(CommandFailed, match="does not open with the key"):
        grace.darkpeak("key check")
    (booked.collective.top / "backup-key.age").write_bytes(now)
    booked.darkpeak("key add", "grace")
    grace.darkpeak("restore", ledger.NAME)
