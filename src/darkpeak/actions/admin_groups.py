"""The groups of the services' admins in the directory follow the compose files, on `up`."""

from darkpeak.actions.directory import running_directory
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure
from darkpeak.members.admin_groups import GroupChange
from darkpeak.members.directory import Directory
from darkpeak.plan.observed import Observed


def find_changes(target: Target, observed: Observed) -> tuple[GroupChange, ...]:
    """Return what `follow` would change; nothing if the directory does not run on this engine, or does not answer."""
    directory = running_directory(target, observed)
    try:
        return _find(target, directory) if directory else ()
    except SystemFailure:
        return ()


def follow(target: Target) -> list[str]:
    """Make the groups match the compose files; return each change in words, or why there is none."""
    directory = running_directory(target, target.engine.observe())
    if directory is None:
        return []
    try:
        changes = _find(target, directory)
        for change in changes:
            directory.change_group(change)
    except SystemFailure as error:
        return [f"the groups of admins do not follow the files: {error.message}"]
    return list(map(str, changes))


def _find(target: Target, directory: Directory) -> tuple[GroupChange, ...]:
    return directory.find_admin_changes({service.name: service.admins for service in target.collective.services})
