"""`id` of collective.toml: by it, an engine knows to which collective it belongs, also after a new name or domain.

The first `up` makes it. So a copy of a collective's files that never had an `up` begins as a collective of its own.
"""

from collections.abc import Mapping
from typing import Any

from darkpeak.collective.tree import toml_line

WHY = "made by darkpeak up: engines know the collective by it"


def read_id(data: Mapping[str, Any]) -> str:
    """Return the id of a parsed collective.toml; empty if it has none."""
    written = data.get("id")
    return written.strip() if isinstance(written, str) else ""


def with_id(text: str, made: str) -> str:
    """Return the text of a collective.toml with this id, below the domain; it must have none."""
    lines = text.splitlines(keepends=True)
    place = toml_line(text, "domain")
    lines[place - 1] = lines[place - 1].rstrip("\r\n") + "\n"
    lines.insert(place, f'id = "{made}" # {WHY}\n')
    return "".join(lines)
