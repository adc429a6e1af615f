"""Values as JSON, and back by their types: frozen dataclasses of texts, numbers, paths, ranges and tuples. Pure."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

PLAIN = (str, int, float, bool, NoneType)


def pack(value: object) -> Any:
    """Return a value as JSON can keep it; a dataclass becomes the list of its fields."""
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, range):
        return [value.start, value.stop]
    if isinstance(value, tuple | frozenset):
        return [pack(part) for part in value]
    return [pack(getattr(value, field.name)) for field in fields(value)]  # type: ignore[arg-type]


def unpack(kind: Any, packed: Any) -> Any:
    """Return the value of a type that was packed.

    Raises:
        ValueError, TypeError: when it is no such value.
    """
    return _reader(kind)(packed)


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """Return a function that unpacks values of a type."""
    parts = get_args(kind)
    if get_origin(kind) is tuple and parts[-1] is Ellipsis:
        read = _reader(parts[0])
        return lambda packed: tuple([read(part) for part in packed])
    if get_origin(kind) is tuple:
        reads = [_reader(part) for part in parts]
        return lambda packed: tuple([read(part) for read, part in zip(reads, packed, strict=True)])
    if NoneType in parts:  # X | None
        known = _reader(next(part for part in parts if part is not NoneType))
        return lambda packed: None if packed is None else known(packed)
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        own = [_reader(hints[field.name]) for field in fields(kind)]
        make: Any = kind  # mypy takes it for a value, not for a class
        return lambda packed: make(*[read(part) for read, part in zip(own, packed, strict=True)])
    special: dict[Any, Callable[[Any], Any]] = {
        Path: Path,
        range: lambda packed: range(*packed),
        frozenset[int]: frozenset,
    }
    return special.get(kind, lambda packed: packed)
