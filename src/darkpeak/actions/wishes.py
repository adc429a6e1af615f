"""What members ask the admins for on their own page, at the login page; and what they fetch there."""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from darkpeak.deploy.login_page import require_container
from darkpeak.deploy.target import Target
from darkpeak.engine.inside import Inside
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.evidence.ownership import require_ours
from darkpeak.members.exported import make_archive
from darkpeak.vocabulary import ACCOUNT

LINE = re.compile(r"(\d{4}-\d\d-\d\d) (export|forget) ([a-z][a-z0-9._-]*)")
DO = {
    "export": "darkpeak member export {uid} ./{uid} --hand-over",
    "forget": "darkpeak member forget {uid}",
}
WHAT = {"export": "a copy of their data", "forget": "to be forgotten"}


@dataclass(frozen=True)
class Wish:
    """What a member asked for, on which day (UTC), and the command that does it."""

    day: str
    uid: str
    wish: str
    do: str


def find_page(target: Target) -> Inside:
    """Return the container with the members' own page.

    Raises:
        UsageError: when the collective has no login page, or the engine belongs to another collective.
        SystemFailure: when the login page is not running.
    """
    if all(service.name != ACCOUNT for service in target.collective.services):
        what = "this collective has no login page, and so members have no page of their own"
        raise UsageError(what, hint=f"add it: darkpeak add {ACCOUNT}")
    require_ours(target.collective, target.engine)
    return require_container(target.collective, target.engine)


def find_wishes(page: Inside) -> list[Wish]:
    """Return what members ask for, the oldest first; raises SystemFailure when the page does not tell it."""
    done = page.run(("wishes",))
    if done.code:
        hint = f"if it is an older one, update it: darkpeak up {ACCOUNT}"
        raise SystemFailure(f"the login page does not tell what members ask for: {done.last_line()}", hint=hint)
    return parse_wishes(done.text)


def parse_wishes(printed: str) -> list[Wish]:
    """Return what the program `wishes` printed, as values."""
    found = (LINE.fullmatch(line) for line in printed.splitlines())
    return [Wish(match[1], match[3], WHAT[match[2]], DO[match[2]].format(uid=match[3])) for match in found if match]


def hand_over(page: Inside, uid: str, folder: Path) -> None:
    """Let a member fetch what was exported into a folder, on their own page.

    Raises:
        UsageError: when the folder cannot be read, or has names that an archive cannot have.
        SystemFailure: when the page does not take it.
    """
    with tempfile.TemporaryDirectory() as place:
        archive = Path(place) / f"{uid}.zip"
        try:
            make_archive(folder, archive, uid)
            content = archive.read_bytes()
        except (OSError, UnicodeEncodeError) as error:
            what = f"{folder} cannot be packed: {error}"
            raise UsageError(what, hint="give it to the member in another way") from error
    done = page.run(("hand-over", uid), content)
    if done.code:
        what = f"the login page did not take the copy for {uid}: {done.last_line()}"
        raise SystemFailure(what, hint="run the same command again, or give the folder to the member in another way")
