"""`docker-compose.HOST.yml`: what differs on one host, laid over a service's own compose file there."""

import hashlib
import json
from pathlib import Path

from darkpeak.collective.model import Finding, Place, Service, Variant
from darkpeak.collective.tree import EMPTY, NotReadable, Tree, read_yaml

PATTERN = "docker-compose.*.yml"
SURROUNDINGS = ("networks", "volumes", "configs", "secrets")


def read_variants(root: Path, service: Service, domain: str) -> tuple[tuple[Variant, ...], list[Finding]]:
    """Read all of a service's variants, and say what is wrong with them; what else they hold is compose's matter."""
    variants: list[Variant] = []
    findings: list[Finding] = []
    for path in sorted(service.folder.glob(PATTERN)):
        file = str(path.relative_to(root))
        try:
            parsed = read_yaml(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            findings.append(Finding(Place(file, 1), "yaml", "the file is not UTF-8 text", "save it as UTF-8"))
            continue
        except NotReadable as error:
            findings.append(Finding(Place(file, error.line), "yaml", str(error), "mend the YAML here or just above"))
            continue
        findings += _strangers(file, parsed, service)
        host = path.name.split(".")[1]
        variants.append(Variant(host, path.name, _changes(parsed, service, domain)))
    return tuple(variants), findings


def _strangers(file: str, parsed: Tree, service: Service) -> list[Finding]:
    """A variant changes what is there: a container that it alone names has no part in plans and backups."""
    known = {container.name for container in service.containers}
    section = parsed.mapping().get("services", EMPTY)
    hint = f"there are: {', '.join(sorted(known))}"
    return [
        Finding(
            Place(file, section.key_line(name)), "no-such-container", f"{service.name} has no container {name}", hint
        )
        for name in section.mapping()
        if name not in known
    ]


def _changes(parsed: Tree, service: Service, domain: str) -> tuple[tuple[str, str], ...]:
    """Return a hash of what the file says of each container that it says something of."""
    top = parsed.mapping()
    surroundings = {key: top[key].plain() for key in SURROUNDINGS if key in top}
    said = top.get("services", EMPTY).mapping()
    changes = []
    for container in service.containers:
        if container.name not in said and not surroundings:
            continue
        text = json.dumps([said.get(container.name, EMPTY).plain(), surroundings], sort_keys=True)
        text += domain if "DARKPEAK_DOMAIN" in text else ""
        changes.append((container.name, hashlib.sha256(text.encode()).hexdigest()[:12]))
    return tuple(changes)
