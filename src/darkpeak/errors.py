"""The errors of this program, each with its exit code.

0 done · 1 a check failed · 2 wrong use or bad input · 3 the daemon or another system failed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


class DarkpeakError(Exception):
    """An error for a person to read: what is wrong, where, and what to do now."""

    exit_code = 3

    def __init__(self, message: str, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def lines(self) -> list[str]:
        """Return the error in at most three lines, without the label `error:`."""
        return [self.message, *([f"at {self.where}"] if self.where else []), *([self.hint] if self.hint else [])]


class CheckFailed(DarkpeakError):
    """A check failed: for instance, lint has findings, or a drill found damage."""

    exit_code = 1


class UsageError(DarkpeakError):
    """The command or the files are wrong; nothing was touched."""

    exit_code = 2


class SystemFailure(DarkpeakError):
    """The daemon, a container or another system failed."""

    exit_code = 3


@dataclass(frozen=True)
class HostFailure:
    """A host that does not answer, or on which a command failed; the command did its work on the others."""

    host: str
    services: tuple[str, ...]  # those of the command that run there
    answers: bool
    last_answer: str  # when it last answered this machine, as ISO 8601 in UTC; empty if that is not known
    why: str
    hint: str = ""

    def __str__(self) -> str:
        of = f" ({', '.join(self.services)})" if self.services else ""
        if self.answers:
            return f"host {self.host}{of}: {self.why}"
        last = f", last answered {self.last_answer[:16].replace('T', ' ')} UTC" if self.last_answer else ""
        return f"host {self.host}{of} does not answer{last}: {self.why}"


class HostsFailed(SystemFailure):
    """Some hosts do not answer, or failed; `before` is what is wrong beside that."""

    def __init__(self, hosts: Sequence[HostFailure], before: DarkpeakError | None = None, *, done: bool = True) -> None:
        own = hosts[0].hint if len(hosts) == 1 else ""
        hint = before.hint if before else "; ".join(filter(None, ["all else is done" if done else "", own]))
        first = before.message if before else ""
        lines = (str(host) for host in hosts if str(host) not in first)
        super().__init__("\n".join(filter(None, [first, *lines])), before.where if before else "", hint)
        self.hosts = tuple(hosts)


def joined(errors: Sequence[DarkpeakError]) -> DarkpeakError:
    """Return one error for several: the only one itself; else one with all messages and the worst exit code."""
    if len(errors) == 1:
        return errors[0]
    worst = max(errors, key=lambda error: error.exit_code)
    return type(worst)("; ".join(error.message for error in errors), where=worst.where, hint=worst.hint)


Explain = Callable[[SystemFailure], SystemFailure]
_explainers: list[Explain] = []


def add_explainer(explain: Explain) -> None:
    """Pass every system failure that ends a command through `explain`, which may return a better error."""
    if explain not in _explainers:
        _explainers.append(explain)


def explained(error: DarkpeakError) -> DarkpeakError:
    """Return the error, or a better one from an explainer."""
    if not isinstance(error, SystemFailure) or isinstance(error, HostsFailed):
        return error
    for explain in _explainers:
        error = explain(error)
    return error
