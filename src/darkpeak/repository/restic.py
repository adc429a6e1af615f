"""restic: one repository, seen from the helper."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from darkpeak.collective.repository_url import Repository
from darkpeak.engine.engine import Result
from darkpeak.errors import CheckFailed, DarkpeakError, SystemFailure
from darkpeak.helper.helper import NAME, PROGRAMS, SECRET, Helper
from darkpeak.repository import pace, snapshots
from darkpeak.repository import restic_errors as trouble
from darkpeak.repository.key import Secret

CONTACT_SECONDS = 30
STALL_SECONDS = 300  # a pack of 16 MiB on a slow line
UNLOCK_TRIES = 3
MINUTES_OF_A_DAY = "1440"
Told = Callable[[str], None]


@dataclass(frozen=True)
class Store:
    """One repository. `number` tells its secret files from another's."""

    helper: Helper
    repository: Repository
    number: int

    def secrets(self, secret: Secret) -> dict[str, str]:
        """Return the files that the helper needs to open the repository."""
        own = dict(secret.credentials.get(self.repository.name, {}))
        login, url = own.pop("login", ""), self.repository.url
        url = url.replace("://", f"://{login.strip()}@", 1) if login else url
        return {f"{self.number}.url": url, **{f"{self.number}.{name}": content for name, content in own.items()}}

    def argv(self, *arguments: str) -> tuple[str, ...]:
        """Return the command in the helper; every secret in it is a file's name."""
        at = f"{SECRET}/{self.number}"
        files = (f"AWS_SHARED_CREDENTIALS_FILE={at}.aws", f"RCLONE_CONFIG={at}.rclone-conf")
        ssh = f"-i {at}.ssh-key -o UserKnownHostsFile={at}.known-hosts -o BatchMode=yes -o ConnectTimeout=20"
        return (
            *("env", *files, "restic", f"--repository-file={at}.url", f"--password-file={SECRET}/password"),
            *(("-o", f"sftp.args={ssh}") if self.repository.kind == "sftp" else ()),
            *("--retry-lock=2m", *arguments),
        )

    def open(self) -> None:
        """Make sure, within a deadline, that the repository is there and opens; clear our own dead helpers' locks.

        The caller holds this engine's only lease for helpers, so whoever else has our host name is dead. restic
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
        raise SystemFailure(f"{self.repository.name} keeps a lock of a dead helper", hint="restic unlock --remove-all")

    def create(self) -> bool:
        """Make the repository, where there is none; return whether it was made."""
        result = self._within(CONTACT_SECONDS, "--no-lock", "cat", "config")
        if result.code != trouble.ABSENT:
            self._complain(result)
            return False
        self._complain(self._within(CONTACT_SECONDS * 2, "init"))
        return True

    def list_snapshots(self) -> list[snapshots.Snapshot]:
        """Return the sets there, the newest last."""
        # Listing needs no lock, and so works with a key that may read only.
        out = self._must("--no-lock", "snapshots", "--json", "--tag", snapshots.TAG)
        return snapshots.parse_listed(json.loads(out or b"[]"), self.repository.name)

    def _locks(self) -> Iterator[Mapping[str, Any]]:
        listed = self._within(CONTACT_SECONDS, "--no-lock", "list", "locks")
        self._complain(listed)
        for line in listed.stdout.decode().split():
            shown = self.helper.run(*self.argv("--no-lock", "cat", "lock", line))
            if not shown.code:  # else it has just ended
                yield json.loads(shown.stdout)

    def _host_name(self) -> str:
        return self.helper.must("hostname").decode().strip()

    def save(self, folder: str, volumes: Sequence[str], manifest: snapshots.Manifest, told: Told) -> str:
        """Put a folder with parts and manifest, and what lies in volumes, into the repository as one snapshot.

        Returns its id. restic writes it last, when all that it names is there: what ends half way leaves no set.
        """
        tags, snapshot = ",".join(snapshots.make_tags(manifest)), ""
        try:
            # How much there is the manifest says: restic's own count would look at every file once more.
            argv = ("backup", "--no-scan", "--json", "--tag", tags, folder, *volumes)
            for line in self._watched(told, *argv, total=manifest.size):
                snapshot = str(line.get("snapshot_id") or snapshot)
        except DarkpeakError:
            if snapshot:  # without a file that it could not read
                with suppress(DarkpeakError):  # where nothing may be removed, its manifest keeps it from use
                    self.forget([snapshot], prune=False)
            raise
        if not snapshot:
            raise SystemFailure(f"{self.repository.name} took the set, and says not where", hint="try again")
        return snapshot

    def read_back(self, known: snapshots.Snapshot, folder: str, manifest: snapshots.Manifest) -> None:
        """Make sure that a set that was saved is there.

        Raises:
            SystemFailure: when its manifest is not given back as it was.
        """
        if self._must("--no-lock", "dump", known.snapshot, f"{folder}/manifest.json").decode() != manifest.text():
            raise SystemFailure(f"{self.repository.name} gives back another manifest than it was given")

    def fetch(self, known: snapshots.Snapshot, folder: str, target: str, told: Told) -> snapshots.Manifest:
        """Bring a set into a folder of the helper, and make sure that it is whole (`examine`).

        Raises:
            CheckFailed: when it is not what was saved.
        """
        self.helper.must("rm", "-rf", target)
        # No lock: what is full, or may only be read, still gives back what it has; and all of it is looked at below.
        # Sparse: else restic has the disk set room aside for each file first, which takes as long as all else together.
        for _ in self._watched(told, "--no-lock", "restore", "--sparse", "--json", known.snapshot, "--target", target):
            pass
        self.helper.run("python3", f"{PROGRAMS}/gather.py", target, folder)  # what is missing, `examine` says
        return examine(self.helper, known, target)

    def add_password(self, file: str) -> None:
        """Have the repository open with the password in a secret file of the helper, too."""
        new = f"{SECRET}/{file}"
        if self.helper.run(*self._with(new, "--no-lock", "cat", "config")).code:
            self._must("key", "add", f"--new-password-file={new}")

    def remove_other_passwords(self, file: str) -> None:
        """Have it open with that one only."""
        new = f"{SECRET}/{file}"
        listed = self.helper.run(*self._with(new, "key", "list", "--json"))
        self._complain(listed)
        for item in json.loads(listed.stdout):
            if not item["current"]:
                self._complain(self.helper.run(*self._with(new, "key", "remove", item["id"])))

    def check(self, part: str) -> None:
        """Read a part of the repository back (like 3/30), or only its structure.

        Raises:
            CheckFailed: when something in it is damaged.
        """
        subset = ("--read-data-subset", part) if part else ()
        result = self.helper.run(*self.argv("check", *subset))
        if result.code == 1:
            raise CheckFailed(
                f"{self.repository.name} is damaged: {result.complaint(3)}", hint="restic check --read-data"
            )
        self._complain(result)

    def forget(self, snapshots: list[str], *, prune: bool = True) -> None:
        """Remove snapshots and (prune) what only they needed."""
        if snapshots:
            what = ("--prune", *snapshots) if prune else snapshots
            self._complain(self.helper.run(*self.argv("forget", *what)))  # may take its time

    def sweep(self) -> None:
        """Remove what dead helpers were writing, from a repository that is a volume of this engine.

        restic writes a file under another name (…-tmp-…) and then renames it. What is left of one that died is never
        read again, and restic itself never removes it. Elsewhere than in a volume it lies with whoever has the disk.
        """
        if self.repository.volume:
            old = ("-name", "*-tmp-*", "-mmin", f"+{MINUTES_OF_A_DAY}")
            self.helper.must("find", self.repository.url, "-type", "f", *old, "-delete")

    def _with(self, password_file: str, *arguments: str) -> tuple[str, ...]:
        old = f"--password-file={SECRET}/password"
        return tuple(f"--password-file={password_file}" if word == old else word for word in self.argv(*arguments))

    def _within(self, seconds: int, *arguments: str) -> Result:
        return self.helper.run("timeout", "--kill-after=5", str(seconds), *self.argv(*arguments))

    def _must(self, *arguments: str) -> bytes:
        result = self._within(STALL_SECONDS, *arguments)
        self._complain(result)
        return result.stdout

    def _complain(self, result: Result) -> None:
        """Say in our words why restic could not."""
        error = trouble.of(self.repository.name, result)
        if error:
            raise error

    def _watched(self, told: Told, *arguments: str, total: int = 0) -> Iterator[Mapping[str, Any]]:
        """Run restic and hand on what it says, a value a line; kill it when it stands still."""
        argv = ("docker", "exec", "--env=RESTIC_PROGRESS_FPS=1", NAME, *self.argv(*arguments))
        pipe = subprocess.PIPE
        watch = _Watch()
        with subprocess.Popen(
            argv, env=self.helper.engine.environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT
        ) as process:
            assert process.stdout  # noqa: S101 (a pipe, for the type checker)
            last: list[str] = []
            threading.Thread(target=watch.end_when_still, args=(process,), daemon=True).start()
            for line in process.stdout:
                try:
                    value = json.loads(line)
                except ValueError:
                    last = [*last[-2:], line.decode(errors="replace").strip()]
                    continue
                if value.get("message_type") == "status":
                    watch.moved(value.get("bytes_done", value.get("bytes_restored", 0)))
                    told(pace.describe({**value, "total_bytes": total or value.get("total_bytes")}))
                if value.get("message_type") in ("error", "exit_error"):
                    last = [*last[-2:], _message(value)]
                yield value
            process.wait()
            watch.ended.set()
        if watch.stopped:
            self.helper.run("pkill", "-x", "restic")
            raise SystemFailure(f"{self.repository.name} stood still for {STALL_SECONDS} s, and was given up")
        self._complain(Result(process.returncode, b"", "\n".join(last).encode()))


def examine(helper: Helper, known: snapshots.Snapshot, target: str) -> snapshots.Manifest:
    """Make sure that a folder of the helper holds the set as it was saved; return its manifest.

    Each file byte for byte; a folder by its list, since what is in it restic itself has compared.

    Raises:
        CheckFailed: when it does not.
    """
    text = helper.run("cat", f"{target}/manifest.json").stdout
    manifest = snapshots.parse_manifest(text, known.name)
    wrong = snapshots.complaints(manifest, snapshots.make_inventory(helper.inventory(f"{target}/parts")))
    if wrong:
        raise CheckFailed(f"{known.name} in {known.repository} is spoilt: {'; '.join(wrong)}")
    return manifest


def _message(value: Mapping[str, Any]) -> str:
    error = value.get("error")
    return str(value.get("message") or (error.get("message") if isinstance(error, dict) else error) or "")


class _Watch:
    """Ends a process that makes no progress."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.stopped = False
        self._done, self._at = -1, time.monotonic()

    def moved(self, done: int) -> None:
        """Note how far it is."""
        if done != self._done:
            self._done, self._at = done, time.monotonic()

    def end_when_still(self, process: subprocess.Popen[bytes]) -> None:
        """Wait beside the process, and kill it when it stands still for too long."""
        while not self.ended.wait(5):
            if time.monotonic() - self._at > STALL_SECONDS:
                self.stopped = True
                process.kill()
                return
