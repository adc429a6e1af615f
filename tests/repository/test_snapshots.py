"""Snapshots as values: which are damaged or suspicious, and which is the newest."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from darkpeak.errors import CheckFailed
from darkpeak.repository.snapshots import (
    BACKUP,
    BEFORE,
    TAG,
    Manifest,
    Part,
    Snapshot,
    choose,
    compare_content,
    empty_folders,
    find_damage,
    make_inventory,
    make_tags,
    not_saved,
    parse_listed,
    parse_manifest,
    stale,
    suspicious,
    unchanged,
)

PARTS = {"database.sql": Part(900, "aa"), "keys.tar": Part(50, "bb")}
MANIFEST = Manifest("chat", "", 7, BACKUP, "2026-01-02T03:04:05+00:00", "ada@peak", "abc1234", {"database": "x"}, PARTS)
SAYING = replace(MANIFEST, says=("4 lines", "5 lines"))


def test_a_manifest_is_read_back_unchanged() -> None:
    assert parse_manifest(MANIFEST.text().encode(), "chat-7") == MANIFEST
    assert parse_manifest(SAYING.text().encode(), "chat-7") == SAYING
    assert (MANIFEST.name, MANIFEST.size) == ("chat-7", 950)


def test_a_manifest_from_before_there_were_inventories_is_read() -> None:
    fields = json.loads(MANIFEST.text())
    del fields["inventory"]
    assert parse_manifest(json.dumps(fields).encode(), "chat-7") == MANIFEST


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", "{}", '{"set": "chat-7"}', MANIFEST.text().replace('"set": "chat-7"', '"set": "chat-8"')],
)
def test_a_wrong_manifest_is_refused(text: str) -> None:
    with pytest.raises(CheckFailed):
        parse_manifest(text.encode(), "chat-7")


# what the repository returned, the damage in words
SPOILT = {
    "nothing wrong": (PARTS, []),
    "a part is missing": ({"keys.tar": Part(50, "bb")}, ["database.sql is missing"]),
    "a part too many": ({**PARTS, "x": Part(1, "c")}, ["x is not in its manifest"]),
    "cut short": ({**PARTS, "keys.tar": Part(20, "bb")}, ["keys.tar has 20 bytes instead of 50"]),
    "other content": ({**PARTS, "keys.tar": Part(50, "cc")}, ["keys.tar has different content"]),
    "swapped": (
        {"database.sql": Part(50, "bb"), "keys.tar": Part(900, "aa")},
        ["database.sql has 50 bytes instead of 900", "keys.tar has 900 bytes instead of 50"],
    ),
    "empty": ({}, ["database.sql is missing", "keys.tar is missing"]),
}


@pytest.mark.parametrize(("found", "said"), SPOILT.values(), ids=SPOILT.keys())
def test_each_damage_of_a_snapshot_is_found(found: dict[str, Part], said: list[str]) -> None:
    assert find_damage(MANIFEST, found) == said


def test_a_snapshot_without_parts_is_damaged() -> None:
    assert find_damage(replace(MANIFEST, parts={}), {}) == ["it has no parts"]


# the parts now, the parts before, what is suspicious
ODD = {
    "the same": (PARTS, PARTS, []),
    "the first": (PARTS, {}, []),
    "shrank by more than half": (
        {"database.sql": Part(449, "x"), "keys.tar": Part(25, "y")},
        PARTS,
        ["database.sql shrank from 900 to 449 bytes"],
    ),
    "empty": ({**PARTS, "keys.tar": Part(0, "")}, PARTS, ["keys.tar is empty"]),
    "no rows": ({**PARTS, "keys.tar": Part(50, "x", 0)}, PARTS, ["keys.tar has no rows"]),
    "gone": ({"keys.tar": Part(50, "bb")}, PARTS, ["database.sql was in the last snapshot, but is not in this one"]),
}


@pytest.mark.parametrize(("now", "before", "said"), ODD.values(), ids=ODD.keys())
def test_suspicious_parts_are_found(now: dict[str, Part], before: dict[str, Part], said: list[str]) -> None:
    assert suspicious(now, before) == said


# the live service's lines before and after, the restored copy's line, whether it passes
SAID = {
    "nobody was asked": ([], "0 lines", True),
    "the same": (["4 lines of 2026-06-01"] * 2, "4 lines of 2026-06-01", True),
    "another number": (["4 lines"] * 2, "3 lines", False),
    "more": (["4 lines"] * 2, "5 lines", False),
    "an older date": (["4 lines, the newest of 2026-06-09"] * 2, "4 lines, the newest of 2026-06-08", False),
    "other words": (["4 lines"] * 2, "4 rows", False),
    "fewer words": (["4 lines"] * 2, "lines", False),
    "nothing": (["4 lines"] * 2, "", False),
    "between": (
        ["4 lines, the newest of 12:01", "14 lines, the newest of 12:02"],
        "9 lines, the newest of 12:01",
        True,
    ),
    "before": (["4 lines", "14 lines"], "3 lines", False),
    "after": (["4 lines", "14 lines"], "15 lines", False),
    "between, of those that went": (["14 lines", "4 lines"], "9 lines", True),
    "another sentence meanwhile": (["no lines", "1 line, of 12:01"], "1 line, of 12:01", True),
}


@pytest.mark.parametrize(("says", "restored", "right"), SAID.values(), ids=SAID.keys())
def test_the_output_of_verify_is_compared_with_the_live_one(says: list[str], restored: str, *, right: bool) -> None:
    assert (compare_content(says, restored) == "") is right


def test_unchanged_parts_keep_their_date() -> None:
    seen = unchanged(PARTS, [], "monday")
    assert seen == (("database.sql", "aa", "monday"), ("keys.tar", "bb", "monday"))
    later = unchanged({**PARTS, "keys.tar": Part(50, "cc")}, seen, "sunday")
    assert later == (("database.sql", "aa", "monday"), ("keys.tar", "cc", "sunday"))


def test_parts_unchanged_for_a_week_are_stale() -> None:
    seen = [("old", "a", "2026-06-01T03:00:00+00:00"), ("new", "b", "2026-06-05T03:00:00+00:00")]
    assert stale(seen, datetime(2026, 6, 8, 3, tzinfo=UTC)) == [("old", "2026-06-01T03:00:00+00:00")]
    assert stale(seen, datetime(2025, 6, 8, 3, tzinfo=UTC)) == []


def known(number: int, kind: str = BACKUP, *, host: str = "", repository: str = "r") -> Snapshot:
    return Snapshot("chat", host, number, kind, "2026", f"id{number}", repository)


@pytest.mark.parametrize(
    ("snapshots", "name", "host", "chosen"),
    [
        ([known(9), known(10), known(2)], None, "", [10]),
        ([known(1), known(2, BEFORE)], None, "", [1]),
        ([known(1), known(2, BEFORE)], "chat-2", "", [2]),
        ([known(3), known(3, repository="other")], None, "", [3, 3]),
        ([known(3, host="north"), known(9, host="south")], None, "north", [3]),
        ([known(3, host="north"), known(9, host="south")], None, "new", [9]),
        ([known(3, host="north")], "chat-3@north", "", [3]),
    ],
    ids=["by number", "no kept state", "kept state by name", "in both", "own host", "another host", "by name"],
)
def test_the_newest_is_chosen(snapshots: list[Snapshot], name: str | None, host: str, chosen: list[int]) -> None:
    assert [item.number for item in choose(snapshots, "chat", host, name)] == chosen


@pytest.mark.parametrize("name", [None, "chat-4"])
def test_a_missing_snapshot_is_an_error(name: str | None) -> None:
    with pytest.raises(CheckFailed):
        choose([Snapshot("wiki", "", 4, BACKUP, "", "", "")], "chat", "", name)


def test_snapshots_are_sorted_by_number_and_not_by_date() -> None:
    listed: list[dict[str, Any]] = [
        {"id": "b", "time": "2026-01-02", "tags": [TAG, "service=chat", "number=10", "kind=backup"]},
        {"id": "a", "time": "2027-01-01", "tags": [TAG, "service=chat", "number=9", "kind=backup"]},
        {"id": "c", "time": "2026-01-03", "tags": None},
        {"id": "d", "time": "2026-01-03", "tags": [TAG, "number=x"]},
    ]
    assert [item.name for item in parse_listed(listed, "r")] == ["chat-9", "chat-10"]


def test_tags_name_service_host_and_number() -> None:
    assert make_tags(replace(MANIFEST, host="north")) == (
        *(TAG, "service=chat", "number=7", "kind=backup"),
        "host=north",
    )


def made(service: str, number: int, host: str = "") -> Snapshot:
    return Snapshot(service, host, number, BACKUP, "2026-01-01", f"{service}{number}", "nas")


SERVICES = {"dates", "wiki"}
RENAMED = [made("calendar", 1), made("calendar", 2), made("wiki", 1)]


def test_a_snapshot_of_a_service_that_is_gone_can_be_named_for_its_new_name() -> None:
    assert choose(RENAMED, "dates", "", "calendar-1", SERVICES) == [RENAMED[0]]


def test_a_snapshot_of_another_service_is_refused_with_what_to_do() -> None:
    with pytest.raises(CheckFailed, match="wiki-1 is a snapshot of wiki, not of dates") as refused:
        choose(RENAMED, "dates", "", "wiki-1", SERVICES)
    assert refused.value.hint == "write it into a folder: darkpeak restore wiki --snapshot wiki-1 --to DIR"


def test_a_service_without_a_snapshot_names_those_of_services_that_are_gone() -> None:
    with pytest.raises(CheckFailed, match="there is no snapshot of dates") as refused:
        choose(RENAMED, "dates", "", None, SERVICES)
    assert refused.value.hint == (
        "if it was renamed, name one of: calendar-2; for instance: darkpeak restore dates --snapshot calendar-2"
    )


def test_the_newest_is_never_that_of_another_service() -> None:
    assert choose(RENAMED, "calendar", "", None, SERVICES) == [RENAMED[1]]
    with pytest.raises(CheckFailed):
        choose(RENAMED, "dates", "", "calendar-9", SERVICES)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ({}, []),
        ({"files": Part(0, "aa", 0)}, []),
        ({"files": Part(9, "aa", 1)}, ["files is empty"]),
    ],
    ids=["a new service", "still empty", "it had files"],
)
def test_an_empty_folder_is_suspicious_only_if_it_had_content(before: dict[str, Part], said: list[str]) -> None:
    found = {"files": {"size": 0, "sha256": "aa", "rows": 0, "folder": True, "sockets": []}}
    assert suspicious(make_inventory(found), before, empty_folders(found)) == said


def test_an_empty_file_is_always_suspicious() -> None:
    found = {"dump.sql": {"size": 0, "sha256": "aa", "rows": 0}}
    assert empty_folders(found) == frozenset()
    assert suspicious(make_inventory(found), {}, empty_folders(found)) == ["dump.sql is empty"]


def test_what_is_not_saved_is_listed_and_is_no_part() -> None:
    folder = {"size": 1, "sha256": "aa", "rows": 1, "folder": True}
    found = {
        "files": {**folder, "sockets": ["a/s", "b\n"]},
        "more": {**folder, "sockets": [str(number) for number in range(7)]},
        "pi\x1bpe": {"left_out": "it is neither a file nor a folder"},
    }
    assert not_saved(found) == [
        "pi\\x1bpe is not saved: it is neither a file nor a folder",
        "files has sockets, which are not saved: a/s, b\\n",
        "more has sockets, which are not saved: 0, 1, 2, 3, 4, and 2 more",
    ]
    assert set(make_inventory(found)) == {"files", "more"}
