"""`[router]` of collective.toml: the ports on which the router listens, and whether http leads to https."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from darkpeak.collective.model import Finding, Place
from darkpeak.collective.settings import RouterPorts
from darkpeak.collective.tree import toml_line
from darkpeak.vocabulary import BLOCK_SIZE, BLOCKS, COLLECTIVE_FILE, PORTS

KEYS = tuple(asdict(RouterPorts()))
REDIRECT = "redirect"
IN_BLOCKS = range(BLOCKS[0], BLOCKS[-1] + BLOCK_SIZE)
EXAMPLE = "write http = 80, https = 443, ssh = 22, or leave them out to use 7080, 7443, 7022"


def read_router(text: str, data: Any) -> tuple[RouterPorts, list[Finding]]:
    """Return the router's ports, and the findings; a wrong port has its default."""
    if not isinstance(data, dict):
        return RouterPorts(), []  # read.py has a finding for a wrong type
    findings = [_finding(text, *wrong) for wrong in _wrong(data)]
    sound = {key: value for key, value in data.items() if key in KEYS and key != REDIRECT and _is_port(value)}
    redirect = data.get(REDIRECT)
    ports = RouterPorts(**sound, redirect=redirect is not False)
    if not findings and len(set(ports.all)) < len(ports.all):
        findings.append(_finding(text, "", "port-twice", "http, https and ssh need different ports", EXAMPLE))
        return RouterPorts(), findings
    return ports, findings


def _wrong(data: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for key, value in data.items():
        if key not in KEYS:
            yield key, "unknown-key", f"unknown key {key}", f"the known keys are {', '.join(KEYS)}"
        elif key == REDIRECT:
            if not isinstance(value, bool):
                yield key, "wrong-type", f"{key} must be true or false", "write redirect = true, without quotes"
        elif isinstance(value, bool) or not isinstance(value, int):
            yield key, "wrong-type", f"{key} must be a number", EXAMPLE
        elif not _is_port(value):
            why = f"port {value} belongs to the services' blocks" if value in IN_BLOCKS else f"{value} is not a port"
            yield key, "router-port", why, EXAMPLE


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in PORTS and value not in IN_BLOCKS


def _finding(text: str, key: str, rule: str, what: str, hint: str) -> Finding:
    return Finding(Place(COLLECTIVE_FILE, toml_line(text, "router", *([key] if key else []))), rule, what, hint)
