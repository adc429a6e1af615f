"""The names that a collective's files have, read quickly and without any check, for the completion in a shell."""

from collections.abc import Callable, Mapping
from pathlib import Path

from darkpeak.collective import text, tree
from darkpeak.vocabulary import COLLECTIVE_FILE, COMPOSE_FILE


def services(root: Path) -> list[str]:
    """Return the names of the services that have a compose file, sorted."""
    return sorted(file.parent.name for file in root.glob(f"services/*/{COMPOSE_FILE}"))


def hosts(root: Path) -> list[str]:
    """Return the names under [hosts], sorted."""
    return _table(root, "hosts")


def admins(root: Path) -> list[str]:
    """Return the names under [admins], sorted."""
    return _table(root, "admins")


LISTS: Mapping[str, Callable[[Path], list[str]]] = {"SERVICE": services, "HOST": hosts, "ADMIN": admins}


def _table(root: Path, key: str) -> list[str]:
    try:
        found = tree.read_toml(text.read(root / COLLECTIVE_FILE)).get(key)
    except text.NotReadable:
        return []
    return sorted(found) if isinstance(found, dict) else []
