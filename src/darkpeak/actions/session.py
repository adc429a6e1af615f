"""A stretch of work with the repositories: the lock, the helper, the opened repositories."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from darkpeak.actions.target import Target
from darkpeak.collective.model import Service
from darkpeak.collective.repository_url import parse
from darkpeak.engine import base, lock
from darkpeak.engine.engine import PROJECT_LABEL, Engine
from darkpeak.errors import UsageError
from darkpeak.helper import container as helpers
from darkpeak.helper.container import Helper
from darkpeak.helper.scripts import ComposeProject, Scripts
from darkpeak.progress import Progress
from darkpeak.repository.key import Secret
from darkpeak.repository.repositories import Repositories
from darkpeak.repository.restic import OPENING, ResticRepository
from darkpeak.repository.snapshots import Snapshot
from darkpeak.vocabulary import COLLECTIVE_FILE, DRILL_LABEL, SUITE

LOCK = "_backup"  # no service can be called so


@dataclass(frozen=True)
class Session:
    """What all work with snapshots needs."""

    target: Target
    scripts: Scripts
    progress: Progress
    repositories: Repositories

    @property
    def engine(self) -> Engine:
        """The engine whose services these are."""
        return self.target.engine

    @property
    def helper(self) -> Helper:
        """The helper that runs on it."""
        return self.scripts.helper

    @property
    def host(self) -> str:
        """The engine's name in [hosts]."""
        return self.target.host

    def require(self) -> None:
        """Wait until a repository can be used.

        Raises:
            DarkpeakError: the first reason, when not a single one can be used.
        """
        self.repositories.usable()

    def project(self, service: Service) -> ComposeProject:
        """Return the live project of a service, for its scripts to act on."""
        return ComposeProject(service, service.project, partial(self.target.compose.call, service))

    def on_line(self, name: str) -> Callable[[str], None]:
        """Return what receives the lines that a tool prints for `name`."""
        return partial(self.progress.line, name)

    def snapshots(self, service: str | None = None) -> list[Snapshot]:
        """Return the snapshots in all repositories that answer, of one service or of all."""
        return [known for known in self.repositories.snapshots() if service in (None, known.service)]

    def repository_of(self, known: Snapshot) -> ResticRepository:
        """Return the repository that listed a snapshot."""
        return next(one for one in self.repositories.usable() if one.name == known.repository)


@contextmanager
def opened(target: Target, secret: Secret, progress: Progress, *, create: bool = False) -> Iterator[Session]:
    """Take the lock, start the helper, ask every repository whether it can be used.

    The answers are waited for by what needs them first; whatever touches a service begins with `require`.

    One helper runs on an engine at a time: two backups would only be in each other's way, and by the lock it is known
    which restic locks are those of dead helpers.

    Raises:
        UsageError: when no repository is written down.
        DarkpeakError: (create) when one cannot be made, or cannot be used.
    """
    urls = [parse(name) for name in target.collective.backup.repositories]
    if not urls:
        hint = 'write [backup] and repositories = ["sftp:backup@nas.example:/darkpeak"]; or give --to DIR'
        raise UsageError(f"{COLLECTIVE_FILE} names no backup repositories", where=COLLECTIVE_FILE, hint=hint)
    engine, step = target.engine, partial(progress.step, "backup")
    volumes = [url.volume for url in urls if url.volume]
    base.ensure(engine, SUITE, step)  # of which locks are made; an empty daemon has none
    with (
        lock.hold(engine, LOCK, step),
        helpers.start(engine, volumes, _service_volumes(target), step) as helper,
    ):
        _sweep(engine)
        scripts = Scripts(helper)
        with scripts.ways:
            named = [ResticRepository(helper, url, number) for number, url in enumerate(urls)]
            _put_secrets(helper, secret, named)
            if create:
                with ThreadPoolExecutor(len(named)) as pool:
                    list(pool.map(ResticRepository.create, named))
            session = Session(target, scripts, progress, Repositories(named))
            if create and session.repositories.unusable():
                raise session.repositories.unusable()[0]
            yield session
            helper.empty()


def _service_volumes(target: Target) -> list[str]:
    projects = {service.project for service in target.collective.services}
    labels = target.engine.volumes(PROJECT_LABEL)
    return [name for name in labels if labels[name][PROJECT_LABEL] in projects]


def _put_secrets(helper: Helper, secret: Secret, named: list[ResticRepository]) -> None:
    files = {OPENING: secret.password + "\n"}
    for one in named:
        files |= one.secrets(secret)
    helper.put_secrets(files)


def _sweep(engine: Engine) -> None:
    """Remove the scratch projects of drills that were killed: the lock is ours, so no drill runs now."""
    found = engine.labels_of_containers(DRILL_LABEL)
    for project in sorted({labels.get(PROJECT_LABEL, "") for labels in found} - {""}):
        engine.docker("compose", "--project-name", project, "down", "--volumes", "--timeout", "1")
