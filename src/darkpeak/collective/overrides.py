"""`docker-compose.HOST.yml`: a service's second compose file, which changes it on one host."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from darkpeak.collective.compose import read_uses, with_values
from darkpeak.collective.context import short_hash
from darkpeak.collective.model import Finding, Override, Place, Service
from darkpeak.collective.resolved import OVERLAYS
from darkpeak.collective.text import NotReadable, read
from darkpeak.collective.tree import EMPTY, Tree, read_yaml

PATTERN = "docker-compose.*.yml"
SHARED = ("networks", "volumes", "configs", "secrets")  # what several containers use


def read_overrides(
    root: Path, service: Service, variables: Mapping[str, str]
) -> tuple[tuple[Override, ...], list[Finding]]:
    """Return a service's overrides, and the findings in them; compose checks the rest."""
    overrides: list[Override] = []
    findings: list[Finding] = []
    for path in sorted(service.folder.glob(PATTERN)):
        if path.name in OVERLAYS:
            continue
        file = str(path.relative_to(root))
        try:
            parsed = read_yaml(read(path))
        except NotReadable as error:
            findings.append(Finding(Place(file, error.line), "yaml", str(error), error.hint))
            continue
        findings += _unknown_containers(file, parsed, service)
        host = path.name.split(".")[1]
        uses = read_uses(parsed, service.project, partial(Place, file))
        overrides.append(Override(host, path.name, _changes(parsed, service, variables), tuple(uses)))
    return tuple(overrides), findings


def _unknown_containers(file: str, parsed: Tree, service: Service) -> list[Finding]:
    """Return a finding for each container that only the override has: plans and backups would not know it."""
    known = {container.name for container in service.containers}
    section = parsed.mapping().get("services", EMPTY)
    hint = f"its containers are: {', '.join(sorted(known))}"
    return [
        Finding(
            Place(file, section.key_line(name)), "no-such-container", f"{service.name} has no container {name}", hint
        )
        for name in section.mapping()
        if name not in known
    ]


def _changes(parsed: Tree, service: Service, variables: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return a hash for each container that the file changes."""
    top = parsed.mapping()
    shared = {key: top[key].plain() for key in SHARED if key in top}
    entries = top.get("services", EMPTY).mapping()
    changes = []
    for container in service.containers:
        if container.name not in entries and not shared:
            continue
        text = json.dumps([entries.get(container.name, EMPTY).plain(), shared], sort_keys=True)
        changes.append((container.name, short_hash(with_values(text, variables).encode())))
    return tuple(changes)
