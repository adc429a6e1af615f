"""The paths of the services' files, for tests of what all services have in common."""

import re
from pathlib import Path

SERVICES = Path(__file__).parents[2] / "services"
SHAPES = SERVICES.parent / "shapes"
CATALOGUE = SERVICES.parent / "catalogue"
DOCUMENTS = SERVICES.parent / "docs"
FOLDERS = sorted(file.parent for top in (CATALOGUE, SERVICES, SHAPES) for file in top.glob("*/docker-compose.yml"))
ROUTER = SERVICES / "router"
DOCKERFILES = sorted(path for folder in FOLDERS for path in folder.glob("*/Dockerfile"))
SCRIPTS = sorted(path for folder in FOLDERS for path in folder.glob("scripts/*"))

BACKUPS = {  # the files of each service's backup
    "catalogue/account": ["account.tar"],
    "catalogue/mail": ["mail.tar"],
    "services/chat": ["database.sql", "keys.tar"],
    "services/directory": ["members.ldif"],
    "services/dns": ["hosts"],
    "services/git": ["keys.tar", "repositories.tar"],
    "services/home": ["pages.tar"],
    "services/router": ["ca.tar", "certificates.tar", "jump.tar", "routes.tar", "uptime.tar"],
    "services/wiki": ["pages.tar"],
    "shapes/gate": ["notes.tar"],
    "shapes/static": ["files/picture"],
    "shapes/tcp": ["notes.tar"],
    "shapes/web": ["notes.tar"],
    "shapes/web-mariadb": ["database.sql"],
    "shapes/web-postgres": ["database.sql"],
    "shapes/web-sqlite": ["app.db"],
}


def short(path: Path) -> str:
    """Return the id of a test about a file."""
    return "/".join(path.parts[-3:])


def folder_id(path: Path) -> str:
    """Return the id of a test about a Dockerfile: its container's name."""
    return "/".join(path.parts[-3:-1])


def words(text: str, variable: str) -> list[str]:
    """Return the words in the value of a variable in a shell file."""
    found = re.search(rf"^{variable}='?([^'#\n]*)'?", text, re.MULTILINE)
    assert found, f"{variable} is not set"
    return found[1].split()
