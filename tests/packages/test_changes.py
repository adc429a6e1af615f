"""Changelogs: their entries between two versions, whatever stands in them."""

import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkpeak.actions.changes import Change, merge
from darkpeak.packages.changelogs import LONGEST, read_one, unpack
from darkpeak.packages.changes import (
    MOST_ENTRIES,
    Changelog,
    Entry,
    Offered,
    read_changelog,
    read_offered,
    version_in_changelog,
)
from darkpeak.packages.container import CannotTell
from darkpeak.packages.installed import Package

TEXT = """\
peak (2.0-1+deb13u1) trixie-security; urgency=high

  * Fix CVE-2026-10002 and
    CVE-2026-0001, and CVE-2026-10002 again (closes: #1).

 -- A maintainer <a@example.org>  Mon, 02 Nov 2026 10:00:00 +0000

peak (2.0-1) unstable; urgency=medium, binary-only=yes

  [ Another ]
  * New release.

 -- A maintainer <a@example.org>  Sun, 01 Nov 2026 10:00:00 +0000

peak (1:0.9-1) experimental unstable; urgency=low

  * An epoch.

 -- A maintainer <a@example.org>  Sun, 01 Feb 2026 10:00:00 +0000

# Older entries have been removed from this changelog.
"""
SECURITY = Entry("2.0-1+deb13u1", ("trixie-security",), "high", ("CVE-2026-0001", "CVE-2026-10002"), security=True)
RELEASE = Entry("2.0-1", ("unstable",), "medium", (), security=False)
DIGEST = "0a" * 32


@pytest.mark.parametrize(
    ("old", "found"),
    [
        ("1.9-1", (SECURITY, RELEASE)),
        ("2.0-1~rc1", (SECURITY, RELEASE)),
        ("2.0-1", (SECURITY,)),
        ("2.0-1+deb13u1", ()),
        ("not a version", ()),
    ],
)
def test_only_entries_newer_than_the_installed_version_are_named(old: str, found: tuple[Entry, ...]) -> None:
    read = read_changelog(TEXT.replace("1:0.9-1", "0.9-1"), cut=False)
    assert [entry for entry in read.after(old) if entry.version != "0.9-1"] == list(found)
    assert not read.cut


def test_an_entry_is_shown_as_in_its_changelog_with_its_cves() -> None:
    assert SECURITY.line("peak") == (
        "peak (2.0-1+deb13u1) trixie-security; urgency=high: CVE-2026-0001, CVE-2026-10002"
    )
    assert RELEASE.line("peak") == "peak (2.0-1) unstable; urgency=medium"
    both = Change("peak", "1", "2", ("peak",), (SECURITY, RELEASE))
    assert next(both.lines()) == "changes of peak 1 to 2 security:"


def test_a_text_that_was_cut_lacks_its_last_entry_and_says_so() -> None:
    assert read_changelog(TEXT[: TEXT.index("closes")], cut=True) == Changelog((), cut=True)
    assert read_changelog(TEXT[: TEXT.index("New release")], cut=True) == Changelog((SECURITY,), cut=True)
    many = read_changelog(TEXT[: TEXT.index("peak (2.0-1)")] * (MOST_ENTRIES + 1), cut=False)
    assert (len(many.entries), many.cut) == (MOST_ENTRIES, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Release notes\n=============\n\n* all is new\n",
        "peak (2.0 beta) trixie; urgency=low\n\n  * x\n\n -- a <a@b>  Sun, 01 Nov 2026 10:00:00 +0000\n",
        "peak (_) trixie; urgency=low\n\n  * x\n\n -- a <a@b>  Sun, 01 Nov 2026 10:00:00 +0000\n",
        "\0" * 1000,
        "a" * LONGEST,
        f"a ({'1' * LONGEST}",
        f"peak (1) {'a ' * (LONGEST // 2)};",
        "Local variables:\n" * 1000,
        " -- " * (LONGEST // 4),
    ],
    ids=["empty", "prose", "no version", "odd", "zeros", "long line", "long version", "suites", "vim", "end"],
)
def test_a_hostile_changelog_is_none_and_takes_no_time(text: str, caplog: pytest.LogCaptureFixture) -> None:
    started = time.monotonic()
    with caplog.at_level(logging.WARNING):
        answer = read_one({"1.text": text.encode()}, 1)
    assert isinstance(answer, CannotTell)
    assert time.monotonic() - started < 2
    assert not caplog.records  # the parser's own warnings are for who writes changelogs


@given(st.text(alphabet=st.sampled_from("peak(1.0-) ;=urgencylow\n*<@>: CVE-20261234#"), max_size=400))
def test_no_text_is_an_error(text: str) -> None:
    read_changelog(TEXT.replace("[ Another ]", text), cut=False).after("1")
    read_changelog(text, cut=True)


def test_control_characters_of_a_changelog_do_not_reach_the_terminal() -> None:
    hostile = Entry("1", ("\x1b[2J",), "low", (), security=False)
    lines = list(Change("peak", "0", "1", ("peak",), (hostile,)).lines())
    assert all(line.isprintable() for line in lines)


def test_what_the_archive_offers_is_read_with_its_source_and_hash() -> None:
    text = (
        f"Package: libpeak\nVersion: 2+b1\nArchitecture: i386\nSource: peak (2)\nSize: 10\nSHA256: {DIGEST}\n\n"
        f"Package: peak-data\nVersion: 2\nArchitecture: all\nSource: peak\nSize: 5\nSHA256: {DIGEST}\n"
        "Description: a\n Package: not-one\n\n"
        "Package: no-hash\nVersion: 2\nArchitecture: all\nSize: 5\nSHA256: ../../x\n\n"
    )
    assert list(read_offered(text, "amd64")) == [
        Offered("libpeak:i386", "2+b1", "peak", "2", 10, DIGEST),
        Offered("peak-data", "2", "peak", "2", 5, DIGEST),
    ]


@pytest.mark.parametrize(
    ("version", "source", "known"), [("1-1", "1-1", "1-1"), ("1-1+b2", "1-1", "1-1+b2"), ("4:14.2-1", "1.220", "1.220")]
)
def test_the_changelog_knows_a_package_by_its_sources_version(version: str, source: str, known: str) -> None:
    assert version_in_changelog(Package("a", version, "amd64", "s", source)) == known


def test_packages_of_one_source_are_one_change() -> None:
    change = Change("peak", "1", "2", ("libpeak",), (RELEASE,))
    other = Change("peak", "1", "2", ("peak",), (RELEASE,))
    older = Change("peak", "0", "2", ("peak",), (RELEASE,))
    both = Change("peak", "1", "2", ("libpeak", "peak"), (RELEASE,))
    assert merge([change, other, older, other]) == (older, both)
    assert next(both.lines()) == "changes of peak 1 to 2 (libpeak):"


def test_what_was_not_read_is_said() -> None:
    assert str(read_one({}, 1)) == "its package was not read"
    assert str(read_one({"1.why": b"apt cannot get \x1b[1mit\n"}, 1)) == r"apt cannot get \x1b[1mit"
    with pytest.raises(CannotTell):
        unpack(b"no archive" * 100)
