"""Every service has the same shape."""

import os
from collections.abc import Iterator

from darkpeak.collective.compose import dockerfile, exposed
from darkpeak.collective.model import Finding, Place, Service
from darkpeak.vocabulary import LABEL, SUITE

SCRIPTS = ("backup", "restore", "updates")


def folder_name(service: Service) -> Iterator[Finding]:
    """A service's name begins its host name, so it must be able to."""
    if not LABEL.fullmatch(service.name):
        hint = "rename the folder: lower-case letters, digits and inner hyphens"
        yield Finding(service.at, "service-name", f"{service.name!r} cannot be a service's name", hint)


def files(service: Service) -> Iterator[Finding]:
    """Whoever comes next finds a README and the three scripts."""
    if not service.runs:
        return
    folder = Place(service.at.file.rpartition("/")[0], 1).file
    if not (service.folder / "README.md").is_file():
        hint = f"write {folder}/README.md: how to use it, how to run it"
        yield Finding(service.at, "missing-file", "README.md is missing", hint)
    for name in SCRIPTS:
        path = service.folder / "scripts" / name
        if not path.is_file():
            yield Finding(service.at, "missing-file", f"scripts/{name} is missing", f"write {folder}/scripts/{name}")
        elif not os.access(path, os.X_OK):
            hint = f"chmod +x {folder}/scripts/{name}"
            yield Finding(service.at, "not-executable", f"scripts/{name} cannot be run", hint)


def containers(service: Service) -> Iterator[Finding]:
    """A service above an idea has containers, each with a folder and a Dockerfile of its own."""
    if not service.runs and service.level != "idea":
        hint = "write services:, or level: idea"
        yield Finding(service.key("level"), "no-containers", f"level {service.level}, and nothing to run", hint)
    for container in service.containers:
        if container.build is None:
            hint = f"write build: {container.name}, with FROM debian:{SUITE} in {container.name}/Dockerfile"
            yield Finding(container.at, "not-built", f"{container.name} is not built from a folder", hint)
        elif not (service.folder / container.build / "Dockerfile").is_file():
            what = f"there is no {container.build}/Dockerfile"
            yield Finding(container.at, "no-dockerfile", what, "write it, or mend build:")


def certificate(service: Service) -> Iterator[Finding]:
    """The container that holds the service's certificate is one of its own."""
    if service.certificate is not None and service.certificate not in {item.name for item in service.containers}:
        what = f"certificate names no container: {service.certificate or 'nothing'}"
        hint = f"name one of {', '.join(item.name for item in service.containers)}"
        yield Finding(service.key("certificate"), "no-such-container", what, hint)


def exposed_ports(service: Service) -> Iterator[Finding]:
    """A published port leads to a port that the container says it listens on."""
    for container in service.containers:
        known = exposed(dockerfile(service.folder, container.build))
        for port in container.ports:
            if known and port.target[0] not in known:
                what = f"no such container port: {container.name} does not expose {port.target[0]}"
                numbers = ", ".join(str(number) for number in sorted(known))
                yield Finding(port.at, "not-exposed", what, f"{container.build}/Dockerfile exposes {numbers}")


def healthchecks(service: Service) -> Iterator[Finding]:
    """Only a container that can say it is well can be waited for."""
    for container in service.containers:
        if not container.healthcheck:
            what = f"{container.name} has no health check"
            yield Finding(container.at, "no-healthcheck", what, "write HEALTHCHECK in its Dockerfile")


def host_mounts(service: Service) -> Iterator[Finding]:
    """A mount of the host's files ties the service to one machine, and the daemon's URI is no longer enough."""
    for container in service.containers:
        for mount in container.mounts:
            if mount.source.startswith(("/", ".", "~", "$")):
                yield Finding(mount.at, "host-path", f"{container.name} mounts {mount.source}", "use a named volume")
            elif mount.source and mount.source not in service.volume_keys:
                hint = f"write volumes: {{{mount.source}: {{}}}} at the end of the file"
                yield Finding(mount.at, "undefined-volume", f"no volume is called {mount.source}", hint)
