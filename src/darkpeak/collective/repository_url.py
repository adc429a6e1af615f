"""A repository's name, as written in collective.toml: which kind it is, and what restic needs to reach it."""

import re
from dataclasses import dataclass

from darkpeak.errors import UsageError

# Each kind with the files of credentials that it may take, put beside the password in backup-key.age.
CREDENTIALS: dict[str, tuple[str, ...]] = {
    "volume": (),
    "sftp": ("ssh-key", "known-hosts"),
    "rest": ("login",),
    "s3": ("aws",),
    "rclone": ("rclone-conf",),
}
FORMS = {
    "volume": re.compile(r"volume:(?P<volume>[a-zA-Z0-9][a-zA-Z0-9_.-]*)"),
    "sftp": re.compile(r"sftp:(//)?[^/:@\s]+(@[^/:\s]+)?(:\d+)?[:/]\S*"),
    "rest": re.compile(r"rest:https?://[^/@\s]+(/\S*)?"),
    "s3": re.compile(r"s3:(https?://)?[^@\s]+/\S+"),
    "rclone": re.compile(r"rclone:[^:\s]+:\S*"),
}
EXAMPLE = "like sftp:backup@nas.example:/darkpeak, rest:https://…, s3:https://…, rclone:REMOTE:PATH or volume:NAME"


@dataclass(frozen=True)
class RepositoryUrl:
    """Where snapshots are kept."""

    name: str
    kind: str
    volume: str = ""  # the daemon's volume, of kind volume

    @property
    def for_restic(self) -> str:
        """The address that restic is given inside the helper."""
        return f"/repository/{self.volume}" if self.volume else self.name

    @property
    def credentials(self) -> tuple[str, ...]:
        """The names of the credentials that it may take."""
        return CREDENTIALS[self.kind]


def parse(name: str) -> RepositoryUrl:
    """Read a repository's name.

    A folder is none: it would stand on one machine's disk, and a service is known by its daemon's URI alone. What
    is meant is a volume of the daemon, or sftp to the machine that has the disk.

    Raises:
        UsageError: when restic would not know it, or it holds a password.
    """
    kind = name.partition(":")[0]
    if kind not in FORMS:
        what = "a folder of one machine" if name.startswith(("/", ".", "~")) else "no repository that is known"
        raise UsageError(f"{name or 'an empty text'} is {what}", hint=f"write one {EXAMPLE}")
    found = FORMS[kind].fullmatch(name)
    if not found:
        hint = f"write it {EXAMPLE}; logins are no part of it: darkpeak key secret keeps them"
        raise UsageError(f"{name} is no {kind} repository", hint=hint)
    return RepositoryUrl(name, kind, found.groupdict().get("volume") or "")
