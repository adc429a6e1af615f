"""The templates' scripts, with a real SQLite and a real MariaDB that are written to all the time."""

from __future__ import annotations

import sqlite3
import tarfile
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from lab.commands import run
from tests.live import bank
from tests.live.bank import LOOK, MARIADB, SQLITE, Bank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.collectives import Collective

    Campaign = Callable[..., int]
    Say = Callable[[str], None]


@pytest.fixture(scope="module", params=[SQLITE, MARIADB], ids=lambda one: one.kind)
def busy(request: pytest.FixtureRequest, collective: Collective) -> Iterator[Bank]:
    """Yield a running bank with transfers all the time."""
    one: Bank = request.param
    bank.add(collective, one)
    collective.compose(one.name, "up", "-d", "--build", "--wait", timeout=600)
    yield one
    collective.compose(one.name, "down", "--volumes")
    run(["rm", "-r", str(collective.folder(one.name))])


def test_lint_has_no_errors(collective: Collective, busy: Bank) -> None:
    assert ": error: " not in collective.darkpeak("lint", busy.name, check=False).stdout


def test_everything_acknowledged_before_a_backup_is_in_it(
    collective: Collective, busy: Bank, tmp_path: Path, campaign: Campaign
) -> None:
    """No transfer is half there, none is missing, and the bank works while it is saved."""
    before = {}
    for number in range(campaign(50, short=2)):
        before[number] = bank.acknowledged(collective, busy)
        collective.script(busy.name, "backup", str(tmp_path / str(number)))
    assert len(set(before.values())) == len(before)
    for number, least in before.items():
        collective.script(busy.name, "restore", str(tmp_path / str(number)))
        assert "2 tables" in collective.script(busy.name, "verify").stdout
        assert bank.look(collective, busy, least) == (0, least)


@pytest.mark.parametrize("fault", ["cut short", "another's", "no sums"])
def test_an_incomplete_backup_is_refused(collective: Collective, busy: Bank, tmp_path: Path, fault: str) -> None:
    collective.script(busy.name, "backup", str(tmp_path / "set"))
    (dump,) = (path for path in (tmp_path / "set").iterdir() if path.name != "SHA256SUMS")
    if fault == "cut short":
        dump.write_bytes(dump.read_bytes()[: dump.stat().st_size // 2])
    elif fault == "another's":
        dump.write_bytes(b"-- Dump completed\n")
    else:
        (tmp_path / "set" / "SHA256SUMS").unlink()
    last = bank.acknowledged(collective, busy)
    before = bank.look(collective, busy, last)
    assert collective.script(busy.name, "restore", str(tmp_path / "set"), check=False).returncode
    assert bank.look(collective, busy, last) == before


def test_a_stopped_database_gives_no_backup(collective: Collective, busy: Bank, tmp_path: Path) -> None:
    collective.compose(busy.name, "stop")
    refused = collective.script(busy.name, "backup", str(tmp_path / "set"), check=False)
    collective.compose(busy.name, "up", "-d", "--wait")
    assert (refused.returncode, list((tmp_path / "set").iterdir())) == (1, [])


def test_a_copy_of_the_database_files_is_damaged(collective: Collective, busy: Bank, tmp_path: Path, say: Say) -> None:
    """A check of the test above: the same transfers, saved by copying files, must fail its checks."""
    if busy is not SQLITE:
        return
    wrong = 0
    for number in range(5):
        folder = tmp_path / str(number)
        copy = "tar -C /var/lib/app -cf - . || [ $? = 1 ]"  # 1: a file changed meanwhile, which such a backup ignores
        words = f"docker compose exec -T app sh -euc '{copy}' >{tmp_path}/copy.tar"
        run(["sh", "-c", words], cwd=collective.folder(busy.name), env=collective.environment)
        with tarfile.open(tmp_path / "copy.tar") as archive:
            archive.extractall(folder, filter="data")
        wrong += is_wrong(folder / "app.db")
    say(f"{wrong} of 5 copies of SQLite's files are damaged")
    assert wrong


def is_wrong(path: Path) -> bool:
    """Return whether a database is damaged, or has half a transfer."""
    try:
        with closing(sqlite3.connect(path)) as copy:
            total, _ = copy.execute(LOOK.format(0)).fetchone()
            return bool(total) or copy.execute("PRAGMA integrity_check").fetchall() != [("ok",)]
    except sqlite3.DatabaseError:
        return True
