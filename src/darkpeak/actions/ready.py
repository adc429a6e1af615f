"""Make a service ready to be restored into, also when its containers, its volumes or its folder are lost."""

from collections.abc import Sequence

from darkpeak.actions.session import Session
from darkpeak.actions.up import bring_up
from darkpeak.collective.model import Service
from darkpeak.deploy.target import require_read
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.helper.container import WORK
from darkpeak.plan.observed import Running
from darkpeak.plan.status import stopped_of
from darkpeak.repository.snapshots import Snapshot
from darkpeak.vocabulary import HEALTHY_SECONDS, PROJECT_LABEL

START = ("up", "--detach", "--no-build", "--no-recreate")
WAIT = ("--wait", "--wait-timeout", str(HEALTHY_SECONDS))


def make_start(service: Service) -> tuple[str, ...]:
    """Return compose's arguments that start what does not run, and wait until it is ready.

    For compose, one that has ended is not ready, unless others wait for its end. So those that are meant to end are not
    named, and not started again.
    """
    if not ending_of(service):
        return (*START, *WAIT)
    running = [item.name for item in service.containers if not item.ends]
    return (*START, *WAIT, *running) if running else START


def ending_of(service: Service) -> list[str]:
    """Return the containers that are meant to end, and for which no other waits."""
    return [item.name for item in service.containers if item.ends and not item.awaited]


def make_ready(session: Session, service: Service) -> bool:
    """Start a service that has no containers, or that is stopped; return whether it may have data to save first.

    Raises:
        SystemFailure: when a service without containers cannot be deployed.
    """
    found: Sequence[Running] = session.engine.observe().of(service.project)
    stopped = stopped_of(service, found)
    project = session.project(service)
    if stopped and _lost_volumes(session, stopped):
        session.progress.step(service.name, "removing containers whose volume is lost")
        project.compose("rm", "--force", "--stop")
        found = ()
    if not found:
        had_data = bool(session.engine.volumes(f"{PROJECT_LABEL}={service.project}"))
        result = bring_up(session.target.only(service), session.progress, names=[service.name])
        if result.failures:
            raise SystemFailure(f"{service.name} {result.failures[0].failure}")
        return had_data
    if stopped:
        session.progress.step(service.name, "starting it")
        project.compose(*make_start(service))  # if that fails, so does saving its state, which says why
    return True


def require_service(session: Session, name: str, snapshot: str | None) -> None:
    """Refuse to restore into a service that has no folder; say what its snapshots are, and how to use them.

    Raises:
        UsageError: always.
    """
    require_read(session.target.collective, name)
    known = [item for item in session.snapshots(name) if snapshot in {None, item.name}]
    services = sorted(item.name for item in session.target.collective.services)
    if not known:
        raise UsageError(f"there is no service {name}", hint=f"the services are: {', '.join(services)}")
    newest = max(known, key=lambda item: item.number)
    commit = _commit(session, newest)
    what = f"there is no service {name} in services/, but a snapshot of it: {newest.name}"
    back = f"get the folder back: git checkout {commit} -- services/{name}; " if commit else ""
    raise UsageError(what, hint=f"{back}or only its files: darkpeak restore {name} --to DIR")


def _commit(session: Session, known: Snapshot) -> str:
    """Return the git commit of the service's folder when a snapshot was made; empty if that is unknown."""
    manifest = session.repository_of(known).read_manifest(known, f"{WORK}/{known.service}")
    return manifest.commit.rstrip("+")


def _lost_volumes(session: Session, containers: Sequence[Running]) -> bool:
    mounts = [mount for item in containers for mount in session.engine.inspect(item.id)["Mounts"]]
    names = {str(mount["Name"]) for mount in mounts if mount["Type"] == "volume"}
    return any(session.engine.docker("volume", "inspect", name).code for name in sorted(names))
