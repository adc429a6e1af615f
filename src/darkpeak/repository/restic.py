"""restic: one repository, as the helper sees it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from darkpeak import process
from darkpeak.collective.repository_url import RepositoryUrl
from darkpeak.errors import CheckFailed, DarkpeakError, SystemFailure
from darkpeak.helper.build import NAME, program
from darkpeak.helper.container import SECRET, Helper
from darkpeak.repository import restic_errors, restic_progress, snapshots
from darkpeak.repository.key import Secret
from darkpeak.repository.snapshots import Manifest, Snapshot
from darkpeak.result import Result

CONTACT_SECONDS = 30
STALL_SECONDS = 300  # a pack of 16 MiB on a slow line
UNLOCK_TRIES = 3
MINUTES_OF_A_DAY = "1440"
OPENING = "password"  # the secret file that opens all repositories
OnLine = Callable[[str], None]


@dataclass(frozen=True)
class ResticRepository:
    """One repository. `number` tells its secret files from another's."""

    helper: Helper
    url: RepositoryUrl
    number: int

    @property
    def name(self) -> str:
        """The repository as collective.toml has it."""
        return self.url.name

    def secrets(self, secret: Secret) -> dict[str, str]:
        """Return the files that the helper needs to open the repository."""
        own = dict(secret.credentials.get(self.name, {}))
        login, address = own.pop("login", ""), self.url.for_restic
        address = address.replace("://", f"://{login.strip()}@", 1) if login else address
        return {f"{self.number}.url": address, **{f"{self.number}.{name}": content for name, content in own.items()}}

    def argv(self, *arguments: str, password: str = OPENING) -> tuple[str, ...]:
        """Return the command in the helper; every secret in it is a file's name."""
        at = f"{SECRET}/{self.number}"
        files = (f"AWS_SHARED_CREDENTIALS_FILE={at}.aws", f"RCLONE_CONFIG={at}.rclone-conf")
        ssh = f"-i {at}.ssh-key -o UserKnownHostsFile={at}.known-hosts -o BatchMode=yes -o ConnectTimeout=20"
        return (
            *("env", *files, "restic", f"--repository-file={at}.url", f"--password-file={SECRET}/{password}"),
            *(("-o", f"sftp.args={ssh}") if self.url.kind == "sftp" else ()),
            *("--retry-lock=2m", *arguments),
        )

    def open(self) -> None:
        """Make sure, within a deadline, that the repository is there and opens; clear our own dead helpers' locks.

        The caller holds this engine's only lock for helpers, so whoever else has our host name is dead. restic
        itself tells by the process number, which another process may have by now: by the next try it has not.

        Raises:
            SystemFailure: when it does not answer.
            UsageError: when there is none yet.
            CheckFailed: when it does not open.
        """
        for _ in range(UNLOCK_TRIES):
            own = [item for item in self._locks() if item.get("hostname") == self._host_name()]
            if not own:
                return
            self._must("unlock")
        raise SystemFailure(f"{self.name} keeps a lock of a dead helper", hint="restic unlock --remove-all")

    def create(self) -> None:
        """Make the repository, where there is none."""
        result = self._within(CONTACT_SECONDS, "--no-lock", "cat", "config")
        if result.code == restic_errors.ABSENT:
            result = self._within(CONTACT_SECONDS * 2, "init")
        self._check(result)

    def list_snapshots(self) -> list[Snapshot]:
        """Return the snapshots there, the newest last."""
        # Listing needs no lock, and so works with a key that may read only.
        out = self._must("--no-lock", "snapshots", "--json", "--tag", snapshots.TAG)
        return snapshots.parse_listed(json.loads(out or b"[]"), self.name)

    def save(self, folder: str, volumes: Sequence[str], manifest: Manifest, on_line: OnLine) -> str:
        """Put a folder with parts and manifest, and what lies in volumes, into the repository as one snapshot.

        Returns its id. restic writes it last, when all that it names is there: what ends half way leaves no snapshot.
        """
        tags, snapshot = ",".join(snapshots.make_tags(manifest)), ""
        try:
            # How much there is the manifest says: restic's own count would look at every file once more.
            argv = ("backup", "--no-scan", "--json", "--tag", tags, folder, *volumes)
            for line in self._watched(on_line, *argv, total=manifest.size):
                snapshot = str(line.get("snapshot_id") or snapshot)
        except DarkpeakError:
            if snapshot:  # without a file that it could not read
                with suppress(DarkpeakError):  # where nothing may be removed, its manifest keeps it from use
                    self.forget([snapshot], prune=False)
            raise
        if not snapshot:
            raise SystemFailure(f"restic reported success for {self.name}, but no snapshot id", hint="try again")
        return snapshot

    def read_back(self, known: Snapshot, folder: str, manifest: Manifest) -> None:
        """Make sure that a snapshot that was saved is there.

        Raises:
            SystemFailure: when its manifest is not given back as it was.
        """
        if self._must("--no-lock", "dump", known.restic_id, f"{folder}/manifest.json").decode() != manifest.text():
            raise SystemFailure(f"{self.name} returned another manifest than the one that was saved")

    def fetch(self, known: Snapshot, folder: str, target: str, on_line: OnLine) -> Manifest:
        """Bring a snapshot into a folder of the helper, and make sure that it is whole (`examine`).

        Raises:
            CheckFailed: when it is not what was saved.
        """
        self.helper.must("rm", "-rf", target)
        # No lock: what is full, or may only be read, still gives back what it has; and all of it is looked at below.
        # Sparse: else restic has the disk set room aside for each file first, which takes as long as all else together.
        restored = ("--no-lock", "restore", "--sparse", "--json", known.restic_id, "--target", target)
        for _ in self._watched(on_line, *restored):
            pass
        self.helper.run(*program("gather", target, folder))  # `examine` names what is missing
        return examine(self.helper, known, target)

    def add_password(self, file: str) -> None:
        """Have the repository open with the password in a secret file of the helper, too."""
        if self.helper.run(*self.argv("--no-lock", "cat", "config", password=file)).code:
            self._must("key", "add", f"--new-password-file={SECRET}/{file}")

    def remove_other_passwords(self, file: str) -> None:
        """Have it open with that one only."""
        listed = self.helper.run(*self.argv("key", "list", "--json", password=file))
        self._check(listed)
        for item in json.loads(listed.stdout):
            if not item["current"]:
                self._check(self.helper.run(*self.argv("key", "remove", item["id"], password=file)))

    def check(self, part: str) -> None:
        """Read a part of the repository back (like 3/30), or only its structure.

        Raises:
            CheckFailed: when something in it is damaged.
        """
        subset = ("--read-data-subset", part) if part else ()
        result = self.helper.run(*self.argv("check", *subset))
        if result.code == 1:
            raise CheckFailed(f"{self.name} is damaged: {result.last_line(3)}", hint="restic check --read-data")
        self._check(result)

    def forget(self, restic_ids: list[str], *, prune: bool = True) -> None:
        """Remove snapshots and (prune) what only they needed."""
        if restic_ids:
            what = ("--prune", *restic_ids) if prune else restic_ids
            self._check(self.helper.run(*self.argv("forget", *what)))  # may take its time

    def sweep(self) -> None:
        """Remove what dead helpers were writing, from a repository that is a volume of this engine.

        restic writes a file under another name (…-tmp-…) and then renames it. What is left of one that died is never
        read again, and restic itself never removes it. Elsewhere than in a volume, whoever has the disk must remove it.
        """
        if self.url.volume:
            old = ("-name", "*-tmp-*", "-mmin", f"+{MINUTES_OF_A_DAY}")
            self.helper.must("find", self.url.for_restic, "-type", "f", *old, "-delete")

    def _locks(self) -> Iterator[Mapping[str, Any]]:
        listed = self._within(CONTACT_SECONDS, "--no-lock", "list", "locks")
        self._check(listed)
        for line in listed.stdout.decode().split():
            shown = self.helper.run(*self.argv("--no-lock", "cat", "lock", line))
            if not shown.code:  # else it has just ended
                yield json.loads(shown.stdout)

    def _host_name(self) -> str:
        return self.helper.must("hostname").decode().strip()

    def _within(self, seconds: int, *arguments: str) -> Result:
        return self.helper.run("timeout", "--kill-after=5", str(seconds), *self.argv(*arguments))

    def _must(self, *arguments: str) -> bytes:
        result = self._within(STALL_SECONDS, *arguments)
        self._check(result)
        return result.stdout

    def _check(self, result: Result) -> None:
        error = restic_errors.explain(self.name, result)
        if error:
            raise error

    def _watched(self, on_line: OnLine, *arguments: str, total: int = 0) -> Iterator[Mapping[str, Any]]:
        """Run restic and give what it prints, a value a line; it is killed when it makes no progress for long."""
        argv = ("docker", "exec", "--env=RESTIC_PROGRESS_FPS=1", NAME, *self.argv(*arguments))
        environment, last, done = self.helper.engine.environment, list[str](), -1
        with (
            process.talk(argv, environment=environment, stderr=process.WITH_OUTPUT, interruptible=True) as child,
            process.Watchdog(child.process, STALL_SECONDS) as watchdog,
        ):
            for line in child.stdout:
                value = _parse(line)
                last = [*last[-2:], _error_of(value, line)] if _error_of(value, line) else last
                if value.get("message_type") == "status":
                    if done != (done := value.get("bytes_done", value.get("bytes_restored", 0))):
                        watchdog.renew()
                    on_line(restic_progress.describe({**value, "total_bytes": total or value.get("total_bytes")}))
                if value:
                    yield value
            ended = child.errors()
        if watchdog.expired:
            self.helper.run("pkill", "-x", "restic")
            raise SystemFailure(f"no progress from {self.name} for {STALL_SECONDS} s; stopped")
        self._check(Result(ended.code, b"", "\n".join(last).encode()))


def examine(helper: Helper, known: Snapshot, target: str) -> Manifest:
    """Make sure that a folder of the helper holds the snapshot as it was saved; return its manifest.

    Each file byte for byte; a folder by its list, since what is in it restic itself has compared.

    Raises:
        CheckFailed: when it does not.
    """
    text = helper.run("cat", f"{target}/manifest.json").stdout
    manifest = snapshots.parse_manifest(text, known.name)
    wrong = snapshots.complaints(manifest, snapshots.make_inventory(helper.inventory(f"{target}/parts")))
    if wrong:
        raise CheckFailed(f"{known.name} in {known.repository} is damaged: {'; '.join(wrong)}")
    return manifest


def _parse(line: bytes) -> Mapping[str, Any]:
    try:
        value: Mapping[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return value


def _error_of(value: Mapping[str, Any], line: bytes) -> str:
    """Return the error that a line of restic's tells; empty where it tells none."""
    if not value:
        return line.decode(errors="replace").strip()
    if value.get("message_type") not in {"error", "exit_error"}:
        return ""
    error = value.get("error")
    return str(value.get("message") or (error.get("message") if isinstance(error, dict) else error) or "")
