"""Faults while a snapshot is made, stored or restored: nothing is lost, and no bad snapshot counts as good."""

from __future__ import annotations

import random
import signal
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from darkpeak.actions import prune
from darkpeak.actions.backup import back_up
from darkpeak.actions.restore import restore
from darkpeak.actions.scrub import scrub
from darkpeak.errors import CheckFailed
from darkpeak.repository.key import Secret, make
from lab import ledger
from lab.collectives import TOOL
from lab.commands import run, wait_for
from lab.kept import LARGE, REPOSITORY, SAVED, SMALL, Kept, leftovers, wait_for_line

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    Campaign = Callable[..., int]
    Say = Callable[[str], None]

SPARE = "darkpeak-test-spare"
FULL = "darkpeak-test-full"
NAS = "darkpeak-test-nas"
MIDDLE = 60_000  # transfers: 2 MB
NOWHERE = "198.51.100.1"  # in a network that is only for documentation
VOLUMES = Path("/var/lib/docker/volumes")
OUTAGE_SECONDS = 12
SILENCE_SECONDS = 120


def names(kept: Kept) -> set[str]:
    """Return the names of the ledger's snapshots."""
    with kept.session() as work:
        return {known.name for known in work.snapshots(ledger.NAME)}


def saved_text(content: str) -> str:
    """Return what a snapshot of a ledger with this content has."""
    return f"{content}# {content.count(chr(10))} lines\n"


@pytest.mark.parametrize("victim", ["command", "helper", "dump"])
def test_a_killed_backup_leaves_only_good_snapshots(kept: Kept, campaign: Campaign, victim: str) -> None:
    """Killed at any moment: every snapshot restores to a content that the ledger had, and the next backup works."""
    ledger.book(kept.collective, LARGE, 5)
    whole = saved_text(ledger.content(kept.collective))
    started = time.monotonic()
    kept.darkpeak("backup", ledger.NAME)
    usual = time.monotonic() - started
    known = names(kept)
    said_good = 0
    for _ in range(campaign(50, short=2)):
        with kept.start("backup", ledger.NAME) as process:
            time.sleep(random.uniform(0, usual) if victim != "dump" else 0)  # noqa: S311
            kill(kept, victim, process)
            process.communicate(timeout=300)
        said_good += process.returncode == SAVED
    wait_for("the helper to end", lambda: not leftovers(kept), timeout=30)
    kept.darkpeak("backup", ledger.NAME)
    new = names(kept) - known
    assert len(new) >= said_good + 1
    assert kept.content_of(new) == dict.fromkeys(new, whole)


def kill(kept: Kept, victim: str, process: subprocess.Popen[str]) -> None:
    """Kill the command, its helper, or the dump in the service, with SIGKILL."""
    if victim == "command":
        process.send_signal(signal.SIGKILL)
    elif victim == "helper":
        kept.docker("kill", "darkpeak-helper", check=False)
    else:
        words = "for n in $(seq 500); do pid=$(pidof -x dump) && break; sleep 0.02; done; sleep $0; kill -9 $pid"
        wait = f"{random.uniform(0, 0.5):.2f}"  # noqa: S311
        kept.collective.execute(ledger.NAME, "store", "sh", "-c", words, wait, check=False)


def test_a_killed_engine_leaves_no_bad_snapshot(kept: Kept, campaign: Campaign) -> None:
    ledger.book(kept.collective, LARGE, 7)
    whole = saved_text(ledger.content(kept.collective))
    known = names(kept)
    for _ in range(campaign(50, short=2)):
        with kept.start("backup", ledger.NAME) as process:
            time.sleep(random.uniform(1, 8))  # noqa: S311
            kept.collective.host.kill_engine()
            wait_for("the engine to end", lambda: not kept.collective.host.engine_answers())
            process.communicate(timeout=300)
            kept.collective.host.start_engine()
        kept.collective.compose(ledger.NAME, "up", "-d", "--wait")
    kept.darkpeak("backup", ledger.NAME)
    new = names(kept) - known
    assert kept.content_of(new) == dict.fromkeys(new, whole)


def test_a_full_repository_gets_no_snapshot_and_loses_none(kept: Kept, campaign: Campaign) -> None:
    """The repository's volume has room for one snapshot; a container that does nothing else keeps it mounted."""
    kept.docker("volume", "create", "--opt=type=tmpfs", "--opt=device=tmpfs", "--opt=o=size=3m", FULL)
    holder = kept.docker("run", "-d", "-v", f"{FULL}:/repository", "debian:trixie", "sleep", "infinity")
    kept.write_backup(f"volume:{FULL}")
    try:
        kept.darkpeak("backup init")
        ledger.book(kept.collective, MIDDLE, 8)
        first = saved_text(ledger.content(kept.collective))
        kept.darkpeak("backup", ledger.NAME)
        before = names(kept)
        with kept.session() as work:
            for seed in range(9, 10 + campaign(50)):
                ledger.book(kept.collective, MIDDLE, seed)
                made = back_up(work, kept.ledger)
                if made.good:
                    before |= {made.snapshot}
        assert not made.good
        result = kept.darkpeak("backup", ledger.NAME, check=False)
        assert (result.returncode, f"{FULL}: no space left" in result.stderr) == (3, True), result.stderr
        assert names(kept) == before
        assert first in kept.content_of(before).values()
    finally:
        kept.write_backup(f"volume:{REPOSITORY}")
        kept.docker("rm", "-f", holder)
        kept.docker("volume", "rm", "-f", FULL)


@contextmanager
def small_disk(size: str) -> Iterator[None]:
    """Make the engine put new volumes on a small disk; existing volumes stay where they are."""
    with tempfile.TemporaryDirectory() as aside:
        run(["mount", "--bind", str(VOLUMES), aside])
        run(["mount", "--make-private", aside])  # otherwise the small disk would hide it too
        run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(VOLUMES)])
        try:
            for volume in Path(aside).iterdir():
                if volume.is_dir():
                    (VOLUMES / volume.name).mkdir()
                    run(["mount", "--bind", str(volume), str(VOLUMES / volume.name)])
            yield
        finally:
            run(["umount", "--recursive", str(VOLUMES)])
            run(["umount", aside])


def test_a_full_disk_of_the_helper_makes_no_snapshot(kept: Kept, campaign: Campaign) -> None:
    """The folder for the parts has room for half of them."""
    ledger.book(kept.collective, LARGE, 14)
    whole = saved_text(ledger.content(kept.collective))
    before = names(kept)
    with small_disk("5m"):
        for _ in range(campaign(50, short=2)):
            refused = kept.darkpeak("backup", ledger.NAME, check=False)
            assert (refused.returncode, "o space left on device" in refused.stderr) == (3, True), refused.stderr
    assert names(kept) == before
    kept.darkpeak("backup", ledger.NAME)
    new = names(kept) - before
    assert kept.content_of(new) == dict.fromkeys(new, whole)


def test_two_backups_at_once_make_two_snapshots(booked: Kept, campaign: Campaign) -> None:
    before, rounds = len(names(booked)), campaign(50, short=1)
    for _ in range(rounds):
        with booked.start("backup", ledger.NAME) as one, booked.start("backup", ledger.NAME) as other:
            said = [process.communicate(timeout=300)[1] for process in (one, other)]
        assert [one.returncode, other.returncode] == [SAVED, SAVED], said
        assert "; waiting" in "".join(said)
    assert len(names(booked)) == before + 2 * rounds


def test_a_killed_restore_can_be_repeated(booked: Kept, campaign: Campaign) -> None:
    whole = ledger.content(booked.collective)
    for _ in range(campaign(50, short=2)):
        ledger.book(booked.collective, SMALL, 6)
        with booked.start("restore", ledger.NAME) as process:
            time.sleep(random.uniform(2, 10))  # noqa: S311
            process.kill()
            process.communicate(timeout=300)
        wait_for("the helper to end", lambda: not leftovers(booked), timeout=30)
        booked.darkpeak("restore", ledger.NAME)
        assert ledger.content(booked.collective) == whole


@pytest.mark.parametrize("spoil", ["flip", "lose"])
def test_damage_is_found_before_anything_is_touched(kept: Kept, campaign: Campaign, spoil: str, say: Say) -> None:
    """If a pack of the newest snapshot is damaged or lost, the restore refuses, and the service is unchanged."""
    refused = 0
    rounds = campaign(50, short=2)
    with kept.session() as work:
        for _ in range(rounds):
            known = set(kept.packs())
            ledger.book(kept.collective, SMALL, time.time_ns())
            assert back_up(work, kept.ledger).good
            before = ledger.content(kept.collective)
            pack = random.choice([path for path in kept.packs() if path not in known])  # noqa: S311
            whole = pack.read_bytes()
            at = random.randrange(len(whole))  # noqa: S311
            pack.unlink()
            if spoil == "flip":
                pack.write_bytes(whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :])
            try:
                restore(work, kept.ledger, None)
            except CheckFailed:
                refused += 1
            assert ledger.content(kept.collective) == before
            (scrubbed,) = scrub(work, whole=True)
            assert (scrubbed.good, "is damaged" in scrubbed.message) == (False, True), scrubbed
            pack.write_bytes(whole)
    say(f"{spoil}: {refused} of {rounds} restores needed it and refused; scrub found every one")
    kept.darkpeak("scrub", "--all")


def test_a_wrong_ssh_key_opens_nothing(kept: Kept, campaign: Campaign) -> None:
    for _ in range(campaign(50, short=2)):
        with pytest.raises(CheckFailed, match="wrong password for"), kept.session(make()) as work:
            work.require()
    assert kept.secret != Secret("")
    kept.darkpeak("key check")


def test_the_key_of_another_collective_opens_nothing(booked: Kept, campaign: Campaign) -> None:
    path = booked.collective.top / "backup-key.age"
    own = path.read_bytes()
    path.unlink()
    booked.write_backup(f"volume:{SPARE}")
    try:
        booked.darkpeak("backup init")
        booked.write_backup(f"volume:{REPOSITORY}")
        for _ in range(campaign(50, short=1)):
            refused = booked.darkpeak("backup", ledger.NAME, check=False)
            assert (refused.returncode, "wrong password for" in refused.stderr) == (1, True), refused.stderr
            assert "its own backup script" not in refused.stderr
    finally:
        path.write_bytes(own)
        booked.write_backup(f"volume:{REPOSITORY}")
        booked.docker("volume", "rm", "-f", SPARE)


def test_a_silent_repository_does_not_delay_the_others(booked: Kept, campaign: Campaign) -> None:
    before, rounds = len(names(booked)), campaign(50, short=1)
    booked.write_backup(f"rest:http://{NOWHERE}:8000/", f"volume:{REPOSITORY}")
    silence = ["FORWARD", "-d", NOWHERE, "-j", "DROP"]
    run(["iptables", "-I", *silence])
    try:
        for _ in range(rounds):
            started = time.monotonic()
            result = booked.darkpeak("backup", ledger.NAME, check=False)
            assert time.monotonic() - started < SILENCE_SECONDS
            assert (result.returncode, f"{NOWHERE}:8000/ does not answer" in result.stderr) == (3, True), result.stderr
    finally:
        run(["iptables", "-D", *silence])
        booked.write_backup(f"volume:{REPOSITORY}")
    assert len(names(booked)) == before + rounds


@pytest.fixture
def nas(booked: Kept) -> Iterator[Kept]:
    """Yield it with its repository on a machine that a test can silence."""
    argv = ["-v", f"{NAS}:/data", "darkpeak-helper", "rclone", "serve", "restic", "/data", "--addr", ":8000"]
    booked.docker("run", "-d", "--name", NAS, *argv)
    try:
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        booked.write_backup(f"rest:http://{booked.docker('inspect', NAS, '--format', form)}:8000/")
        booked.darkpeak("backup init")
        yield booked
    finally:
        booked.write_backup(f"volume:{REPOSITORY}")
        booked.docker("rm", "-f", NAS)
        booked.docker("volume", "rm", NAS)


def test_a_repository_gets_the_snapshot_after_a_short_outage(nas: Kept, campaign: Campaign) -> None:
    """It stops answering at any moment of a backup, and answers again later."""
    ledger.book(nas.collective, LARGE, 15)
    whole = saved_text(ledger.content(nas.collective))
    for _ in range(campaign(50, short=1)):
        with nas.start("backup", ledger.NAME) as process:
            wait_for_line(process, f"{ledger.NAME}: saving to ")
            time.sleep(random.uniform(0, 1))  # noqa: S311
            nas.docker("pause", NAS)
            time.sleep(OUTAGE_SECONDS)  # the fault itself
            nas.docker("unpause", NAS)
            said = process.communicate(timeout=300)[1]
        assert process.returncode == SAVED, said
    saved = names(nas)
    assert len(saved) == campaign(50, short=1)
    assert kept_contents(nas, saved) == {whole}


def kept_contents(kept: Kept, saved: set[str]) -> set[str]:
    """Return the different contents of snapshots."""
    return set(kept.content_of(saved).values())


@pytest.mark.long
def test_a_repository_that_stops_answering_is_given_up(nas: Kept) -> None:
    """Within the deadline for one pack, and not after a quarter of an hour."""
    ledger.book(nas.collective, LARGE, 16)
    with nas.start("backup", ledger.NAME) as process:
        wait_for_line(process, f"{ledger.NAME}: saving to ")
        nas.docker("pause", NAS)
        started = time.monotonic()
        said = process.communicate(timeout=900)[1]
    nas.docker("unpause", NAS)
    assert (process.returncode, "no progress" in said or "does not answer" in said) == (3, True), said
    assert time.monotonic() - started < 700


def test_the_newest_snapshot_does_not_depend_on_clocks(booked: Kept, campaign: Campaign) -> None:
    """The clocks are a year ahead for one snapshot, a year behind for the next, then right."""
    for _ in range(campaign(50, short=1)):
        for days in (365, -365, 0):
            ledger.book(booked.collective, SMALL, time.time_ns())
            argv = ["faketime", f"{days:+} days", str(TOOL), "backup", ledger.NAME, *booked.identity]
            run(argv, cwd=booked.collective.top, env=booked.collective.environment)
            last = ledger.content(booked.collective)
            if days:
                redate(booked, days)
        ledger.book(booked.collective, SMALL, 0)
        with booked.session() as work:
            three = sorted((known.name for known in work.snapshots(ledger.NAME)), key=number)[-3:]
            prune.prune(work, prune.decide(work))
            assert set(three) <= {known.name for known in work.repositories.usable()[0].list_snapshots()}
            assert restore(work, booked.ledger, None).snapshot == three[-1]
        assert ledger.content(booked.collective) == last


def number(name: str) -> int:
    """Return a snapshot's number."""
    return int(name.rpartition("-")[2])


def redate(kept: Kept, days: int) -> None:
    """Give the newest snapshot the date of a restic whose clock is wrong by some days."""
    date = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + days * 86400))
    with kept.session() as work:
        newest = max(work.snapshots(ledger.NAME), key=lambda known: known.number)
        (store,) = work.repositories.usable()
        work.helper.must(*store.argv("rewrite", "--forget", "--new-time", date, newest.restic_id))
        (again,) = [known for known in store.list_snapshots() if known.number == newest.number]
        assert again.made[:4] == date[:4]
