"""Commands about groups of members: group add, remove, list, join, leave."""

from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.cli.member import directory_of, show_done
from darkpeak.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


@click.group("group")
def group() -> None:
    """Manage groups of members.

    Members of the group `admins` may manage the directory. The group `admins-wiki` has those admins of the service wiki
    who are members: it follows the compose file at each `darkpeak up`.

    \b
    Example: darkpeak group join admins ada
    """


GROUP = click.argument("name", metavar="GROUP")
UID = click.argument("uid")


@command("add")
@GROUP
def add(settings: Settings, name: str) -> None:
    """Add a group without members.

    \b
    Example: darkpeak group add cooks
    """
    _change(settings, name, lambda: directory_of(settings).add_group(name), "added")


@command("remove")
@GROUP
def remove(settings: Settings, name: str) -> None:
    """Remove a group; its members stay members.

    \b
    Example: darkpeak group remove cooks
    """
    _change(settings, name, lambda: directory_of(settings).remove_group(name), "removed")


@command("list")
def list_groups(settings: Settings) -> None:
    """List the groups and their members.

    \b
    Example: darkpeak group list
    """
    from darkpeak import output

    output.show_rows(directory_of(settings).groups(), ("name", "members"), {}, as_json=settings.as_json)


@command("join")
@GROUP
@UID
def join(settings: Settings, name: str, uid: str) -> None:
    """Add a member to a group; a new group is made first.

    \b
    Example: darkpeak group join admins ada
    """
    _change(settings, name, lambda: directory_of(settings).join(uid, name), f"is in {name}", uid)


@command("leave")
@GROUP
@UID
def leave(settings: Settings, name: str, uid: str) -> None:
    """Remove a member from a group.

    \b
    Example: darkpeak group leave admins ada
    """
    _change(settings, name, lambda: directory_of(settings).leave(uid, name), f"is no longer in {name}", uid)


def _change(settings: Settings, name: str, change: "Callable[[], None]", done: str, uid: str = "") -> None:
    """Change a group, unless it follows a compose file; show what was done."""
    from darkpeak.members.admin_groups import service_of

    service = service_of(name, (item.name for item in settings.collective().services))
    if service:
        hint = f"change the admins in services/{service}/docker-compose.yml, then: darkpeak up directory"
        raise UsageError(f"the group {name} follows the compose file of {service}", hint=hint)
    change()
    show_done(settings, uid or name, done)


for each in (add, remove, list_groups, join, leave):
    group.add_command(each)

COMMANDS = (group,)
