"""Which images of a collective nobody needs any more. Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Image:
    """An image of the engine."""

    id: str
    names: tuple[str, ...] = ()  # with tags; none if another image has got its name
    project: str = ""  # of compose, which built it; empty if something else made it
    own_base: bool = False  # whether `darkpeak base` made it
    unshared: int = 0  # bytes that no other image has


@dataclass(frozen=True)
class Needed:
    """What must stay."""

    ids: frozenset[str]  # of the images that containers use, or to which a rollback could go back
    names: frozenset[str]  # of the containers' images now, of kept deploys, of the backup helper
    projects: frozenset[str]  # of the collective's services
    prefixes: tuple[str, ...]  # with which names begin that only this tool gives: `darkpeak-wiki-webserver:deploy-`


@dataclass(frozen=True, order=True)
class Unneeded:
    """A name or an image that can go."""

    name: str  # or the id of an image without a name
    bytes: int


def find_unneeded(images: Sequence[Image], needed: Needed) -> list[Unneeded]:
    """Return what can go, sorted: tool-made names that nothing needs, and own images without a name or a user."""
    return sorted(item for image in images for item in _of(image, needed))


def _of(image: Image, needed: Needed) -> Iterator[Unneeded]:
    if image.id in needed.ids and not image.names:
        return
    if not image.names:
        if image.project in needed.projects or image.own_base:
            yield Unneeded(image.id, image.unshared)
        return
    gone = [name for name in image.names if _is_ours(name, needed.prefixes) and name not in needed.names]
    for name in gone:
        # Its data goes with its last name.
        last = len(gone) == len(image.names) and name == gone[-1]
        yield Unneeded(name, image.unshared if last else 0)


def _is_ours(name: str, prefixes: Collection[str]) -> bool:
    return any(name.startswith(prefix) for prefix in prefixes)
