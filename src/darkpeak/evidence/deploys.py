"""Who deployed what, when, and how it ended: kept on the daemon, so that every admin sees it from anywhere.

The images that ran are kept by tags of their own. Neither they nor the notes go in a `docker system prune`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from darkpeak.collective.model import Service
from darkpeak.engine.engine import Engine, run
from darkpeak.engine.lock import who
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.evidence import label_store as notes

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
        """Whether it ended well."""
        return self.outcome == "up"


def record(engine: Engine, service: Service, what: str, outcome: str, keep: int) -> None:
    """Record a deploy with the images that run now, and forget those beyond the number to keep."""
    before = read(engine, service.name)
    number = max((deploy.number for deploy in before), default=0) + 1
    images = {item.container: item.image for item in engine.observe().of(service.project)}
    if outcome == "up":
        for container in service.containers:
            if container.name in images:
                engine.docker("tag", images[container.name], make_tag(container.image, number))
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
    notes.write(engine, _name(service.name, number), labels)
    _forget(engine, service, before, number, keep)


def read(engine: Engine, service: str | None = None) -> list[Deploy]:
    """Return the recorded deploys of one service, or of all, the newest first."""
    wanted = LABEL if service is None else f"{LABEL}={service}"
    deploys = [_parse(labels) for labels in notes.read(engine, wanted).values()]
    return sorted(deploys, key=lambda deploy: (deploy.service, -deploy.number))


def go_back(engine: Engine, service: Service, number: int | None) -> Deploy:
    """Give the image names back to an earlier good deploy, by the images' own ids; return that deploy.

    Raises:
        UsageError: when there is no such deploy.
        SystemFailure: when an image of it is gone.
    """
    deploys = [deploy for deploy in read(engine, service.name) if deploy.good]
    now = {item.container: item.image for item in engine.observe().of(service.project)}
    earlier = [
        deploy for deploy in deploys if number == deploy.number or (number is None and dict(deploy.images) != now)
    ]
    if not earlier:
        which = f"deploy {number}" if number else "earlier version"
        raise UsageError(
            f"there is no {which} of {service.name} to go back to", hint=f"darkpeak history {service.name}"
        )
    images = dict(earlier[0].images)
    gone = [name for name, image in images.items() if engine.docker("image", "inspect", image).code]
    if gone:
        raise SystemFailure(
            f"the image of {gone[0]} in deploy {earlier[0].number} is gone from the daemon",
            hint=f"check out commit {earlier[0].commit}, then darkpeak up {service.name}",
        )
    for container in service.containers:
        if container.name in images:
            engine.docker("tag", images[container.name], container.image)
    return earlier[0]


def commit_of(folder: Path) -> str:
    """Return the git commit of a folder, with a + where files there differ from it; empty outside git."""
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(Path.home())}
    head = run(("git", "-C", str(folder), "rev-parse", "--short", "HEAD"), environment)
    changed = run(("git", "-C", str(folder), "status", "--porcelain", "--", "."), environment)
    return head.stdout.decode().strip() + "+" * bool(changed.stdout.strip()) if not head.code else ""


def make_tag(image: str, number: int) -> str:
    """Return the name that keeps an image: darkpeak-wiki-webserver:deploy-7."""
    return f"{image.partition(':')[0]}:deploy-{number}"


def _forget(engine: Engine, service: Service, before: list[Deploy], newest: int, keep: int) -> None:
    """Remove notes older than the good ones to keep (`before` is newest first), and tags that no kept one has."""
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
            notes.forget(engine, _name(service.name, deploy.number))


def _tags(engine: Engine, image: str) -> list[str]:
    """Return the names that deploys of an image have."""
    name = image.partition(":")[0]
    found = engine.client.api.images(name)
    names = (tag for item in found for tag in item["RepoTags"] or ())
    return [tag for tag in names if tag.startswith(f"{name}:deploy-")]


def _name(service: str, number: int) -> str:
    return f"darkpeak-deploy-{service}-{number}"


def _parse(labels: Mapping[str, Any]) -> Deploy:
    facts = {key.removeprefix(f"{LABEL}."): value for key, value in labels.items() if key.startswith(f"{LABEL}.")}
    images = json.loads(facts.pop("images", "{}"))
    number = int(facts.pop("number", "0"))
    kept = {key: str(facts.get(key, "")) for key in ("who", "when", "commit", "what", "outcome")}
    return Deploy(number=number, service=labels[LABEL], images=tuple(sorted(images.items())), **kept)
