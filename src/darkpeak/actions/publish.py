"""Write the pages for members into the service home, which shows them at the collective's domain."""

import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from darkpeak.actions.site import find_site
from darkpeak.collective.model import Collective
from darkpeak.deploy.target import Target
from darkpeak.engine.inside import Inside
from darkpeak.errors import DarkpeakError, SystemFailure, UsageError
from darkpeak.evidence.ownership import require_ours
from darkpeak.plan.observed import find_container
from darkpeak.site.facts import Site
from darkpeak.site.metrics import make_metrics
from darkpeak.site.pages import make_pages
from darkpeak.vocabulary import HOME, WEB

INSIDE = ".members"  # home shows this folder to members alone
NO_HOME = "no service home runs, which shows the pages"


def publish(targets: Sequence[Target]) -> Site:
    """Make the pages of all services of the targets, and have the service home show them; return what they show.

    Raises:
        UsageError: when it does not run, or its engine belongs to another collective.
        SystemFailure: when its engine does not answer, or when it refuses the pages.
    """
    doors = find_doors(targets)
    if not doors:
        hint = "add and start it: darkpeak add home, darkpeak up home; or name a folder: darkpeak site --to DIR"
        raise UsageError(NO_HOME, hint=hint)
    return _show(doors, targets)


def renew(targets: Sequence[Target]) -> str:
    """Do the same if the service home runs; return why its pages could not be renewed, empty if they were.

    What the caller did before must not fail because of the pages.
    """
    try:
        doors = find_doors(targets)
        if doors:
            _show(doors, targets)
    except DarkpeakError as error:
        return f"the pages for members are not renewed: {error.message}; try again: darkpeak site"
    return ""


def find_doors(targets: Sequence[Target]) -> list[Inside]:
    """Return the running containers that show the pages: none, or one on each engine that has the service home."""
    doors = []
    for target in targets:
        if any(service.name == HOME for service in target.services):
            running = find_container(target.collective, target.engine.observe(), HOME, WEB)
            if running:
                require_ours(target.collective, target.engine)
                doors.append(Inside(target.engine, running.id))
    return doors


def _show(doors: Sequence[Inside], targets: Sequence[Target]) -> Site:
    site = find_site(targets[0].collective, targets)
    packed = pack({**_pages(targets[0].collective, site), "metrics": make_metrics(site)}, site.at)
    for door in doors:
        done = door.run(["load"], packed)
        if done.code:
            raise SystemFailure(f"home did not take the pages: {done.last_line()}", hint="see why: darkpeak logs home")
    return site


def _pages(collective: Collective, site: Site) -> dict[str, str]:
    """Return the pages for everybody, and in a folder those for members if home knows who is one."""
    known = any(one.login and one.login.optional for one in collective.services if one.name == HOME)
    pages = make_pages(replace(site.for_everybody(), login=known))
    if known:
        inside = make_pages(replace(site, login=True, members=True))
        pages |= {f"{INSIDE}/{path}": text for path, text in inside.items()}
    return pages


def pack(files: Mapping[str, str], at: datetime) -> bytes:
    """Return files as a tar archive, with the moment at which they were made."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in files.items():
            content = text.encode()
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(content), int(at.timestamp()), 0o644
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()
