"""`id` of collective.toml: by it, an engine knows to which collective it belongs, also after a new name or domain.

The first `up` makes it. So a copy of a collective's files that never had an `up` begins as a collective of its own.
"""

import re
from collections.abc import Mapping
from typing import Any

from darkpeak.collective.tree import read_toml, toml_line

DOMAIN = re.compile(r"""^(\s*domain\s*=\s*)("[^"\n]*"|'[^'\n]*')(?!["'])""")
WHY = "made by darkpeak: engines know the collective by it"


def read_id(data: Mapping[str, Any]) -> str:
    """Return the id of a parsed collective.toml; empty if it has none."""
    written = data.get("id")
    return written.strip() if isinstance(written, str) else ""


def with_domain(text: str, domain: str) -> str:
    """Return the text of a collective.toml with another domain; empty if its line cannot be changed."""
    lines = text.splitlines(keepends=True)
    place = toml_line(text, "domain") - 1
    lines[place], changed = DOMAIN.subn(rf'\g<1>"{domain}"', lines[place])
    made = "".join(lines)
    return made if changed and read_toml(made) == {**read_toml(text), "domain": domain} else ""


def with_id(text: str, made: str) -> str:
    """Return the text of a collective.toml with this id: in the place of an empty one, or else below the domain."""
    lines = text.splitlines(keepends=True)
    empty, place = toml_line(text, "id"), toml_line(text, "domain")
    if re.match(r"\s*id\s*=", lines[empty - 1]):
        place = empty - 1
        del lines[place]
    elif not lines[place - 1].endswith("\n"):
        lines[place - 1] += "\n"
    lines.insert(place, f'id = "{made}" # {WHY}\n')
    return "".join(lines)
