"""The text of a compose file after a service has got another block, name or admins; comments stay. Pure."""

import re

from darkpeak.collective.model import Service
from darkpeak.vocabulary import BLOCK_SIZE, subnet_of

# A published port in the short form ("127.0.0.1:6010-6011:80") and in the long form (published: "6010").
LONG = re.compile(r"(?<=published:)\s*[\"']?\d+(?:-\d+)?")
PUBLISHED = re.compile(rf"(?<=:)\d+(?:-\d+)?(?=:)|{LONG.pattern}")
NUMBER = re.compile(r"(?<![\d.:])\d+(?![\d.:])")

YAML_WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))  # a name only in quotes


def with_block(text: str, service: Service, block: int) -> str:
    """Return the text of a service's compose file with another block: its number, routes, offers, ports and subnet."""
    old = service.block or 0
    own = {place.line for key, place in service.keys if key in {"block", "routes", "offers"}}
    ports = {port.at.line for port in service.ports}
    section = _lines_of("routes", text, service) | _lines_of("offers", text, service)
    lines = []
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        written, comment = _split(line)
        if number in own | section:
            written = NUMBER.sub(lambda found: _shift(found[0], old, block), written)
        pattern = PUBLISHED if number in ports else LONG
        written = pattern.sub(lambda found: _shift_all(found[0], old, block), written)
        first = subnet_of(old).removesuffix("0/24")
        written = re.sub(rf"(?<![\d.]){re.escape(first)}(?=\d)", subnet_of(block).removesuffix("0/24"), written)
        lines.append(written + comment)
    return "".join(lines)


def with_name(text: str, old: str, new: str) -> str:
    """Return the text of a compose file with another project name, which is set by a line `name: OLD`."""
    return re.sub(rf"(?m)^name:(\s*)([\"']?){re.escape(old)}\2(?=\s|$)", rf"name:\g<1>\g<2>{new}\g<2>", text, count=1)


def with_admins(text: str, service: Service, admins: tuple[str, ...]) -> str:
    """Return the text of a compose file with other admins, which are a list in one line."""
    lines = text.splitlines(keepends=True)
    line = service.key("admins").line - 1
    names = ", ".join(f'"{name}"' if name in YAML_WORDS else name for name in admins)
    lines[line] = re.sub(r"(admins:\s*)\[[^\]]*\]", rf"\g<1>[{names}]", lines[line], count=1)
    return "".join(lines)


def with_origin(text: str, service: Service, origin: str) -> str:
    """Return the text of a compose file that says where the service comes from, at the end of x-darkpeak."""
    lines = text.splitlines(keepends=True)
    first = min(place.line for _, place in service.keys) - 1
    indent = lines[first][: _depth(lines[first])]
    end = next((number for number in range(first, len(lines)) if lines[number][:1] not in (" ", "#", "\n")), len(lines))
    while not lines[end - 1].strip():
        end -= 1
    return "".join([*lines[:end], f"{indent}from: {origin}\n", *lines[end:]])


def _shift(digits: str, old: int, new: int) -> str:
    number = int(digits)
    return str(number - old + new) if old <= number < old + BLOCK_SIZE else digits


def _shift_all(text: str, old: int, new: int) -> str:
    return re.sub(r"\d+", lambda found: _shift(found[0], old, new), text)


def _split(line: str) -> tuple[str, str]:
    """Return what a line says, and its comment."""
    found = re.search(r"(^|\s)#", line)
    return (line[: found.start()], line[found.start() :]) if found else (line, "")


def _lines_of(name: str, text: str, service: Service) -> set[int]:
    """Return the lines below a key of x-darkpeak, which are indented deeper than it."""
    start = next((place.line for key, place in service.keys if key == name), 0)
    lines = text.splitlines()
    found: set[int] = set()
    if start:
        depth = _depth(lines[start - 1])
        for number in range(start + 1, len(lines) + 1):
            if lines[number - 1].strip() and _depth(lines[number - 1]) <= depth:
                break
            found.add(number)
    return found


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
