"""What a newer package changes: read out of the archive's own packages, whatever is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from darkpeak.engine.engine import Engine
from darkpeak.packages.changelogs import LONGEST, Read, Wanted, find_changelogs
from darkpeak.packages.container import CannotTell
from tests.live.archive import SECURITY, SUITE, Archive, Stanza
from tests.live.debs import deb, entry
from tests.live.old import IMAGE, Old, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.hosts import Host

GZ = "changelog.Debian.gz"
CHANGES = entry("peak", "2", "Fix CVE-2026-12345.", SECURITY) + entry("peak", "1")
BOMB = CHANGES + "  * more\n" * (4 * LONGEST)
OF_PEAK = "Source: peak\n"


@pytest.fixture
def old(seeded: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[Old, Archive]]:
    """Yield a container and its archive; nothing that was read before is remembered."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with Archive(seeded.address) as archive:
        for container in start(seeded, archive, IMAGE):
            yield container, archive


def ask(old: Old, *stanzas: Stanza) -> dict[str, list[str] | str]:
    """Return the lines of each package's changelog after version 1, or why there are none."""
    wanted = [Wanted(item.name, item.version) for item in stanzas]
    found = find_changelogs(Engine(old.host.docker_host), IMAGE, old.files(), wanted)
    return {name.package: lines(answer) for name, answer in found.items()}


def lines(answer: Read | CannotTell) -> list[str] | str:
    """Return an answer as text."""
    if isinstance(answer, CannotTell):
        return str(answer)
    if isinstance(answer.changelog, CannotTell):
        return str(answer.changelog)
    return [item.line(answer.offered.source) for item in answer.changelog.after("1")]


def test_the_changelog_is_found_where_debian_has_it(old: tuple[Old, Archive]) -> None:
    """In the package, in that of its source to which its documents lead, and where it was only built anew."""
    container, archive = old
    made = [
        deb("plain", "2", {f"plain/{GZ}": entry("plain", "2") + entry("plain", "1")}),
        deb("native", "2", {"native/changelog.gz": entry("native", "2")}),
        deb("folder", "2", {"folder": b"peak"}, OF_PEAK),
        deb("file", "2", {f"file/{GZ}": f"../peak/{GZ}".encode()}, "Source: file-and-peak\n"),
        deb("rebuilt", "1+b2", {f"rebuilt/{GZ}": entry("rebuilt", "1")[:-1], "rebuilt/changelog.Debian.amd64.gz":
            entry("rebuilt", "1+b2")}, "Source: rebuilt (1)\n"),
    ]  # fmt: skip
    peak = deb("peak", "2", {f"peak/{GZ}": CHANGES, "peak/changelog.gz": "that of the authors"})
    archive.publish(SECURITY, [])
    archive.publish(SUITE, [*made, peak])
    for stanza in (*made, peak):
        archive.store(stanza)
    of_peak = "peak (2) peak-security; urgency=high: CVE-2026-12345"
    expected = {
        "plain": ["plain (2) peak; urgency=high"],
        "native": ["native (2) peak; urgency=high"],
        "folder": [of_peak],
        "file": [of_peak.replace("peak (", "file-and-peak (")],
        "rebuilt": ["rebuilt (1+b2) peak; urgency=high"],
    }
    assert ask(container, *made) == expected
    for stanza in made:
        archive.store(stanza, b"no longer a package")
    assert ask(container, *made) == expected  # a package that was read is not fetched again


def test_what_cannot_be_read_is_said_and_does_not_silence_others(old: tuple[Old, Archive]) -> None:
    container, archive = old
    good = deb("good", "2", {f"good/{GZ}": entry("good", "2")})
    bomb = deb("bomb", "2", {f"bomb/{GZ}": BOMB})
    changed = deb("changed", "2", {f"changed/{GZ}": entry("changed", "2")})
    other = {
        "bare": deb("bare", "2", {}),
        "loop": deb("loop", "2", {"loop": b"loop"}),
        "outside": deb("outside", "2", {"outside": b"../../../etc/$(reboot)"}),
        "lost": deb("lost", "2", {"lost": b"elsewhere"}),
        "prose": deb("prose", "2", {f"prose/{GZ}": "all is new\n"}),
        "damaged": Stanza("damaged", "2", content=b"!<arch>\nnothing"),
    }
    gone, withdrawn = Stanza("gone", "2", content=b"gone"), Stanza("withdrawn", "2")
    everything = [good, bomb, changed, *other.values(), gone]
    archive.publish(SECURITY, [])
    archive.publish(SUITE, everything)
    for stanza in everything[:-1]:
        archive.store(stanza)
    archive.store(changed, good.content)
    found = ask(container, *everything, withdrawn)
    assert found.pop("good") == ["good (2) peak; urgency=high"]
    assert found.pop("bomb") == ["bomb (2) peak-security; urgency=high: CVE-2026-12345"]
    why = {name: words for name, words in found.items() if isinstance(words, str)}
    assert {*why} == {*other, "changed", "gone", "withdrawn"}
    assert "size" in why["changed"].lower() or "hash" in why["changed"].lower()
    assert "404" in why["gone"]
    assert why["withdrawn"] == "the archive no longer has this version"
    assert why["lost"].startswith("apt cannot get elsewhere")
    assert why["prose"] == "its changelog has no entry in Debian's form"
    for name in ("bare", "loop", "outside", "damaged"):
        assert why[name] == f"{name} has no changelog"
