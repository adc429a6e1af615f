"""`.env` of a service's folder: from it, plain `docker compose` there has the collective's domain and ports.

Compose files use them as `${DARKPEAK_DOMAIN:-localhost}`. The tool passes the values of collective.toml to compose;
plain compose knows only the defaults, and the file. `up` writes it. It is in git, so that a fresh clone has it.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from darkpeak.collective.model import Collective, Finding, Place, Service
from darkpeak.collective.text import read_or_empty

FILE = ".env"
NOTE = "# From collective.toml: darkpeak up writes these lines for plain docker compose."
COMPOSE_FILES = ("*.yml", "*.yaml")


def differing(collective: Collective) -> dict[Path, str]:
    """Return each service's `.env` with which plain compose would differ, and its right text (empty: no file)."""
    found = {}
    for service in collective.services:
        path = service.folder / FILE
        present, needed = read_or_empty(path), needed_in(_compose_text(service), collective.variables)
        right = make_env(present, needed, collective.variables)
        if right != present:
            found[path] = right
    return found


def stale(collective: Collective) -> Iterator[Finding]:
    """Yield a finding for each line of a service's `.env` that differs from collective.toml."""
    for service in collective.services:
        path = service.folder / FILE
        for number, line in enumerate(read_or_empty(path).splitlines(), 1):
            name, value = _assigned(line)
            right = collective.variables.get(name, value)
            if value != right:
                at = Place(str(path.relative_to(collective.root)), number)
                what = f"{name} is {value}, but {right} in collective.toml"
                yield Finding(at, "env", what, f"write the file again: darkpeak up {service.name}")


def needed_in(text: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that compose files use with another default than their value, with their values."""
    return {
        name: value
        for name, value in variables.items()
        if any(
            found["default"] != value
            for found in re.finditer(rf"(?<!\$)\${{?{name}(?![A-Za-z0-9_])(?::?-(?P<default>[^}}]*)}})?", text)
        )
    }


def make_env(present: str, needed: Mapping[str, str], variables: Mapping[str, str]) -> str:
    """Return the text of a `.env` with these values; other lines stay. It is unchanged if its values are right."""
    there = dict(map(_assigned, present.splitlines()))
    if needed.items() <= there.items() and all(there[name] == variables[name] for name in there.keys() & variables):
        return present
    others = [line for line in present.splitlines() if line != NOTE and _assigned(line)[0] not in variables]
    own = [NOTE, *(f"{name}={value}" for name, value in needed.items())] if needed else []
    return "".join(f"{line}\n" for line in (*others, *own))


def _assigned(line: str) -> tuple[str, str]:
    """Return the name and the value that a line of a `.env` sets; an empty name if it sets none."""
    found = re.fullmatch(r"\s*(?:export\s+)?(\w+)\s*[=:]\s*(?:\"([^\"]*)\"|'([^']*)'|([^#\s]*))\s*(?:#.*)?", line)
    return (found[1], next((value for value in found.groups()[1:] if value is not None), "")) if found else ("", "")


def _compose_text(service: Service) -> str:
    return "\n".join(read_or_empty(path) for pattern in COMPOSE_FILES for path in sorted(service.folder.glob(pattern)))
