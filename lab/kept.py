"""A collective with a ledger and a repository, used with the tool's commands, or with its functions to save time."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkpeak.actions.backup import folder_of
from darkpeak.actions.session import Session, opened
from darkpeak.collective import read
from darkpeak.deploy.target import Target
from darkpeak.engine.engine import Engine
from darkpeak.helper.container import CACHE, WORK
from darkpeak.output import ProgressTable
from darkpeak.repository import key as keys
from lab import ledger
from lab.collectives import Collective
from lab.commands import Result, run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator

    from darkpeak.collective.model import Service

REPOSITORY = "darkpeak-test-repository"
SMALL, LARGE = 2000, 300_000  # transfers: 80 KB and 11 MB
SAVED = 0
RECORDS = ("darkpeak.record", "darkpeak.deploy")  # labels of volumes


@dataclass(frozen=True)
class Kept:
    """A collective with repositories, and the ssh key of an admin who can open them."""

    collective: Collective
    key: Path

    def darkpeak(self, command: str, *arguments: str, check: bool = True) -> Result:
        """Run a command that needs the key."""
        return self.collective.darkpeak(*command.split(), *arguments, *self.identity, check=check, timeout=600)

    @property
    def identity(self) -> tuple[str, str]:
        """The option with the admin's ssh key."""
        return ("--identity", str(self.key))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command, and do not wait for its end."""
        return self.collective.start(*arguments, *self.identity)

    def docker(self, *arguments: str, check: bool = True) -> str:
        """Run the docker client; return its output."""
        return run(["docker", "--host", self.collective.host.docker_host, *arguments], check=check).stdout.strip()

    def snapshots(self, service: str = ledger.NAME) -> list[dict[str, Any]]:
        """Return the snapshots of a service."""
        found: list[dict[str, Any]] = json.loads(self.darkpeak("snapshots", service, "--json").stdout)
        return found

    def write_backup(self, *repositories: str) -> None:
        """Write the repositories into collective.toml."""
        path = self.collective.top / "collective.toml"
        text = re.sub(
            r"^repositories = .*$", f"repositories = {json.dumps(repositories)}", path.read_text(), flags=re.MULTILINE
        )
        path.write_text(text)

    @contextmanager
    def session(self, secret: keys.Secret | None = None) -> Iterator[Session]:
        """Start the helper and open the repositories, as a command does; yield the session, for many actions."""
        found = read(self.collective.top)[0]
        target = Target(found, Engine(self.collective.host.docker_host), found.services)
        with ProgressTable(quiet=True) as progress, opened(target, secret or self.secret, progress) as work:
            yield work

    @property
    def secret(self) -> keys.Secret:
        """The content of the backup key."""
        return keys.read(read(self.collective.top)[0], [self.key], str)

    @property
    def ledger(self) -> Service:
        """The ledger, as the tool reads it."""
        return next(item for item in read(self.collective.top)[0].services if item.name == ledger.NAME)

    def content_of(self, names: Iterable[str]) -> dict[str, str]:
        """Return the ledger's content in each of these snapshots, verified byte for byte as in a restore."""
        found = {}
        with self.session() as work:
            for known in [item for item in work.snapshots(ledger.NAME) if item.name in set(names)]:
                target = f"{WORK}/looked"
                work.repository_of(known).fetch(known, folder_of(self.ledger), target, lambda _: None)
                found[known.name] = work.helper.must("cat", f"{target}/parts/ledger.txt").decode()
        return found

    @property
    def volume(self) -> Path:
        """The folder of the repository's volume; the engine runs on this host."""
        return Path(self.docker("volume", "inspect", REPOSITORY, "--format", "{{.Mountpoint}}"))

    def packs(self) -> list[Path]:
        """Return the repository's data files."""
        return sorted(path for path in (self.volume / "data").rglob("*") if path.is_file())

    def locks(self) -> set[str]:
        """Return the names of the locks in the repository, without unfinished files."""
        return {path.name for path in (self.volume / "locks").iterdir() if "-tmp-" not in path.name}


def restore_by_hand(kept: Kept, service: str, home: Path) -> None:
    """Restore the newest snapshot with the commands of `--explain`: age, docker (restic), the service's script."""
    lines = kept.collective.darkpeak("restore", service, "--explain").stdout
    (home / ".ssh").mkdir()
    shutil.copy(kept.key, home / ".ssh" / "id_ed25519")
    by_hand = f"set -euo pipefail\n{lines}".replace(" ID ", f" {kept.snapshots(service)[-1]['restic_id']} ")
    environment = {**kept.collective.environment, "HOME": str(home)}
    run(["bash", "-c", by_hand], cwd=kept.collective.top, env=environment, timeout=120)
    shutil.rmtree(kept.collective.top / f"{service}-restored")


def leftovers(kept: Kept) -> list[str]:
    """Return the containers that a command should have removed before it ended."""
    names = kept.docker("ps", "-a", "--format", "{{.Names}}").split()
    return [name for name in names if re.search("-helper|-lock-|-drill-", name) and "-record-" not in name]


@contextmanager
def keep(collective: Collective, top: Path) -> Iterator[Kept]:
    """Copy the collective into a folder, start the ledger, make an empty repository; yield it, then remove it."""
    shutil.copytree(collective.top, top, dirs_exist_ok=True)
    own = Collective(top, collective.host)
    text = (top / "collective.toml").read_text()
    for name in ("ada", "grace"):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(top / name)])
        public = (top / f"{name}.pub").read_text().strip()
        text = text.replace(f"[admins.{name}]\n", f'[admins.{name}]\nssh = ["{public}"]\n')
    (top / "collective.toml").write_text(text + "\n[backup]\nrepositories = []\n")
    ledger.add(own)
    kept = Kept(own, top / "ada")
    kept.write_backup(f"volume:{REPOSITORY}")
    try:
        own.darkpeak("up", ledger.NAME, timeout=900)
        kept.darkpeak("backup init")
        yield kept
    finally:
        forget(kept)


def forget(kept: Kept) -> None:
    """Remove the ledger, the repository and all records, also when they are incomplete."""
    kept.collective.darkpeak("down", ledger.NAME, "--volumes", "--yes", timeout=120, check=False)
    running = leftovers(kept)
    if running:
        kept.docker("rm", "-f", *running)
    volumes = {REPOSITORY, CACHE}
    for label in RECORDS:
        volumes |= set(kept.docker("volume", "ls", "-q", "--filter", f"label={label}").split())
    kept.docker("volume", "rm", "-f", *volumes)


def wait_for_line(process: subprocess.Popen[str], begin: str) -> None:
    """Wait until a command prints a line with this beginning on standard error."""
    assert process.stderr
    said: list[str] = []
    while not (said and said[-1].startswith(begin)):
        said.append(process.stderr.readline())
        assert said[-1], said
