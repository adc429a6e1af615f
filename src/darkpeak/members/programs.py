"""How the directory's own programs are called in its container, and how they end."""

from collections.abc import Callable
from typing import Protocol

from darkpeak.errors import SystemFailure, UsageError
from darkpeak.members.member import Member

SOCKET = ("-Q", "-Y", "EXTERNAL", "-H", "ldapi:///")
# With this control (permissive modify), adding a value that already exists is not an error.
PERMISSIVE = ("-e", "!1.2.840.113556.1.4.1413")

# LDAP result codes, which the programs return as their exit codes.
NO_SUCH_VALUE, NOT_UNIQUE, NO_SUCH_OBJECT, ALREADY_EXISTS = 16, 19, 32, 68


class Result(Protocol):
    """How a program in the container ended."""

    @property
    def code(self) -> int:
        """Its exit code."""

    @property
    def stdout(self) -> bytes:
        """Its standard output."""

    @property
    def stderr(self) -> bytes:
        """Its standard error."""


Run = Callable[[tuple[str, ...], bytes], Result]


def make_search(base: str, filter_: str, *attributes: str) -> tuple[str, ...]:
    """Return the command that searches below `base`."""
    return ("ldapsearch", *SOCKET, "-LLL", "-o", "ldif-wrap=no", "-b", base, filter_, *attributes)


def unknown_member(uid: str) -> UsageError:
    """Return the error for a member who does not exist."""
    return UsageError(f"there is no member {uid}", hint="list the members: darkpeak member list")


def require_unique(result: Result, member: Member) -> None:
    """Raise UsageError if the directory refused the member because another has the mail address."""
    if result.code == NOT_UNIQUE and member.mail:
        hint = "give each member an own mail address, or leave it out"
        raise UsageError(f"another member has the mail address {member.mail}", hint=hint)


def require(result: Result, otherwise: str) -> None:
    """Raise SystemFailure, with the program's error, unless it succeeded."""
    if result.code != 0:
        lines = result.stderr.decode(errors="replace").strip().splitlines()
        reason = lines[0] if lines else f"exit code {result.code}"
        raise SystemFailure(f"{otherwise}: {reason}", hint="see why: darkpeak logs directory")
