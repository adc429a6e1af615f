"""Every package that runs: all of them, or where one comes from."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from darkpeak import __version__
from darkpeak.actions.library_updates import Read, read_one
from darkpeak.actions.updates import AT_ONCE, NOT_RUNNING, Found, Unknown, list_containers
from darkpeak.collective.model import Collective, Service
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure
from darkpeak.packages.container import CannotTell, read_installed, read_system
from darkpeak.packages.cyclonedx import make_cyclonedx
from darkpeak.packages.installed import Installed
from darkpeak.packages.listed import Item, Kind, Listed
from darkpeak.packages.origin import Origin, find_origin
from darkpeak.packages.spdx import make_spdx
from darkpeak.progress import Progress

FROM = {Kind.PYPI: "a Python package that pip installed in its image", Kind.NPM: "an npm package of its image"}


@dataclass(frozen=True)
class Inventory:
    """All packages in running containers, and the containers whose packages are unknown."""

    packages: tuple[Item, ...]
    containers: tuple[Listed, ...]
    unknown: tuple[Unknown, ...]


@dataclass(frozen=True)
class Contents:
    """What a running container consists of."""

    installed: Installed
    image: str
    distribution: str
    libraries: Read  # of its image: from PyPI and npm


@dataclass(frozen=True, order=True)
class Reason:
    """Where a package of a container comes from."""

    service: str
    container: str
    version: str
    why: str


@dataclass(frozen=True)
class Reasons:
    """Where a package comes from in each container that has it, and the containers that may have it too."""

    package: str
    reasons: tuple[Reason, ...]
    unknown: tuple[Unknown, ...]


def take_inventory(targets: Sequence[Target], progress: Progress) -> Inventory:
    """Return all packages in the running containers of the targets, and where they are unknown."""
    items, listed, unknown = [], [], []
    for _, found, answer in _read_all(targets, progress):
        if isinstance(answer, CannotTell):
            unknown.append(Unknown(found.service, found.container, str(answer)))
            continue
        installed = answer.installed
        listed.append(Listed(found.service, found.container, answer.image, answer.distribution, installed.native))
        items += [
            Item(found.service, found.container, name, item.version, item.architecture, item.source)
            for name, item in zip(installed.full_names, installed.packages, strict=True)
        ]
        if isinstance(answer.libraries, CannotTell):
            unknown.append(Unknown(found.service, found.container, str(answer.libraries)))
            continue
        items += [
            Item(found.service, found.container, item.name, item.version, "", "", item.kind)
            for item in dict.fromkeys(replace(item, python="") for item in answer.libraries)
        ]
    return Inventory(tuple(sorted(items)), tuple(sorted(listed)), tuple(sorted(unknown)))


def make_document(collective: Collective, found: Inventory, form: str) -> dict[str, Any]:
    """Return an inventory as a software bill of materials, in `cyclonedx` or `spdx`."""
    if form == "cyclonedx":
        return make_cyclonedx(collective.name, __version__, found.containers, found.packages)
    names = (collective.name, collective.domain)
    return make_spdx(names, __version__, found.containers, found.packages, datetime.now(UTC))


def find_reasons(targets: Sequence[Target], package: str, progress: Progress) -> Reasons:
    """Return where a package comes from, in each running container that has it."""
    reasons, unknown = [], []
    for service, found, answer in _read_all(targets, progress):
        if isinstance(answer, CannotTell):
            unknown.append(Unknown(found.service, found.container, str(answer)))
            continue
        if version := answer.installed.version(package):
            why = _why(service, found.container, answer.installed, package)
            reasons.append(Reason(found.service, found.container, version, why))
        if isinstance(answer.libraries, CannotTell):
            unknown.append(Unknown(found.service, found.container, str(answer.libraries)))
            continue
        reasons += [
            Reason(found.service, found.container, item.version, FROM[item.kind])
            for item in answer.libraries
            if item.name == package
        ]
    return Reasons(package, tuple(sorted(set(reasons))), tuple(sorted(unknown)))


def _why(service: Service, name: str, installed: Installed, package: str) -> str:
    """Return in words where a package of a container comes from."""
    container = next(item for item in service.containers if item.name == name)
    made = container.dockerfile
    origin = find_origin(installed, package, made.text)
    origin = replace(origin, line=origin.line + made.above) if origin.line else origin
    return describe(origin, f"services/{service.name}/{made.file}")


def describe(origin: Origin, file: str) -> str:
    """Return an origin in words."""
    if origin.line:
        return f"{file}:{origin.line} installs it"
    if origin.base:
        return "it is part of the base image"
    if origin.chain:
        return f"a dependency: {' -> '.join(origin.chain)}"
    return "neither the Dockerfile nor a dependency of what it installs names it"


def _read_all(targets: Sequence[Target], progress: Progress) -> Iterator[tuple[Service, Found, Contents | CannotTell]]:
    """Yield each container of the targets with its packages; an engine that fails does not stop the others."""
    for target in targets:
        services = {service.name: service for service in target.running}
        try:
            listed = list(list_containers(target))
        except SystemFailure as error:
            for service in services.values():
                yield service, Found(service.name, "", None), CannotTell(error.message)
            continue
        for name in dict.fromkeys(item.service for item in listed):
            progress.step(name, "reading its packages")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = pool.map(lambda found: _read(target, found), listed)  # noqa: B023 (used up in this round)
            for found, answer in zip(listed, answers, strict=True):
                yield services[found.service], found, answer


def _read(target: Target, found: Found) -> Contents | CannotTell:
    if found.running is None:
        return CannotTell(NOT_RUNNING)
    try:
        _, installed = read_installed(target.engine, found.running.id)
        system = read_system(target.engine, found.running.id)
        return Contents(installed, found.running.image, system, read_one(target.engine, found))
    except CannotTell as error:
        return error
    except SystemFailure as error:
        return CannotTell(error.message)
