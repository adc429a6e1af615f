"""Rules about names and labels on the engine: those that compose and darkpeak themselves give. Pure."""

import re
from collections.abc import Iterator

from darkpeak.collective.model import Collective, Finding, Place, Service
from darkpeak.lint.build_file import build_files
from darkpeak.lint.rule import ERROR, Rule
from darkpeak.lint.written import Written, child, pairs, written_by
from darkpeak.vocabulary import PROJECT

OWN_LABELS = ("com.docker.compose.", "darkpeak.")
# In a Dockerfile: LABEL a=b "c d"=e, or the old form LABEL a b.
LABELS = re.compile(r"""(?:^|\s)["']?([\w.-]+)["']?(?==)""")
NAME = "container_name"
SECTIONS = ("volumes", "networks", "configs", "secrets")
REMOVE_LABEL = "remove it: by this label, compose and darkpeak know what is theirs"


def others_name(collective: Collective) -> Iterator[Finding]:
    """No container has the name of another service's, or one that compose or darkpeak gives to another container."""
    named = [(service, *found) for service in collective.services for found in _names(service)]
    for service, container, name, at in named:
        others = {other.name for other, own, used, _ in named if used == name and (other, own) != (service, container)}
        whose = ", ".join(sorted(others)) or _made_for(collective, service, container, name)
        if whose:
            what = f"{container} has the container name {name}, which belongs to {whose}"
            yield Finding(at, "others-name", what, "remove container_name, so that compose names it after the service")


def _names(service: Service) -> Iterator[tuple[str, str, Place]]:
    """Yield the container, the name and the place of each container_name."""
    found = {(item.name, item.named): item.at for item in service.containers if item.named}
    for written in written_by(service, NAME):
        for container, tree in written.containers():
            name = child(tree, NAME).text()
            if name and ((container, name) in found or not written.is_main):
                found[container, name] = Place(written.file, tree.key_line(NAME))
    yield from ((container, name, at) for (container, name), at in found.items())


def _made_for(collective: Collective, service: Service, container: str, name: str) -> str:
    """Return for whom compose or darkpeak makes this name; empty if for nobody else."""
    for other in collective.services:
        for item in other.containers:
            made = re.fullmatch(rf"{re.escape(other.project)}[-_]{re.escape(item.name)}[-_](\d+|run[-_]\w+)", name)
            if made and (other.name, item.name) != (service.name, container):
                return f"{item.name} of {other.name}"
    own = name.startswith((f"{service.project}-", f"{service.project}_")) or name == service.project
    return "" if own or not name.startswith(PROJECT) else "darkpeak itself"


def own_labels(written: Written) -> Iterator[Finding]:
    """No compose file has a label by which compose or darkpeak know what is theirs."""
    for name, container in written.containers():
        for part in (container, child(container, "build"), child(container, "deploy")):
            yield from _labels(written, name, pairs(part, "labels"))
    for section in SECTIONS:
        for name, entry in written.section(section):
            yield from _labels(written, name, pairs(entry, "labels"))


def _labels(written: Written, name: str, labels: Iterator[tuple[str, str, int]]) -> Iterator[Finding]:
    for label, _, line in labels:
        if label.startswith(OWN_LABELS):
            yield written.finding(line, "own-label", f"{name} has the label {label}", REMOVE_LABEL)


def image_labels(service: Service) -> Iterator[Finding]:
    """No Dockerfile has such a label."""
    for built in build_files(service):
        for item in built.instructions:
            what = item.rest if item.name == "ONBUILD" else f"{item.name} {item.rest}"
            word, _, rest = what.partition(" ")
            if word.upper() != "LABEL":
                continue
            found = LABELS.findall(rest) or [rest.partition(" ")[0].strip("\"'")]
            for label in (one for one in found if one.startswith(OWN_LABELS)):
                at = built.at(item.line)
                yield Finding(at, "own-label", f"the image has the label {label}", REMOVE_LABEL)


RULES = (
    Rule(
        "others-name",
        ERROR,
        "The engine has one container of a name: the second one that wants it cannot start, or darkpeak takes it for "
        "another one.",
        "remove container_name, so that compose names it after the service",
        collective=(others_name,),
    ),
    Rule(
        "own-label",
        ERROR,
        "By these labels compose and darkpeak know what runs, and what was saved. A label by hand says what is not so.",
        "remove the label",
        service=(image_labels,),
        file=(own_labels,),
    ),
)
