"""Remove a service for good: all that the engine has of it, and (if wanted) its snapshots. Its folder is git's.

If the folder is gone already, the engine's labels say what belongs to the service.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

from darkpeak import process
from darkpeak.actions.down import take_down
from darkpeak.actions.session import Session
from darkpeak.actions.up import ensure_base_images, lock_services
from darkpeak.collective.model import Collective, Place, Service
from darkpeak.deploy import stand_ins
from darkpeak.deploy.login_page import remove_client
from darkpeak.deploy.routing import route
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.evidence import deploys, store
from darkpeak.evidence.backups import BackupRecord
from darkpeak.evidence.drills import DrillRecord, DrillTurnRecord, RecoveryRecord, RestoreRecord, SpoiltDrillRecord
from darkpeak.evidence.machines import RestartsRecord
from darkpeak.evidence.measured import LevelRecord, UpdatesRecord
from darkpeak.evidence.moves import MoveRecord
from darkpeak.evidence.ownership import require_ours
from darkpeak.evidence.people import ReviewRecord
from darkpeak.evidence.usage import UsageRecord
from darkpeak.plan.status import addresses
from darkpeak.progress import Progress
from darkpeak.vocabulary import LABEL, PROJECT, PROJECT_LABEL

RECORDS = (
    *(BackupRecord, DrillRecord, SpoiltDrillRecord, DrillTurnRecord, RestoreRecord, RecoveryRecord),
    *(LevelRecord, MoveRecord, RestartsRecord, ReviewRecord, UpdatesRecord, UsageRecord),
)


@dataclass(frozen=True)
class Remains:
    """What an engine has of a service."""

    service: str
    host: str
    containers: tuple[str, ...]
    volumes: tuple[str, ...]  # with data
    networks: tuple[str, ...]
    images: tuple[str, ...]
    addresses: tuple[str, ...]  # at which members reach it
    records: tuple[str, ...]  # volumes with records of deploys, backups and drills

    def lines(self) -> Iterator[str]:
        """Yield what it has, one line for each kind."""
        named = {
            "containers": self.containers,
            "volumes, with all data": self.volumes,
            "networks": self.networks,
            "images": self.images,
            "addresses": self.addresses,
        }
        yield from (f"{what}: {', '.join(names)}" for what, names in named.items() if names)
        if self.records:
            yield f"records of deploys, backups and drills: {len(self.records)}"

    def __bool__(self) -> bool:
        return bool(self.containers or self.volumes or self.networks or self.images or self.records)


def gone_service(collective: Collective, name: str) -> Service | None:
    """Return a service without a folder, as it is known by its name; None if no such service can have been here."""
    known = {item.name for item in collective.services} | {item.project for item in collective.services}
    folder = collective.root / "services" / name
    if not LABEL.fullmatch(name) or {name, PROJECT + name} & known or os.path.lexists(folder):
        return None  # a folder whose files are broken is not gone
    return Service(name, folder, Place(f"services/{name}", 1), project=PROJECT + name)


def find_gone(targets: Sequence[Target], service: Service) -> Target | None:
    """Return the first engine that has something of a service whose folder is gone; None if there is none.

    Raises:
        UsageError: when an engine is another collective's.
    """
    alone = (target.only(service) for target in targets)
    return next((target for target in alone if find_remains(target)), None)


def find_remains(target: Target) -> Remains:
    """Return what the engine has of the target's service.

    Raises:
        UsageError: when another service depends on it, or when the engine is another collective's; nothing was touched.
    """
    require_ours(target.collective, target.engine)
    service, engine = target.service, target.engine
    _require_unneeded(target, service)
    own = f"{PROJECT_LABEL}={service.project}"
    networks = (item for item in engine.networks() if _label(item) == service.project)
    containers = tuple(item.name for item in engine.containers_of(service.project))
    return Remains(
        service.name,
        target.host,
        containers,
        tuple(sorted(engine.volumes(own))),
        tuple(sorted(str(item["Name"]) for item in networks)),
        tuple(sorted(_images(target, service))),
        addresses(target.collective, service) if containers else (),
        records_of(target, service.name),
    )


def remove(target: Target, remains: Remains, progress: Progress) -> None:
    """Remove what the engine has of a service, its data first, so that a second try finds what is left.

    Raises:
        UsageError: when another service depends on it.
        SystemFailure: when the engine, or the login page, does not remove something; the same command continues.
    """
    name = remains.service
    if _is_gone(target):
        _take_apart(target, remains, progress)
    elif remains.containers or remains.volumes or remains.networks:
        take_down(target, progress, volumes=True)
    remove_client(target.collective, target.engine, name)
    progress.step(name, "removing its images and records")
    left = target.engine.volumes(f"{PROJECT_LABEL}={target.service.project}")
    for volume in (*sorted(left), *remains.records):  # volumes that its compose file does not name any more
        target.engine.remove_volume(volume)
    if remains.images:
        removed = target.engine.docker("image", "rm", *remains.images)
        if removed.code:
            what = f"an image of {name} was not removed: {removed.last_line()}"
            raise SystemFailure(what, hint=f"run the same command again: darkpeak remove {name}")
    left_over = tuple(item for item in target.collective.services if item.name != name)
    stand_ins.follow(replace(target.collective, services=left_over), target.engine)
    progress.step(name, "removed")


def _is_gone(target: Target) -> bool:
    return all(item.name != target.service.name for item in target.collective.services)


def _take_apart(target: Target, remains: Remains, progress: Progress) -> None:
    """Remove containers and networks by their names, since no compose file has them; then the service's routes."""
    ensure_base_images(target, [], progress)
    steps = [("stop", *remains.containers), ("rm", "--force", "--volumes", *remains.containers)]
    steps = [
        *(steps if remains.containers else []),
        *([("network", "rm", *remains.networks)] if remains.networks else []),
    ]
    with ExitStack() as stack:
        lock_services(stack, target, [remains.service], progress)
        progress.step(remains.service, "removing")
        for words in steps:
            done = target.engine.docker(*words, seconds=process.LONG_SECONDS)
            if done.code:
                what = f"{remains.service} was not removed: {done.last_line()}"
                raise SystemFailure(what, hint=f"run the same command again: darkpeak remove {remains.service}")
        route(target.collective, target.engine, partial(progress.step, "routes"))


def remove_snapshots(session: Session, service: str) -> tuple[str, ...]:
    """Delete all snapshots of a service in all repositories; return their names.

    Raises:
        DarkpeakError: when a repository cannot be used, or refuses.
    """
    known = session.snapshots(service)
    broken = session.repositories.unusable()
    if broken:
        raise broken[0]
    for repository in session.repositories.usable():
        ids = [item.restic_id for item in known if item.repository == repository.name]
        if ids:
            session.progress.step(service, f"deleting its snapshots in {repository.name}")
            repository.forget(ids)
            session.repositories.remove(ids)
    return tuple(sorted({item.name for item in known}))


def _require_unneeded(target: Target, service: Service) -> None:
    needing = [item.name for item in target.collective.services if service.name in target.collective.depends_on(item)]
    if needing:
        what = f"{', '.join(needing)} {'depends' if len(needing) == 1 else 'depend'} on {service.name}"
        raise UsageError(f"{what}; nothing was touched", hint=f"remove it first: darkpeak remove {needing[0]}")


def _images(target: Target, service: Service) -> set[str]:
    """Return its images, with those of earlier deploys and of containers that its files had before: names, else ids."""
    own = f"{PROJECT_LABEL}={service.project}"
    labelled = {*target.engine.image_names(label=own), *target.engine.nameless_images(own)}
    names = {container.image.partition(":")[0] for container in service.containers if container.build}
    return labelled | {tag for tag in target.engine.image_names() if tag.rpartition(":")[0] in names}


def records_of(target: Target, service: str) -> tuple[str, ...]:
    """Return the volumes with records of a service's deploys, backups and drills."""
    labels = [f"{deploys.LABEL}={service}", *(f"{store.LABEL}={kind.kind} {service}" for kind in RECORDS)]
    return tuple(volume for label in labels for volume in target.engine.volumes(label))


def _label(network: Mapping[str, object]) -> str:
    labels = network.get("Labels")
    return str(labels.get(PROJECT_LABEL, "")) if isinstance(labels, dict) else ""
