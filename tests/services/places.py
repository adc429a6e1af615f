"""Where the services' files are, for the tests of what is the same in all of them."""

import re
from pathlib import Path

SERVICES = Path(__file__).parents[2] / "services"
TEMPLATES = Path(__file__).parents[2] / "docs/templates"
ROUTER = SERVICES / "router"
DOCKERFILES = sorted(SERVICES.glob("*/*/Dockerfile"))
SCRIPTS = sorted([*SERVICES.glob("*/scripts/*"), *TEMPLATES.glob("*/scripts/*")])


def short(path: Path) -> str:
    """Return a test's id for a file."""
    return "/".join(path.parts[-3:])


def folder_id(path: Path) -> str:
    """Return a test's id for a Dockerfile: its container."""
    return "/".join(path.parts[-3:-1])


def words(text: str, variable: str) -> list[str]:
    """Return the words of a variable in a shell file."""
    found = re.search(rf"^{variable}='?([^'#\n]*)'?", text, re.MULTILINE)
    assert found, f"{variable} is not set"
    return found[1].split()
