"""A service of the catalogue, or a shape, as it is in a collective: with its own name, block and admins. Pure."""

import re
from dataclasses import dataclass
from pathlib import Path

from darkpeak.collective.content import File, Files
from darkpeak.collective.model import Service
from darkpeak.collective.moved import with_admins, with_block, with_name, with_origin
from darkpeak.collective.tree import read_yaml
from darkpeak.collective.x_darkpeak import read_service
from darkpeak.errors import UsageError
from darkpeak.vocabulary import BLOCK_SIZE, BLOCKS, COMPOSE_FILE, PROJECT

# Where a page names one of a service's ports: `127.0.0.1:6010, or 6011`, `port 6010`, `ssh -p 6042`, `127.0.0.1#6050`.
PORT = re.compile(r"(?P<before>[:#]1?|-p |\bports? 1?|, or |\bon to |DOMAIN 1?)(?P<number>6\d{3})(?!\d)")

PUBLIC = 10_000  # added to a port of the block, it is a public port that no other service has


@dataclass(frozen=True)
class Given:
    """What a service gets in a collective, and where it comes from: `services/wiki 0.1.0`."""

    name: str
    block: int
    admins: tuple[str, ...]
    origin: str


def adapt(files: Files, given: Given) -> Files:
    """Return the files of a service with what it gets in a collective.

    Raises:
        UsageError: when its compose file is not one of a service.
    """
    service = read_as_service(files)
    adapted = {name: _adapt_page(file, service, given) for name, file in files.items()}
    text = _with_public_ports(files[COMPOSE_FILE].text or "", service, given.block)
    text = with_block(text, service, given.block)
    text = with_name(text, service.project, PROJECT + given.name)
    text = with_origin(with_admins(text, service, given.admins), service, given.origin)
    return adapted | {COMPOSE_FILE: File(text.encode())}


def _with_public_ports(text: str, service: Service, block: int) -> str:
    """Return a compose file in which the public ports that are named after the block (16991 for 6991) follow it."""
    for route in service.routes.tcp:
        if route.public == PUBLIC + route.port:
            text = text.replace(str(route.public), str(PUBLIC + route.port - (service.block or 0) + block))
    return text


def read_as_service(files: Files) -> Service:
    """Return the service of these files.

    Raises:
        UsageError: when its compose file is missing, or is not one of a service.
    """
    text = files[COMPOSE_FILE].text if COMPOSE_FILE in files else None
    parsed = read_yaml(text) if text else None
    project = parsed.mapping()["name"].text() if parsed and "name" in parsed.mapping() else ""
    name = project.removeprefix(PROJECT)
    service, _ = read_service(Path("/nonexistent") / name, COMPOSE_FILE, parsed, {}) if parsed else (None, [])
    if service is None or service.block not in BLOCKS or not name:
        raise UsageError(f"its {COMPOSE_FILE} is not one of a service", hint="see what it needs: docs/service.md")
    return service


def _adapt_page(file: File, service: Service, given: Given) -> File:
    """Return a text file in which the service has its new name, and a page with its new ports."""
    old = service.project.removeprefix(PROJECT)
    text = file.text
    if text is None:
        return file
    if text.startswith("# "):  # a page; a number in another file may be a user's id
        text = PORT.sub(lambda found: _shift(found, service.block or 0, given.block), text)
    if old != given.name:
        name = re.escape(old)
        text = re.sub(rf"(?<![\w.-]){name}(?=\.(DOMAIN|localhost)\b)", given.name, text)
        text = re.sub(rf"(?<![\w-])({PROJECT}|services/){name}(?![\w-])", rf"\g<1>{given.name}", text)
        text = re.sub(rf"(`darkpeak [a-z ]+ ){name}(?![\w-])", rf"\g<1>{given.name}", text)
        text = re.sub(rf"^# {name}$", f"# {given.name.capitalize()}", text, count=1, flags=re.IGNORECASE | re.MULTILINE)
    return File(text.encode(), file.program)


def _shift(found: re.Match[str], old: int, new: int) -> str:
    number = int(found["number"])
    return found["before"] + str(number - old + new if old <= number < old + BLOCK_SIZE else number)
