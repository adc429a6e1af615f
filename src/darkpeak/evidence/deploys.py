"""The records of the last deploys of each service, kept on the daemon: who deployed what, when, and how it ended.

The images that ran get tags, which keep them. `docker system prune` removes neither the images nor the records.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from darkpeak.caller import commit_of, who
from darkpeak.collective.model import Service
from darkpeak.engine.engine import Engine
from darkpeak.evidence import store

LABEL = "darkpeak.deploy"


@dataclass(frozen=True)
class Deploy:
    """One deploy of one service."""

    number: int
    service: str
    who: str
    when: str
    commit: str
    what: str  # up, or rollback to N
    outcome: str  # up, or why it failed
    images: tuple[tuple[str, str], ...]  # container, image id

    @property
    def good(self) -> bool:
        """Whether it succeeded."""
        return self.outcome == "up"


def record(engine: Engine, service: Service, what: str, outcome: str, keep: int) -> None:
    """Record a deploy with the images that run now, and remove old records beyond `keep`."""
    before = read(engine, service.name)
    number = max((deploy.number for deploy in before), default=0) + 1
    images = engine.observe().images_of(service.project)
    if outcome == "up":
        for container in service.containers:
            if container.name in images:
                engine.tag(images[container.name], make_tag(container.image, number))
    facts = {
        "number": str(number),
        "who": who(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit_of(service.folder),
        "what": what,
        "outcome": outcome,
        "images": json.dumps(images),
    }
    labels = {LABEL: service.name, **{f"{LABEL}.{key}": value for key, value in facts.items()}}
    engine.create_volume(_name(service.name, number), labels)
    _forget(engine, service, before, number, keep)


def read(engine: Engine, service: str | None = None) -> list[Deploy]:
    """Return the recorded deploys of one service, or of all, the newest first."""
    wanted = LABEL if service is None else f"{LABEL}={service}"
    deploys = [_parse(labels) for labels in engine.volumes(wanted).values()]
    return sorted(deploys, key=lambda deploy: (deploy.service, -deploy.number))


def make_tag(image: str, number: int) -> str:
    """Return the tag that keeps the image of a deploy: darkpeak-wiki-webserver:deploy-7."""
    return f"{image.partition(':')[0]}:deploy-{number}"


def _forget(engine: Engine, service: Service, before: list[Deploy], newest: int, keep: int) -> None:
    """Remove old records beyond the `keep` successful ones (`before` has the newest first), and their tags."""
    good = [deploy.number for deploy in before if deploy.good]
    oldest = good[keep - 1] if len(good) >= keep else 0
    kept = {newest, *(deploy.number for deploy in before if deploy.number >= oldest)}
    for container in service.containers:
        wanted = {make_tag(container.image, number) for number in kept}
        for tag in _tags(engine, container.image):
            if tag not in wanted:
                engine.docker("rmi", tag)
    for deploy in before:
        if deploy.number not in kept:
            store.forget(engine, _name(service.name, deploy.number))


def _tags(engine: Engine, image: str) -> list[str]:
    """Return the tags of an image that deploys made."""
    name = image.partition(":")[0]
    return [tag for tag in engine.image_names(name) if tag.startswith(f"{name}:deploy-")]


def _name(service: str, number: int) -> str:
    return f"darkpeak-deploy-{service}-{number}"


def _parse(labels: Mapping[str, Any]) -> Deploy:
    facts = {key.removeprefix(f"{LABEL}."): value for key, value in labels.items() if key.startswith(f"{LABEL}.")}
    images = json.loads(facts.pop("images", "{}"))
    number = int(facts.pop("number", "0"))
    kept = {key: str(facts.get(key, "")) for key in ("who", "when", "commit", "what", "outcome")}
    return Deploy(number=number, service=labels[LABEL], images=tuple(sorted(images.items())), **kept)
