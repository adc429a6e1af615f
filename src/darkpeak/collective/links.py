"""Links in `services/`: a folder there may be a link, but not to itself, upwards, to another service, or out of git."""

from collections.abc import Iterator
from pathlib import Path

LEAVE = "remove the link; or put a folder there, and its files into git"


def link_fault(root: Path, path: Path) -> str:
    """Return what is wrong with a link in a collective's folder; empty if it is no link, or if it can stay."""
    if not path.is_symlink():
        return ""
    target = f"is a link to {path.readlink()}, which"
    try:
        found = path.resolve(strict=True)
    except RuntimeError:
        return f"{target} refers to itself"
    except OSError:
        return f"{target} cannot be followed"
    return next((f"{target} {why}" for why in _faults(root, path, found)), "")


def _faults(root: Path, path: Path, found: Path) -> Iterator[str]:
    """Yield why what a link leads to cannot be there."""
    if path.parent.resolve().is_relative_to(found):
        yield "contains the link itself"
    if found.is_dir() and not found.is_relative_to(root.resolve()):
        yield "is outside the collective"
    if found.is_dir() and path.parent != root and found.is_relative_to((root / "services").resolve()):
        yield "is a part of services/ already"
