"""Remove images, build cache and indexes that this collective does not need any more."""

from contextlib import ExitStack
from dataclasses import dataclass

from darkpeak.actions.up import ensure_base_images, lock_services
from darkpeak.deploy.target import Target
from darkpeak.engine.disk import measure, remove_unused_cache
from darkpeak.evidence import deploys
from darkpeak.evidence.ownership import require_ours
from darkpeak.helper import build as helper
from darkpeak.packages.apt import LABEL as INDEX_LABEL
from darkpeak.plan.images import Needed, Unneeded, find_unneeded
from darkpeak.progress import Progress


@dataclass(frozen=True)
class Cleaned:
    """What was removed on one engine, or would be."""

    host: str
    images: tuple[Unneeded, ...]
    indexes: tuple[str, ...]  # volumes with an archive's lists, which `updates` makes again
    bytes: int  # of images and build cache: what was freed; or (dry run) what would be at least


def clean(target: Target, progress: Progress, *, dry_run: bool) -> Cleaned:
    """Remove what the services of an engine do not need; what a rollback needs stays. With `dry_run` only tell.

    No service is deployed meanwhile, since they are locked.

    Raises:
        UsageError: when the engine belongs to another collective.
        SystemFailure: when the engine does not answer.
    """
    require_ours(target.collective, target.engine)
    if dry_run:
        images = _unneeded(target)
        cache = measure(target.engine).unused_cache
        return Cleaned(target.host, images, _indexes(target), cache + sum(item.bytes for item in images))
    with ExitStack() as stack:
        ensure_base_images(target, [], progress)
        lock_services(stack, target, sorted(service.name for service in target.collective.services), progress)
        progress.step("clean", "looking for images that nobody needs")
        before = measure(target.engine)
        removed = tuple(item for item in _unneeded(target) if target.engine.remove_image(item.name))
        remove_unused_cache(target.engine)
        indexes = _indexes(target)
        for index in indexes:
            target.engine.remove_volume(index)
        after = measure(target.engine)
        freed = before.images + before.unused_cache - after.images - after.unused_cache
        return Cleaned(target.host, removed, indexes, max(0, freed))


def _unneeded(target: Target) -> tuple[Unneeded, ...]:
    """Return the images that no container uses, no file names, and no kept deploy could go back to."""
    services = target.collective.services
    containers = [item for service in services for item in service.containers if item.build]
    kept = {image for deploy in deploys.read(target.engine) if deploy.good for _, image in deploy.images}
    tags = {
        deploys.make_tag(item.image, deploy.number)
        for service in services
        for deploy in deploys.read(target.engine, service.name)
        for item in service.containers
    }
    needed = Needed(
        ids=frozenset({*(item["ImageID"] for item in target.engine.containers()), *kept}),
        names=frozenset({*(item.image for item in containers), *tags, helper.image_name(), f"{helper.NAME}:latest"}),
        projects=frozenset(service.project for service in services),
        prefixes=(*(deploys.make_tag(item.image, 0).removesuffix("0") for item in containers), f"{helper.NAME}:"),
    )
    return tuple(find_unneeded(target.engine.images(), needed))


def _indexes(target: Target) -> tuple[str, ...]:
    return tuple(sorted(target.engine.volumes(INDEX_LABEL)))
