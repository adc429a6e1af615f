"""What is written down on a daemon for every admin to see: facts as the labels of empty volumes.

A volume, because that is what `docker system prune` leaves alone; it takes containers that never ran, and their labels.
"""

from collections.abc import Mapping
from contextlib import suppress

from darkpeak.daemon.engine import Engine


def write(engine: Engine, name: str, labels: Mapping[str, str]) -> None:
    """Write a note under a name that no other note has."""
    engine.client.api.create_volume(name, labels=dict(labels))


def read(engine: Engine, label: str) -> dict[str, dict[str, str]]:
    """Return the notes that have a label (`KEY` or `KEY=VALUE`): their labels, by name."""
    found = engine.client.api.volumes(filters={"label": [label]})["Volumes"]
    return {item["Name"]: item["Labels"] for item in found or ()}


def forget(engine: Engine, name: str) -> None:
    """Remove a note; one that cannot be removed now is no harm, since a newer one stands beside it."""
    from docker.errors import APIError

    with suppress(APIError):
        engine.client.api.remove_volume(name)
