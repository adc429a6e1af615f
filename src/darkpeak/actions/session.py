"""A stretch of work with the repositories: the lease, the helper, the opened repositories."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from darkpeak.collective.model import Collective, Service
from darkpeak.collective.repository_url import parse
from darkpeak.deploy.executor import Progress
from darkpeak.engine import base, lock
from darkpeak.engine.compose import Compose
from darkpeak.engine.engine import PROJECT_LABEL, Engine
from darkpeak.errors import DarkpeakError, UsageError
from darkpeak.helper import helper as helpers
from darkpeak.helper.helper import Helper, Stage
from darkpeak.plan.scratch import LABEL
from darkpeak.repository.key import Secret
from darkpeak.repository.repositories import Repositories
from darkpeak.repository.restic import Store
from darkpeak.repository.snapshots import Snapshot

LOCK = "_backup"  # no service can be called so


@dataclass(frozen=True)
class Place:
    """One engine of a collective; `host` is its name in [hosts], where there are several."""

    collective: Collective
    compose: Compose
    host: str = ""


@dataclass(frozen=True)
class Session:
    """What all work with sets needs."""

    place: Place
    helper: Helper
    progress: Progress
    repositories: Repositories

    @property
    def engine(self) -> Engine:
        """The engine whose services these are."""
        return self.place.compose.engine

    @property
    def host(self) -> str:
        """The engine's name in [hosts]."""
        return self.place.host

    @property
    def stores(self) -> tuple[Store, ...]:
        """The repositories that can be used; raises why not, when not a single one can."""
        return self.repositories.stores()

    @property
    def absent(self) -> tuple[DarkpeakError, ...]:
        """Why the other repositories cannot be used now."""
        return self.repositories.absent()

    def require(self) -> None:
        """Raise why no repository can be used, when not a single one can."""
        self.repositories.stores()

    def stage(self, service: Service) -> Stage:
        """Return the live project of a service, for its scripts to act on."""
        return Stage(service, service.project, partial(self.place.compose.call, service))

    def told(self, name: str) -> Callable[[str], None]:
        """Return a way to say how far something is."""
        return partial(self.progress.line, name)

    def snapshots(self, service: str | None = None) -> list[Snapshot]:
        """Return the sets in all repositories that answer."""
        return [known for known in self.repositories.snapshots() if service in (None, known.service)]

    def store_of(self, known: Snapshot) -> Store:
        """Return the repository that a set was listed by."""
        return next(store for store in self.stores if store.repository.name == known.repository)


@contextmanager
def opened(place: Place, secret: Secret, progress: Progress, *, create: bool = False) -> Iterator[Session]:
    """Take the lease, start the helper, have every repository asked whether it can be used.

    The answers are waited for by what needs them first; whatever touches a service begins by `require`.

    One helper runs on an engine at a time: two backups would only be in each other's way, and by the lease the locks
    of dead helpers are known for what they are.

    Raises:
        UsageError: when no repository is written down.
        DarkpeakError: (create) when one cannot be made, or cannot be used.
    """
    written = [parse(name) for name in place.collective.backup.repositories]
    if not written:
        hint = 'write [backup] and repositories = ["sftp:backup@nas.example:/darkpeak"]; or give --to DIR'
        raise UsageError("collective.toml names no backup repositories", where="collective.toml", hint=hint)
    engine = place.compose.engine
    repository_volumes = [item.volume for item in written if item.volume]
    say = partial(progress.step, "backup")
    projects = {service.project for service in place.collective.services}
    labels = engine.volumes(PROJECT_LABEL)
    service_volumes = [name for name in labels if labels[name][PROJECT_LABEL] in projects]
    base.ensure(engine, lock.IMAGE.partition(":")[2], say)  # of which locks are made; an empty daemon has none
    with (
        lock.hold(engine, LOCK, say),
        helpers.start(engine, repository_volumes, service_volumes, say) as helper,
    ):
        _sweep(engine)
        stores = [Store(helper, repository, number) for number, repository in enumerate(written)]
        needed = [store.secrets(secret) for store in stores]
        helper.put_secrets(
            {"password": secret.password + "\n"} | {name: item[name] for item in needed for name in item}
        )
        if create:
            with ThreadPoolExecutor(len(stores)) as pool:
                list(pool.map(Store.create, stores))
        session = Session(place, helper, progress, Repositories(stores))
        if create and session.absent:
            raise session.absent[0]
        yield session
        helper.empty()


def _sweep(engine: Engine) -> None:
    """Remove the scratch projects of drills that were killed: the lease is ours, so nobody drills now."""
    found = engine.client.api.containers(all=True, filters={"label": [LABEL]})
    for project in sorted({item["Labels"].get(PROJECT_LABEL, "") for item in found} - {""}):
        engine.docker("compose", "--project-name", project, "down", "--volumes", "--timeout", "1")
