"""What an engine's images and build cache take on its disk."""

from dataclasses import dataclass

from darkpeak.engine.engine import Engine

REGULAR = "regular"  # the cache of a build's steps; not the folders that a Dockerfile keeps by `RUN --mount=type=cache`
UNUSED: dict[str, list[str]] = {"private": [], "type": [REGULAR]}  # `private` asks whether no image has it


@dataclass(frozen=True)
class Taken:
    """How many bytes they take."""

    images: int  # what several images share counts once
    unused_cache: int  # what a build made and no image has any more


def measure(engine: Engine) -> Taken:
    """Return what images and unused build cache take.

    Raises:
        SystemFailure: when the engine does not answer.
    """
    with engine.errors_as("did not measure its images"):
        found = engine.api.get("system/df")
    cache = (item for item in found.get("BuildCache") or () if item["Type"] == REGULAR)
    unused = sum(item["Size"] for item in cache if not item["Shared"] and not item["InUse"])
    return Taken(int(found["LayersSize"] or 0), unused)


def remove_unused_cache(engine: Engine) -> None:
    """Remove the build cache that no image has; builds of the images that are there are as quick as before.

    Raises:
        SystemFailure: when the engine does not answer.
    """
    with engine.errors_as("did not remove its build cache"):
        engine.api.post("build/prune", all=True, filters=UNUSED)
