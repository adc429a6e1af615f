"""The groups of the services' admins, which follow the compose files: what is to be changed. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from darkpeak.members.member import Group

PREFIX = "admins-"


@dataclass(frozen=True)
class GroupChange:
    """A change of one group; `new` means that it is made."""

    name: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    new: bool = False

    def __str__(self) -> str:
        """Return it in words."""
        parts = [f"{done} {', '.join(uids)}" for done, uids in (("add", self.add), ("remove", self.remove)) if uids]
        return f"group {self.name}{' (new)' * self.new}: {'; '.join(parts)}"


def group_of(service: str) -> str:
    """Return the name of the group of a service's admins."""
    return PREFIX + service


def service_of(group: str, services: Iterable[str]) -> str:
    """Return the service whose admins a group has; empty for any other group."""
    return next((name for name in services if group_of(name) == group), "")


def find_changes(
    admins: Mapping[str, Iterable[str]], groups: Iterable[Group], members: Iterable[str]
) -> tuple[GroupChange, ...]:
    """Return what makes each service's group match its admins in the compose file; only members can be in a group.

    A group is made when it gets its first member.
    """
    there = {group.name: frozenset(group.members) for group in groups}
    known = frozenset(members)
    changes = []
    for service, names in sorted(admins.items()):
        name, wanted = group_of(service), known & frozenset(names)
        now = there.get(name, frozenset())
        if wanted != now:
            changes.append(
                GroupChange(name, tuple(sorted(wanted - now)), tuple(sorted(now - wanted)), name not in there)
            )
    return tuple(changes)
