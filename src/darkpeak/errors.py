"""What can go wrong, and the exit code of each: the one place where errors become numbers.

0 done · 1 the thing asked about is not so · 2 wrong use or bad input · 3 the daemon or another system failed.
"""


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
    """The thing asked about is not so: findings, a failed drill."""

    exit_code = 1


class UsageError(DarkpeakError):
    """Wrong use, or files that say something impossible; nothing was touched."""

    exit_code = 2


class SystemFailure(DarkpeakError):
    """The daemon, a container or another system failed."""

    exit_code = 3
