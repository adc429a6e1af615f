"""Find the collective's running directory of members; what the other services do about a member."""

from collections.abc import Sequence

from darkpeak import caller
from darkpeak.deploy.member_gone import Ended, run_script
from darkpeak.deploy.target import Target
from darkpeak.engine.inside import Inside
from darkpeak.errors import SystemFailure
from darkpeak.evidence.ownership import require_ours
from darkpeak.members.bulk import Step
from darkpeak.members.directory import Directory
from darkpeak.members.ssh_key import Key, parse_key
from darkpeak.plan.observed import Observed, find_container
from darkpeak.vocabulary import ACCOUNT, DIRECTORY, MEMBER_GONE, MEMBER_KEY, SLAPD


def find_directory(target: Target) -> Directory:
    """Return the running directory.

    Raises:
        UsageError: when the engine belongs to another collective.
        SystemFailure: when it is not running.
    """
    require_ours(target.collective, target.engine)
    directory = running_directory(target, target.engine.observe())
    if directory is None:
        what = f"the directory is not running on the engine at {target.engine.name}"
        raise SystemFailure(what, hint="start it: darkpeak up directory")
    return directory


def running_directory(target: Target, observed: Observed) -> Directory | None:
    """Return the directory that runs on an engine, if there is one; its log names the caller of each change."""
    running = find_container(target.collective, observed, DIRECTORY, SLAPD)
    return Directory(Inside(target.engine, running.id).run, caller.who()) if running else None


def end_sessions(targets: Sequence[Target], uid: str, *, stays: bool) -> list[Ended]:
    """End a member's sessions in all services; with `stays`, the member only has a new password, and keeps ssh keys."""
    return _in_services(targets, MEMBER_GONE, (uid, "passwd") if stays else (uid,))


def add_keys(targets: Sequence[Target], uid: str, keys: Sequence[Key]) -> list[Ended]:
    """Give a member's ssh keys to all services that use them; return what each did."""
    return [done for key in keys for done in _in_services(targets, MEMBER_KEY, ("add", uid), key)]


def import_members(directory: Directory, targets: Sequence[Target], steps: Sequence[Step]) -> list[Ended]:
    """Carry out the steps of an import, and give the new ssh keys to the services; return what each did.

    Raises:
        UsageError: when the directory refuses a step; the steps before it are done.
        SystemFailure: when the directory does not do one.
    """
    directory.take(steps)
    return [done for step in steps if step.key for done in add_keys(targets, step.uid, [parse_key(step.key)])]


def remove_ssh_key(targets: Sequence[Target], uid: str, key: Key) -> list[Ended]:
    """Remove an ssh key from all services that use it; return what each did."""
    return _in_services(targets, MEMBER_KEY, ("remove", uid), key)


def rename_member(directory: Directory, targets: Sequence[Target], uid: str, new: str) -> list[Ended]:
    """Rename a member, end all sessions, and give the ssh keys to the services under the new name.

    Raises:
        UsageError: when there is no such member, or when the new name is not valid or belongs to another member.
        SystemFailure: when the directory does not do it.
    """
    keys = directory.keys(uid)
    directory.rename(uid, new)
    return [*end_sessions(targets, uid, stays=False), *add_keys(targets, new, keys)]


def _in_services(
    targets: Sequence[Target], script: str, arguments: tuple[str, ...], key: Key | None = None
) -> list[Ended]:
    stdin = f"{key.line}\n".encode() if key else b""
    # First where the login page is: it must give no new token to a member whose tokens the routers refuse next.
    ordered = sorted(targets, key=lambda target: all(service.name != ACCOUNT for service in target.running))
    return [done for target in ordered for done in run_script(target.compose, target.running, script, arguments, stdin)]
