"""What can go wrong, and the exit code of each: the one place where errors become numbers.

0 done · 1 a check failed · 2 wrong use or bad input · 3 the daemon or another system failed.
"""

from collections.abc import Callable


class DarkpeakError(Exception):
    """Something a person must know: what is wrong, where, and what to do now."""

    exit_code = 3

    def __init__(self, message: str, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def lines(self) -> list[str]:
        """Return the error in at most three lines, without a label before the first."""
        return [self.message, *([f"at {self.where}"] if self.where else []), *([self.hint] if self.hint else [])]


class CheckFailed(DarkpeakError):
    """A check failed: lint has findings, a drill found wrong content, changes are pending."""

    exit_code = 1


class UsageError(DarkpeakError):
    """Wrong use, or files that cannot be right; nothing was touched."""

    exit_code = 2


class SystemFailure(DarkpeakError):
    """The daemon, a container or another system failed."""

    exit_code = 3


Explain = Callable[[SystemFailure], SystemFailure]
_explainers: list[Explain] = []


def add_explainer(explain: Explain) -> None:
    """Have every system failure that ends a command pass through `explain`, which may know what is behind it."""
    if explain not in _explainers:
        _explainers.append(explain)


def explained(error: DarkpeakError) -> DarkpeakError:
    """Return the error, or what is known to be behind it."""
    if not isinstance(error, SystemFailure):
        return error
    for explain in _explainers:
        error = explain(error)
    return error
