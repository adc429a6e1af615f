"""What ran when a snapshot was made: saved with it as a file that its manifest names, and read back.

It is a file of its own, so that restic stores it once for all snapshots between two upgrades.
"""

import hashlib
import json
from dataclasses import astuple
from typing import Any

from darkpeak.actions.inventory import Inventory, take_inventory
from darkpeak.actions.session import Session
from darkpeak.actions.updates import Unknown
from darkpeak.collective.model import Service
from darkpeak.errors import CheckFailed
from darkpeak.helper.container import WORK
from darkpeak.packages.listed import Item, Kind, Listed
from darkpeak.repository.snapshots import choose

FILE = "inventory.json"


def take(session: Session, service: Service) -> str:
    """Return what runs of a service now, as text; what cannot be told is in it."""
    return write(take_inventory([session.target.only(service)], session.progress))


def write(found: Inventory) -> str:
    """Return an inventory as text: one line for each container and package, without the service's name."""
    rows = {
        "containers": [astuple(item)[1:] for item in found.containers],
        "packages": [astuple(item)[1:] for item in found.packages],
        "unknown": [astuple(item)[1:] for item in found.unknown],
    }
    return json.dumps(rows, separators=(",", ":")) + "\n"


def digest_of(text: bytes) -> str:
    """Return the hash by which a manifest names the text of an inventory."""
    return hashlib.sha256(text).hexdigest()


def parse(text: bytes, service: str) -> Inventory:
    """Return the inventory in a text.

    Raises:
        CheckFailed: when it cannot be read.
    """
    try:
        found: dict[str, Any] = json.loads(text)
        return Inventory(
            tuple(
                Item(service, container, package, version, architecture, source, Kind(kind))
                for container, package, version, architecture, source, kind in found["packages"]
            ),
            tuple(Listed(service, *row) for row in found["containers"]),
            tuple(Unknown(service, *row) for row in found["unknown"]),
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise CheckFailed(f"the inventory of a snapshot of {service} cannot be read: {error}") from error


def read(session: Session, service: str, snapshot: str) -> Inventory:
    """Return what ran when a snapshot was made.

    Raises:
        CheckFailed: when there is no such snapshot, when it was made before snapshots had an inventory, or when it is
            damaged.
    """
    services = {item.name for item in session.target.collective.services}
    known = choose(session.snapshots(), service, session.host, snapshot, services)[0]
    repository, folder = session.repository_of(known), f"{WORK}/{known.service}"
    manifest = repository.read_manifest(known, folder)
    if not manifest.inventory:
        raise CheckFailed(f"{known.name} does not say what ran: it was made before snapshots had an inventory")
    text = repository.read_file(known, f"{folder}/{FILE}")
    if digest_of(text) != manifest.inventory:
        raise CheckFailed(f"{known.name} in {known.repository} is damaged: {FILE} has different content")
    return parse(text, known.service)
