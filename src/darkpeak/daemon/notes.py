"""What is written down on a daemon for every admin to see: facts as the labels of empty volumes.

A volume, because that is what `docker system prune` leaves alone; it takes containers that never ran, and their labels.
"""

from collections.abc import Mapping

from darkpeak.daemon.engine import Engine


def write(engine: Engine, name: str, labels: Mapping[str, str]) -> None:
    """Write a note under a name that no other note has."""
    engine.client.api.create_volume(name, labels=dict(labels))


def read(engine: Engine, label: str) -> dict[str, dict[str, str]]:
    """Return the notes that have a label (`KEY` or `KEY=VALUE`): their labels, by name."""
    found = engine.client.api.volumes(filters={"label": [label]})["Volumes"]
    return {item["Name"]: item["Labels"] for item in found or ()}


def forget(engine: Engine, name: str) -> None:
    """Remove a note, or nothing where somebody else has done so."""
    from docker.errors import APIError

    try:
        engine.client.api.remove_volume(name)
    except APIError as error:
        if error.status_code != 404:  # noqa: PLR2004 (not found)
            raise
