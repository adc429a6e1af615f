"""Run restic in the helper, for one repository."""

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
STALL_SECONDS = 300  # enough for a pack of 16 MiB on a slow line
UNLOCK_TRIES = 3
MINUTES_OF_A_DAY = "1440"
OPENING = "password"  # the secret file with the password of all repositories
OnLine = Callable[[str], None]


@dataclass(frozen=True)
class ResticRepository:
    """One repository; `number` is part of the names of its secret files."""

    helper: Helper
    url: RepositoryUrl
    number: int

    @property
    def name(self) -> str:
        """The repository's URL as in collective.toml."""
        return self.url.name

    def secrets(self, secret: Secret) -> dict[str, str]:
        """Return the secret files that the helper needs to open the repository."""
        own = dict(secret.credentials.get(self.name, {}))
        login, address = own.pop("login", ""), self.url.for_restic
        address = address.replace("://", f"://{login.strip()}@", 1) if login else address
        return {f"{self.number}.url": address, **{f"{self.number}.{name}": content for name, content in own.items()}}

    def argv(self, *arguments: str, password: str = OPENING) -> tuple[str, ...]:
        """Return a restic command for the helper; secrets are in files, of which it has only the names."""
        at = f"{SECRET}/{self.number}"
        files = (f"AWS_SHARED_CREDENTIALS_FILE={at}.aws", f"RCLONE_CONFIG={at}.rclone-conf")
        ssh = f"-i {at}.ssh-key -o UserKnownHostsFile={at}.known-hosts -o BatchMode=yes -o ConnectTimeout=20"
        return (
            *("env", *files, "restic", f"--repository-file={at}.url", f"--password-file={SECRET}/{password}"),
            *(("-o", f"sftp.args={ssh}") if self.url.kind == "sftp" else ()),
            *("--retry-lock=2m", *arguments),
        )

    def open(self) -> None:
        """Check, with a deadline, that the repository exists and opens; remove the locks of dead helpers.

        The caller has this engine's only lock for helpers, so other locks with our host name are of dead helpers.
        `restic unlock` removes a lock if no process has its number; if another process has it now, the next try helps.

        Raises:
            SystemFailure: when the repository does not answer.
            UsageError: when it does not exist yet.
            CheckFailed: when the password does not open it.
        """
        for _ in range(UNLOCK_TRIES):
            own = [item for item in self._locks() if item.get("hostname") == self._host_name()]
            if not own:
                return
            self._must("unlock")
        raise SystemFailure(f"{self.name} has a lock of a dead helper", hint="remove it: restic unlock --remove-all")

    def create(self) -> None:
        """Make the repository if it does not exist."""
        result = self._within(CONTACT_SECONDS, "--no-lock", "cat", "config")
        if result.code == restic_errors.ABSENT:
            result = self._within(CONTACT_SECONDS * 2, "init")
        self._check(result)

    def list_snapshots(self) -> list[Snapshot]:
        """Return its snapshots, the newest last."""
        # Without a lock, since credentials may allow only reading.
        out = self._must("--no-lock", "snapshots", "--json", "--tag", snapshots.TAG)
        return snapshots.parse_listed(json.loads(out or b"[]"), self.name)

    def save(self, folder: str, volumes: Sequence[str], manifest: Manifest, on_line: OnLine) -> str:
        """Save a folder with parts and manifest, and folders of volumes, as one snapshot; return its id.

        restic writes the snapshot last, when all its data is there: an interrupted backup leaves no snapshot.
        """
        tags, snapshot = ",".join(snapshots.make_tags(manifest)), ""
        try:
            # The manifest has the size; restic's own count would read the metadata of every file again.
            argv = ("backup", "--no-scan", "--json", "--tag", tags, folder, *volumes)
            for line in self._watched(on_line, *argv, total=manifest.size):
                snapshot = str(line.get("snapshot_id") or snapshot)
        except DarkpeakError:
            if snapshot:  # it is incomplete: restic could not read a file
                with suppress(DarkpeakError):  # if deletion is refused: its manifest does not match, so it is not used
                    self.forget([snapshot], prune=False)
            raise
        if not snapshot:
            raise SystemFailure(f"restic reported success for {self.name}, but no snapshot id", hint="try again")
        return snapshot

    def read_manifest(self, known: Snapshot, folder: str) -> Manifest:
        """Return the manifest of a snapshot, without its parts.

        Raises:
            CheckFailed: when it cannot be read.
        """
        return snapshots.parse_manifest(self.read_file(known, f"{folder}/manifest.json"), known.name)

    def read_file(self, known: Snapshot, path: str) -> bytes:
        """Return a file of a snapshot."""
        return self._must("--no-lock", "dump", known.restic_id, path)

    def read_back(self, known: Snapshot, folder: str, manifest: Manifest) -> None:
        """Check that a saved snapshot is in the repository.

        Raises:
            SystemFailure: when its manifest cannot be read back, or when it differs.
        """
        if self.read_file(known, f"{folder}/manifest.json").decode() != manifest.text():
            raise SystemFailure(f"{self.name} returned another manifest than the one that was saved")

    def fetch(self, known: Snapshot, folder: str, target: str, on_line: OnLine) -> Manifest:
        """Fetch a snapshot into a folder of the helper, and check it (`examine`); return its manifest.

        Raises:
            CheckFailed: when it is not as it was saved.
        """
        self.helper.must("rm", "-rf", target)
        # Without a lock, so that it works if the repository is full or read-only. The snapshot is checked below.
        # Sparse, since otherwise restic first allocates every file on the disk, which doubles the time.
        restored = ("--no-lock", "restore", "--sparse", "--json", known.restic_id, "--target", target)
        for _ in self._watched(on_line, *restored):
            pass
        self.helper.run(*program("gather", target, folder))  # `examine` names what is missing
        return examine(self.helper, known, target)

    def add_password(self, file: str) -> None:
        """Add a password to the repository, from a secret file in the helper."""
        if self.helper.run(*self.argv("--no-lock", "cat", "config", password=file)).code:
            self._must("key", "add", f"--new-password-file={SECRET}/{file}")

    def remove_other_passwords(self, file: str) -> None:
        """Remove all other passwords from the repository."""
        listed = self.helper.run(*self.argv("key", "list", "--json", password=file))
        self._check(listed)
        for item in json.loads(listed.stdout):
            if not item["current"]:
                self._check(self.helper.run(*self.argv("key", "remove", item["id"], password=file)))

    def check(self, part: str) -> None:
        """Read a part of the repository back (like 3/30), or only its structure if `part` is empty.

        Raises:
            CheckFailed: when it is damaged.
        """
        subset = ("--read-data-subset", part) if part else ()
        result = self.helper.run(*self.argv("check", *subset))
        if result.code == 1:
            raise CheckFailed(
                f"{self.name} is damaged: {result.last_line(3)}", hint="find all damage: restic check --read-data"
            )
        self._check(result)

    def forget(self, restic_ids: list[str], *, prune: bool = True) -> None:
        """Delete snapshots and (prune) the data that only they need."""
        if restic_ids:
            what = ("--prune", *restic_ids) if prune else restic_ids
            self._check(self.helper.run(*self.argv("forget", *what)))  # without a deadline

    def sweep(self) -> None:
        """Remove the unfinished files of dead helpers, if the repository is a volume of this engine.

        restic writes a file with another name (…-tmp-…) and then renames it. If restic is killed, the file stays, and
        restic never removes it. In other repositories, the owner of the disk must remove such files.
        """
        if self.url.volume:
            old = ("-name", "*-tmp-*", "-mmin", f"+{MINUTES_OF_A_DAY}")
            self.helper.must("find", self.url.for_restic, "-type", "f", *old, "-delete")

    def _locks(self) -> Iterator[Mapping[str, Any]]:
        listed = self._within(CONTACT_SECONDS, "--no-lock", "list", "locks")
        self._check(listed)
        for line in listed.stdout.decode().split():
            shown = self.helper.run(*self.argv("--no-lock", "cat", "lock", line))
            if not shown.code:  # else the lock has just been removed
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
        """Run restic, and yield the JSON value of each line; it is killed if it makes no progress for a long time."""
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
    """Check that a folder of the helper has the snapshot as it was saved; return its manifest.

    Files are compared by their hashes, folders by the list of their files, since restic has verified their content.

    Raises:
        CheckFailed: when it differs.
    """
    text = helper.run("cat", f"{target}/manifest.json").stdout
    manifest = snapshots.parse_manifest(text, known.name)
    wrong = snapshots.find_damage(manifest, snapshots.make_inventory(helper.inventory(f"{target}/parts")))
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
    """Return the error in a line of restic's output; empty if it has none."""
    if not value:
        return line.decode(errors="replace").strip()
    if value.get("message_type") not in {"error", "exit_error"}:
        return ""
    error = value.get("error")
    return str(value.get("message") or (error.get("message") if isinstance(error, dict) else error) or "")
