"""The URL of a backup repository in collective.toml: its kind, and what restic needs to reach it."""

import re
from dataclasses import dataclass

from darkpeak.errors import UsageError

# The credentials that each kind can have; they are in backup-key.age, with the password.
CREDENTIALS: dict[str, tuple[str, ...]] = {
    "volume": (),
    "sftp": ("ssh-key", "known-hosts"),
    "rest": ("login",),
    "s3": ("aws",),
    "rclone": ("rclone-conf",),
}
OPTIONAL = {"login"}
FORMS = {
    "volume": re.compile(r"volume:(?P<volume>[a-zA-Z0-9][a-zA-Z0-9_.-]*)"),
    "sftp": re.compile(r"sftp:(//)?[^/:@\s]+(@[^/:\s]+)?(:\d+)?[:/]\S*"),
    "rest": re.compile(r"rest:https?://[^/@\s]+(/\S*)?"),
    "s3": re.compile(r"s3:(https?://)?[^@\s]+/\S+"),
    "rclone": re.compile(r"rclone:[^:\s]+:\S*"),
}
EXAMPLE = "sftp:backup@nas.example:/darkpeak, rest:https://…, s3:https://…, rclone:REMOTE:PATH or volume:NAME"


@dataclass(frozen=True)
class RepositoryUrl:
    """Where snapshots are kept."""

    name: str
    kind: str
    volume: str = ""  # the name of the daemon's volume, if the kind is volume

    @property
    def for_restic(self) -> str:
        """The address for restic inside the helper."""
        return f"/repository/{self.volume}" if self.volume else self.name

    @property
    def credentials(self) -> tuple[str, ...]:
        """The names of the credentials that it can have."""
        return CREDENTIALS[self.kind]

    @property
    def needed(self) -> tuple[str, ...]:
        """The names of the credentials without which it cannot be reached."""
        return tuple(name for name in self.credentials if name not in OPTIONAL)


def parse(name: str) -> RepositoryUrl:
    """Return the repository of a URL.

    A folder is refused: a service is known only by its daemon's URI, so a path does not say on which machine it is. Use
    a volume of the daemon, or sftp to the machine that has the disk.

    Raises:
        UsageError: when restic would not know it, or when it contains a password.
    """
    kind = name.partition(":")[0]
    if kind not in FORMS:
        what = (
            "a folder, which is on one machine only" if name.startswith(("/", ".", "~")) else "not a known repository"
        )
        raise UsageError(f"{name or 'an empty text'} is {what}", hint=f"write for instance {EXAMPLE}")
    found = FORMS[kind].fullmatch(name)
    if not found:
        hint = f"write for instance {EXAMPLE}; for its login, use `darkpeak key secret`"
        raise UsageError(f"{name} is not a valid {kind} repository", hint=hint)
    return RepositoryUrl(name, kind, found.groupdict().get("volume") or "")
