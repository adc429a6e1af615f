"""Find the collective's running directory of members."""

from darkpeak.actions.target import Target
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
