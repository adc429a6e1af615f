"""A link with which a member sets a password; the login page makes it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from darkpeak.deploy.login_page import require_login_page
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.evidence.ownership import require_ours
from darkpeak.members.programs import unknown_member
from darkpeak.result import Result
from darkpeak.vocabulary import ACCOUNT

WRONG_NAME = 2  # how `invite` ends for a name that no member can have


@dataclass(frozen=True)
class Invitation:
    """A link for one member, and until when it is good: an ISO date and time, in UTC."""

    uid: str
    url: str
    until: str
    mailed: str = ""  # the address to which it was sent


def find_login_page(target: Target) -> Callable[[Sequence[str]], Result]:
    """Return a function that runs a program in the login page's container.

    Raises:
        UsageError: when the collective has no login page, or the engine belongs to another collective.
        SystemFailure: when the login page is not running.
    """
    if all(service.name != ACCOUNT for service in target.collective.services):
        raise UsageError(
            "this collective has no login page, which makes the link",
            hint=f"add it: darkpeak add {ACCOUNT}; or set a password: darkpeak member passwd",
        )
    require_ours(target.collective, target.engine)
    return require_login_page(target.collective, target.engine)


def invite(run: Callable[[Sequence[str]], Result], name: str, language: str = "") -> Invitation:
    """Make a link for a member, who is named by uid or mail address; links that were made before end.

    With a language, mail it to the member.

    Raises:
        UsageError: when there is no such member.
        SystemFailure: when the login page does not make it.
    """
    done = run(("invite", name, *(("--mail", language) if language else ())))
    if "there is no such member" in done.last_line() or done.code == WRONG_NAME:
        raise unknown_member(name)
    if done.code:
        raise SystemFailure(f"the login page made no link: {done.last_line()}", hint=f"darkpeak logs {ACCOUNT}")
    try:
        told = json.loads(done.text)
        until = datetime.fromtimestamp(int(told["expires"]), UTC).isoformat()
        return Invitation(told["member"], told["url"], until, told["mail"] if language else "")
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        hint = f"see why: darkpeak logs {ACCOUNT}"
        raise SystemFailure("the login page's answer is not a link", hint=hint) from error
