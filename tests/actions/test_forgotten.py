"""The report about a forgotten member."""

from datetime import date
from pathlib import Path

import pytest

from darkpeak.actions.forget_member import is_of, require_whole, texts_about
from darkpeak.actions.forgotten import Backups, Forgotten, kept_until
from darkpeak.collective import read
from darkpeak.collective.settings import Keep
from darkpeak.deploy.member_gone import Ended
from darkpeak.errors import UsageError
from darkpeak.helper.search import Found, make_search, parse_found
from tests.making import write_collective

NONE = Backups((), (), "")


def lines(backups: Backups = NONE, found: tuple[Found, ...] = ()) -> list[str]:
    done = (Ended("wiki", "versions changed: 3"), Ended("git", "it is stopped", failed=True))
    return list(Forgotten("ada", done, ("pad has no script",), backups, ("ada", "Ada L"), 7, found).lines())


def test_the_report_says_what_was_done_and_what_was_searched() -> None:
    assert lines() == [
        "wiki: versions changed: 3",
        "pad has no script",
        "backups: none that are known here",
        "searched 7 volumes and all logs for: ada, Ada L",
        "  nothing was found",
    ]


def test_the_report_says_what_backups_have_and_until_when() -> None:
    has = Backups(("chat-2", "wiki-17"), ("sftp:nas", "volume:here"), "2027-12-04")
    assert lines(has)[2:4] == [
        "backups still have it: chat-2, wiki-17, and older ones, in sftp:nas, volume:here",
        "  until about 2027-12-04, if backups go on; after a restore of one of them: darkpeak member forget ada",
    ]
    assert "until three newer ones exist" in lines(Backups(("chat-2",), ("sftp:nas",), ""))[3]


def test_the_report_names_each_place_but_not_too_many() -> None:
    files = tuple(Found("w", f"page{number}", ("ada",)) for number in range(10))
    assert lines(found=(*files, Found("the log of w-1", "", ("Ada L", "ada"))))[4:] == [
        "  still found in w:",
        *(f"    page{number} (ada)" for number in range(8)),
        "    and 2 more; for all: --json",
        "  still found in the log of w-1 (Ada L, ada)",
    ]


def test_names_that_members_made_do_nothing_to_a_terminal() -> None:
    shown = lines(found=(Found("w", "a\x1b]0;b\x07\r\n\x9bc", ("ada", "L\x1b[2J")),))
    assert shown[5:] == ["    a\\x1b]0;b\\x07\\r\\n\\x9bc (ada, L\\x1b[2J)"]


def test_what_could_not_be_read_is_in_the_report() -> None:
    shown = lines(found=(Found("w", "attic: Permission denied", ()),))
    assert shown[4:] == ["  nothing was found", "  could not be read in w:", "    attic: Permission denied"]


@pytest.mark.parametrize("also", ["Ada \udcff", "\ud800"])
def test_a_text_that_is_not_utf_8_is_refused(also: str) -> None:
    with pytest.raises(UsageError, match=r"--also .*\\ud.* is not valid UTF-8"):
        texts_about("ada", None, (also,))


def test_volumes_of_projects_with_similar_names_are_not_searched(tmp_path: Path) -> None:
    collective, _ = read(write_collective(tmp_path))
    projects = ["wiki", "wiki-old", "wiki_x", "directory-drill", "wiki2", "wikis-old", "wik", "other"]
    assert [name for name in projects if is_of(collective, f"darkpeak-{name}")] == projects[:4]


def test_one_of_several_hosts_is_refused(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    require_whole(read(root)[0], "here")
    with (root / "collective.toml").open("a") as file:
        file.write('[hosts.shed]\ndocker = "ssh://shed.example.org"\nservices = ["wiki"]\n')
    with pytest.raises(UsageError, match="not all services are on here"):
        require_whole(read(root)[0], "here")


@pytest.mark.parametrize(
    ("keep", "until"),
    [
        (Keep(7, 4, 12), "2027-12-04"),
        (Keep(7, 0, 0), "2026-12-04"),
        (Keep(1, 4, 0), "2026-12-25"),
        (Keep(0, 0, 0), ""),
    ],
)
def test_a_snapshot_is_kept_as_long_as_its_longest_period(keep: Keep, until: str) -> None:
    assert kept_until(keep, date(2026, 11, 27)) == until


def test_volumes_are_only_read_and_without_a_network() -> None:
    arguments = make_search(["w", "d"])
    assert {"--volume=w:/volumes/w:ro", "--volume=d:/volumes/d:ro", "--network=none", "--read-only"} <= {*arguments}
    assert "--memory=512m" in arguments
    assert arguments[-2:] == ("/volumes/w", "/volumes/d")


def test_what_the_search_printed_is_parsed() -> None:
    printed = '["/volumes/w", "a/b.txt", ["ada"]]\n["/volumes/w", "c", ["Ada L", "ada"]]\n'
    assert list(parse_found(printed)) == [Found("w", "a/b.txt", ("ada",)), Found("w", "c", ("Ada L", "ada"))]
