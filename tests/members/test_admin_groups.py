"""The groups of the services' admins, which follow the compose files."""

import pytest

from darkpeak.members.admin_groups import GroupChange, find_changes, service_of
from darkpeak.members.member import Group

ADMINS = {"wiki": ("ada", "grace")}


@pytest.mark.parametrize(
    ("groups", "members", "changes"),
    [
        ([], [], []),
        ([], ["bob"], []),
        ([], ["ada", "bob"], ["group admins-wiki (new): add ada"]),
        ([Group("admins-wiki", ())], ["ada", "grace"], ["group admins-wiki: add ada, grace"]),
        ([Group("admins-wiki", ("ada", "bob"))], ["ada", "bob", "grace"], ["group admins-wiki: add grace; remove bob"]),
        ([Group("admins-wiki", ("ada", "grace"))], ["ada", "grace"], []),
        ([Group("admins-wiki", ("ada",)), Group("admins-gone", ("bob",)), Group("admins", ("eve",))], ["ada"], []),
    ],
)
def test_a_group_follows_the_admins_who_are_members(
    groups: list[Group], members: list[str], changes: list[str]
) -> None:
    assert list(map(str, find_changes(ADMINS, groups, members))) == changes


def test_a_change_is_a_value() -> None:
    [change] = find_changes(ADMINS, [Group("admins-wiki", ("bob",))], ["ada"])
    assert change == GroupChange("admins-wiki", ("ada",), ("bob",))


@pytest.mark.parametrize(
    ("group", "service"), [("admins-wiki", "wiki"), ("admins-chat", ""), ("admins", ""), ("wiki", "")]
)
def test_only_the_group_of_a_service_follows_it(group: str, service: str) -> None:
    assert service_of(group, ADMINS) == service
