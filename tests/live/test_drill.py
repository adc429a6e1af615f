"""Drills: twenty ways to damage a snapshot, each of which is found; drills of good snapshots pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from darkpeak.actions.backup import back_up, folder_of
from darkpeak.actions.drill import try_out
from darkpeak.errors import CheckFailed
from darkpeak.helper.container import WORK
from darkpeak.repository.restic import examine
from darkpeak.repository.snapshots import Manifest, Snapshot, make_inventory
from lab import ledger
from lab.kept import SMALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from darkpeak.actions.session import Session
    from lab.kept import Kept

    Campaign = Callable[..., int]
    Say = Callable[[str], None]

OLD, GOOD, SPOILT = (f"{WORK}/test/{name}" for name in ("old", "good", "spoilt"))
AGAIN = 'echo "# $(grep -cv "^#" ledger.txt) lines" >>ledger.txt'  # the end of a complete dump


@dataclass(frozen=True)
class Fetched:
    """A snapshot that was fetched from the repository, and an older one of the same service."""

    session: Session
    kept: Kept
    known: Snapshot

    def spoil(self, words: str) -> None:
        """Damage a copy of the snapshot, in the folder of its parts."""
        copy = f"rm -rf {SPOILT} && cp -a {GOOD} {SPOILT} && cd {SPOILT}/parts"
        self.session.helper.must("bash", "-c", f"set -eu; {copy}; {words}")

    def drill(self, manifest: Manifest, folder: str = SPOILT) -> str:
        """Drill the parts in a folder; return what scripts/verify printed."""
        return try_out(self.session, self.kept.ledger, manifest, f"{folder}/parts")[0]

    @property
    def manifest(self) -> Manifest:
        """The manifest of the good snapshot."""
        return examine(self.session.helper, self.known, GOOD)

    def manifest_that_agrees(self) -> Manifest:
        """Return a manifest of the damaged copy, as if it had been damaged before it was saved."""
        return replace(self.manifest, parts=make_inventory(self.session.helper.inventory(f"{SPOILT}/parts")))


@pytest.fixture(scope="module")
def fetched(kept: Kept) -> Iterator[Fetched]:
    """Yield a fetched snapshot, and an older one beside it."""
    with kept.session() as work:
        for seed, folder in ((1, OLD), (2, GOOD)):
            ledger.book(kept.collective, SMALL, seed)
            made = back_up(work, kept.ledger)
            known = next(item for item in work.snapshots(ledger.NAME) if item.name == made.snapshot)
            work.repository_of(known).fetch(known, folder_of(kept.ledger), folder, lambda _: None)
        yield Fetched(work, kept, known)


# damage after the manifest was written
AFTERWARDS = {
    "a dump cut short": "truncate --size=-1000 ledger.txt",
    "a byte that rotted": "printf X | dd of=ledger.txt bs=1 seek=999 conv=notrunc status=none",
    "a part missing": "rm journal.txt",
    "a part empty": ": >journal.txt",
    "two parts swapped": "mv ledger.txt x; mv journal.txt ledger.txt; mv x journal.txt",
    "a part too many": "cp ledger.txt another.txt",
    "no parts": "rm *",
    "no manifest": "rm ../manifest.json",
    "half a manifest": "truncate --size=200 ../manifest.json",
    "another set's manifest": f"cp {OLD}/manifest.json ..",
    "another set's parts": f"cp {OLD}/parts/* .",
}

# damage before the manifest was written, so that the manifest matches the parts
BEFOREHAND = {
    "a dump cut short": "truncate --size=-1000 ledger.txt",
    "a dump cut short, with an end": f"head -n 1000 ledger.txt >x; mv x ledger.txt; {AGAIN}",
    "an empty database that starts healthy": "echo '# 0 lines' >ledger.txt",
    "nothing at all": ": >ledger.txt; : >journal.txt",
    "a row lost": f"sed -i -e 7d -e '$d' ledger.txt; {AGAIN}",
    "a transfer lost": f"sed -i -e 7,8d -e '$d' ledger.txt; {AGAIN}",
    "another amount": "sed -i '7s/$/7/' ledger.txt",
    "everything twice": f"sed -i '$d' ledger.txt; cp ledger.txt x; cat x >>ledger.txt; rm x; {AGAIN}",
    "a part that was never saved": "rm journal.txt",
    "two parts swapped": "mv ledger.txt x; mv journal.txt ledger.txt; mv x journal.txt",
    "old data under a new date": f"cp {OLD}/parts/* .",
    "zeros": "truncate --size=0 ledger.txt; truncate --size=50000 ledger.txt",
    "another service's": "tar -cf x journal.txt; mv x ledger.txt",
    "lines of another system": "sed -i 's/$/\\r/' ledger.txt",
    "no newest entry": ": >journal.txt",
}


@pytest.mark.parametrize("words", AFTERWARDS.values(), ids=AFTERWARDS.keys())
def test_damage_after_the_manifest_is_found_before_anything_starts(fetched: Fetched, words: str) -> None:
    fetched.spoil(words)
    with pytest.raises(CheckFailed):
        examine(fetched.session.helper, fetched.known, SPOILT)


@pytest.mark.parametrize("words", BEFOREHAND.values(), ids=BEFOREHAND.keys())
def test_damage_before_the_manifest_is_found_by_the_drill(fetched: Fetched, words: str, say: Say) -> None:
    fetched.spoil(words)
    with pytest.raises(CheckFailed) as found:
        fetched.drill(fetched.manifest_that_agrees())
    say(f"found: {found.value}")


def test_drills_of_good_snapshots_pass(fetched: Fetched, campaign: Campaign) -> None:
    assert fetched.manifest.says == (fetched.drill(fetched.manifest, GOOD),) * 2
    for _ in range(campaign(200, short=4) - 1):
        assert fetched.drill(fetched.manifest, GOOD)
