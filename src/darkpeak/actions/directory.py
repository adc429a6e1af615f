"""Find the collective's running directory of members; end a member's sessions in the other services."""

from collections.abc import Sequence

from darkpeak.deploy.member_gone import Ended
from darkpeak.deploy.member_gone import end_sessions as end_on
from darkpeak.deploy.target import Target
from darkpeak.engine.inside import Inside
from darkpeak.errors import SystemFailure
from darkpeak.evidence.ownership import require_ours
from darkpeak.members.directory import Directory
from darkpeak.plan.observed import find_container
from darkpeak.vocabulary import DIRECTORY, SLAPD


def find_directory(target: Target) -> Directory:
    """Return the running directory.

    Raises:
        UsageError: when the engine belongs to another collective.
        SystemFailure: when it is not running.
    """
    require_ours(target.collective, target.engine)
    running = find_container(target.collective, target.engine.observe(), DIRECTORY, SLAPD)
    if running is None:
        what = f"the directory is not running on the engine at {target.engine.name}"
        raise SystemFailure(what, hint="start it: darkpeak up directory")
    return Directory(Inside(target.engine, running.id).run)


def end_sessions(targets: Sequence[Target], uid: str, *, stays: bool) -> list[Ended]:
    """End a member's sessions in all services; with `stays`, the member only has a new password, and keeps ssh keys."""
    arguments = (uid, "passwd") if stays else (uid,)
    return [ended for target in targets for ended in end_on(target.compose, target.running, arguments)]
