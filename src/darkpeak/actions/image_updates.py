"""Find images of registries that have a newer one under the same tag: those of compose files, and those built upon."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace

from darkpeak.actions.updates import NOT_RUNNING, Unknown, Update, Updates
from darkpeak.collective import count
from darkpeak.collective.model import Container, Service
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure
from darkpeak.lint.build_file import DEBIAN, build_files
from darkpeak.packages.container import CannotTell
from darkpeak.packages.listed import Kind
from darkpeak.packages.references import NoReference, Reference, read_reference
from darkpeak.packages.registry import find_digest
from darkpeak.progress import Progress

AT_ONCE = 4


@dataclass(frozen=True)
class Used:
    """An image that a container of a service uses, with the digest that it uses; or why that is not known."""

    service: str
    container: str
    image: Reference | CannotTell
    others: tuple[str, ...] = ()  # digests of the same image: registries can have it under several


def find_image_updates(targets: Sequence[Target], progress: Progress) -> Updates:
    """Return the images of which a registry has a newer one, and the containers where that is unknown."""
    used = list(dict.fromkeys(item for target in targets for item in list_images(target)))
    wanted = sorted({item.image for item in used if isinstance(item.image, Reference)})
    if wanted:
        progress.step("images", f"asking registries about {count(len(wanted), 'image')}")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        digests = dict(zip(wanted, pool.map(_ask, wanted), strict=True))
    updates: list[Update] = []
    unknown: list[Unknown] = []
    for item in used:
        answer = item.image if isinstance(item.image, CannotTell) else digests[item.image]
        if isinstance(answer, CannotTell):
            unknown.append(Unknown(item.service, item.container, str(answer)))
        elif isinstance(item.image, Reference) and answer not in (item.image.digest, *item.others):
            place = (item.service, item.container, item.image.name)
            updates.append(Update(*place, item.image.digest, answer, security=False, kind=Kind.IMAGE))
    return Updates(tuple(sorted(updates)), tuple(sorted(unknown)))


def _ask(reference: Reference) -> str | CannotTell:
    try:
        return find_digest(reference)
    except CannotTell as error:
        return error


def list_images(target: Target) -> Iterator[Used]:
    """Yield the images of registries that the target's services use.

    Of Debian itself only one with a digest: else apt knows which of its packages are out of date.
    """
    for service in target.running:
        for container in service.containers:
            if not container.build and not _is_plain_debian(container.image):
                yield _running(target, service, container)
        for file in build_files(service):
            for line, image in file.bases():
                if not _is_plain_debian(image):
                    yield Used(service.name, file.container.name, _pinned(image, str(file.at(line))))


def _is_plain_debian(image: str) -> bool:
    return "@" not in image and DEBIAN.fullmatch(image) is not None


def _pinned(text: str, at: str) -> Reference | CannotTell:
    """Return an image with tag and digest; without a digest nobody knows which one was taken."""
    try:
        reference = read_reference(text)
    except NoReference as error:
        return CannotTell(f"{error} ({at})")
    if not reference.tag:
        return CannotTell(f"{at} names no tag beside the digest of {reference.name}: write NAME:TAG@sha256:…")
    if not reference.digest:
        return CannotTell(f"{at} names no digest of {reference.name}: write {reference.name}@sha256:…")
    return reference


def _running(target: Target, service: Service, container: Container) -> Used:
    """Return the image that a compose file names; without a digest, with the one of the image that runs."""
    pinned = Used(service.name, container.name, _pinned(container.image, str(container.at)))
    if isinstance(pinned.image, Reference) or "@" in container.image:
        return pinned
    try:
        reference = read_reference(container.image)
        running = target.engine.observe().running(service.project, container.name)
        known = _digests(target.engine.registry_digests(running.image) if running else (), reference)
    except NoReference:
        return pinned
    except SystemFailure as error:
        return replace(pinned, image=CannotTell(error.message))
    if not known:
        why = f"the engine does not know which {reference.name} of its registry it has"
        return replace(pinned, image=CannotTell(why if running else NOT_RUNNING))
    return replace(pinned, image=replace(reference, digest=known[0]), others=tuple(known[1:]))


def _digests(names: Iterable[str], reference: Reference) -> list[str]:
    """Return the digests that the registry of an image gave it."""
    known = []
    for name in names:
        with suppress(NoReference):  # an image without a name is <none>@<none>
            found = read_reference(name)
            if (found.registry, found.repository) == (reference.registry, reference.repository):
                known.append(found.digest)
    return known
