"""What is written down on a daemon for every admin to see: facts as the labels of empty volumes.

A volume, because that is what `docker system prune` leaves alone; it takes containers that never ran, and their labels.
(`docker volume prune` takes it on engines before 23, as it there takes the data of every service that is stopped.)
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from darkpeak.engine.engine import Engine, in_short
from darkpeak.errors import SystemFailure


def write(engine: Engine, name: str, labels: Mapping[str, str]) -> None:
    """Write a note under a name that no other note has.

    Raises:
        SystemFailure: when the engine does not take it.
    """
    with _asking(engine, "did not write down what was done", "is its disk full? darkpeak doctor looks"):
        engine.client.api.create_volume(name, labels=dict(labels))


def read(engine: Engine, label: str) -> dict[str, dict[str, str]]:
    """Return the notes that have a label (`KEY` or `KEY=VALUE`): their labels, by name.

    Raises:
        SystemFailure: when the engine does not say.
    """
    return engine.volumes(label)


def forget(engine: Engine, name: str) -> None:
    """Remove a note; one that cannot be removed now is no harm, since a newer one stands beside it."""
    with suppress(SystemFailure), _asking(engine, "did not remove an old record"):
        engine.client.api.remove_volume(name)


@contextmanager
def _asking(engine: Engine, failure: str, hint: str = "") -> Iterator[None]:
    from docker.errors import DockerException

    try:
        yield
    except (DockerException, OSError) as error:
        raise SystemFailure(f"the engine at {engine.name} {failure}: {in_short(error)}", hint=hint) from None
