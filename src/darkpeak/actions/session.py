"""A session with the repositories: it has the lock, the helper, and the opened repositories."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from darkpeak.collective.model import Service
from darkpeak.collective.repository_url import parse
from darkpeak.deploy.target import Target
from darkpeak.engine import base, lock
from darkpeak.engine.engine import Engine
from darkpeak.errors import UsageError
from darkpeak.evidence.ownership import require_ours
from darkpeak.helper import container as helpers
from darkpeak.helper.container import Helper
from darkpeak.helper.scripts import ComposeProject, Scripts
from darkpeak.progress import Progress
from darkpeak.repository.key import Secret
from darkpeak.repository.repositories import Repositories
from darkpeak.repository.restic import OPENING, ResticRepository
from darkpeak.repository.snapshots import Snapshot
from darkpeak.vocabulary import COLLECTIVE_FILE, DRILL_LABEL, PROJECT_LABEL, SUITE


@dataclass(frozen=True)
class Session:
    """What all actions with snapshots need."""

    target: Target
    scripts: Scripts
    progress: Progress
    repositories: Repositories

    @property
    def engine(self) -> Engine:
        """The engine on which the services run."""
        return self.target.engine

    @property
    def helper(self) -> Helper:
        """The helper on that engine."""
        return self.scripts.helper

    @property
    def host(self) -> str:
        """The engine's name under [hosts]."""
        return self.target.host

    def require(self) -> None:
        """Wait until at least one repository can be used.

        Raises:
            DarkpeakError: when none can be used; the first one's error.
        """
        self.repositories.usable()

    def project(self, service: Service) -> ComposeProject:
        """Return the live project of a service, for its scripts."""
        return ComposeProject(service, service.project, partial(self.target.compose.call, service))

    def on_line(self, name: str) -> Callable[[str], None]:
        """Return a function that reports the lines that a tool prints for `name`."""
        return partial(self.progress.line, name)

    def snapshots(self, service: str | None = None) -> list[Snapshot]:
        """Return the snapshots in all usable repositories, of one service or of all."""
        return [known for known in self.repositories.snapshots() if service in (None, known.service)]

    def repository_of(self, known: Snapshot) -> ResticRepository:
        """Return the repository that listed a snapshot."""
        return next(item for item in self.repositories.usable() if item.name == known.repository)


@contextmanager
def opened(target: Target, secret: Secret, progress: Progress, *, create: bool = False) -> Iterator[Session]:
    """Take the lock, start the helper, and begin to open every repository; yield the session.

    The repositories are opened in the background: call `require` before a service is touched.

    Only one helper runs on an engine at a time. Two backups would only slow each other down; and because of the lock,
    all restic locks of helpers on this engine are those of dead ones.

    Raises:
        UsageError: when collective.toml names no repository, or when the engine belongs to another collective.
        DarkpeakError: (create) when a repository cannot be made, or cannot be used.
    """
    urls = [parse(name) for name in target.collective.backup.repositories]
    if not urls:
        hint = 'write [backup] and repositories = ["sftp:backup@nas.example:/darkpeak"]'
        raise UsageError("there are no backup repositories", where=COLLECTIVE_FILE, hint=hint)
    require_ours(target.collective, target.engine)
    volumes = [url.volume for url in urls if url.volume]
    with helped(target.engine, partial(progress.step, "backup"), volumes, _service_volumes(target)) as scripts:
        named = [ResticRepository(scripts.helper, url, number) for number, url in enumerate(urls)]
        _put_secrets(scripts.helper, secret, named)
        if create:
            with ThreadPoolExecutor(len(named)) as pool:
                list(pool.map(ResticRepository.create, named))
        session = Session(target, scripts, progress, Repositories(named))
        if create and session.repositories.unusable():
            raise session.repositories.unusable()[0]
        yield session


@contextmanager
def helped(
    engine: Engine, on_step: Callable[[str], None], repositories: Sequence[str] = (), volumes: Sequence[str] = ()
) -> Iterator[Scripts]:
    """Take the lock and start the helper, with volumes of repositories and of services; yield what runs scripts in it.

    Raises:
        SystemFailure: when the lock is not free in time, or when the engine does not start the helper.
    """
    base.ensure(engine, SUITE, on_step)  # locks are containers of this image, which an empty daemon lacks
    with (
        lock.hold(engine, lock.BACKUPS, on_step),
        helpers.start(engine, repositories, volumes, on_step) as helper,
    ):
        _sweep(engine)
        scripts = Scripts(helper)
        with scripts.entries:
            yield scripts
            helper.empty()


def _service_volumes(target: Target) -> list[str]:
    projects = {service.project for service in target.collective.services}
    labels = target.engine.volumes(PROJECT_LABEL)
    return [name for name in labels if labels[name][PROJECT_LABEL] in projects]


def _put_secrets(helper: Helper, secret: Secret, named: list[ResticRepository]) -> None:
    files = {OPENING: secret.password + "\n"}
    for repository in named:
        files |= repository.secrets(secret)
    helper.put_secrets(files)


def _sweep(engine: Engine) -> None:
    """Remove the scratch projects of killed drills; no drill runs now, since we have the lock."""
    found = [item["Labels"] for item in engine.containers(DRILL_LABEL)]
    for project in sorted({labels.get(PROJECT_LABEL, "") for labels in found} - {""}):
        engine.docker("compose", "--project-name", project, "down", "--volumes", "--timeout", "1")
