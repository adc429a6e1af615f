"""Rules about the shape of a service: its files, containers and scripts."""

import os
from collections.abc import Iterator

from darkpeak.collective import scripts
from darkpeak.collective.compose import exposed
from darkpeak.collective.model import LEVELS, Finding, Place, Service
from darkpeak.lint.rule import ERROR, NOTE, WARNING, Rule
from darkpeak.lint.written import Written, child
from darkpeak.vocabulary import DIRECTORY_NETWORK, EXPORT_MEMBER, FORGET_MEMBER, LABEL, MEMBER_GONE, MEMBER_KEY, SUITE

SCRIPTS = ("backup", "restore", "updates")
OPTIONAL = ("verify", scripts.SAMPLE, MEMBER_GONE, MEMBER_KEY, EXPORT_MEMBER, FORGET_MEMBER)


def folder_name(service: Service) -> Iterator[Finding]:
    """The folder's name can be the first part of a host name."""
    if not LABEL.fullmatch(service.name):
        hint = "rename the folder: use lower-case letters, digits and inner hyphens"
        yield Finding(service.at, "service-name", f"{service.name!r} cannot be a service's name", hint)


def files(service: Service) -> Iterator[Finding]:
    """There are a README and the three scripts, and all scripts can be started."""
    if not service.runs:
        return
    folder = Place(service.at.file.rpartition("/")[0], 1).file
    readme = service.folder / "README.md"
    if not readme.is_file():
        hint = f"write {folder}/README.md: how to use the service, how to run it"
        if os.path.lexists(readme):
            what = "README.md is no file, and no link that leads to one"
            yield Finding(Place(f"{folder}/README.md", 1), "no-file", what, f"remove it, and {hint}")
        else:
            yield Finding(service.at, "missing-file", "README.md is missing", hint)
    for name in (*SCRIPTS, *OPTIONAL):
        path = service.folder / "scripts" / name
        if name in SCRIPTS or os.path.lexists(path):
            yield from _finding(service, f"{folder}/scripts/{name}", scripts.find_fault(path, scripts.in_helper))


def mounted_files(written: Written) -> Iterator[Finding]:
    """Configs and secrets are files that exist: otherwise Docker makes a folder, or starts nothing."""
    for section in ("secrets", "configs"):
        for name, entry in written.section(section):
            path = child(entry, "file").text()
            if path and not written.is_outside(path) and not (written.service.folder / path).exists():
                what = f"{path} is missing, the file of {name} in {section}"
                yield written.finding(entry.key_line("file"), "missing-file", what, "write it, or remove its name here")


def leaving(service: Service) -> Iterator[Finding]:
    """From level beta on, a service that logs members in and stores data lets them leave with their data."""
    early = LEVELS.index(service.level) < LEVELS.index("beta")
    asks = any(network.name == DIRECTORY_NETWORK and network.external for network in service.networks)
    for name in () if early or not asks or not service.owns_data else (EXPORT_MEMBER, FORGET_MEMBER):
        if not os.path.lexists(service.folder / "scripts" / name):
            hint = f"write scripts/{name}, also if the service stores nothing of members: then it says so"
            yield Finding(
                service.at, "member-data", f"there is no scripts/{name}, which level {service.level} needs", hint
            )


def programs(service: Service) -> Iterator[Finding]:
    """The programs in the containers' bin/ have a #! line and no CRLF; Docker copies them as they are."""
    for container in service.containers:
        folder = service.folder / (container.build or "") / "bin"
        # Not is_dir(): that raises an error for a name that is too long.
        names = os.listdir(folder) if container.build and os.path.isdir(folder) else ()  # noqa: PTH112, PTH208
        for path in sorted(folder / name for name in names if (folder / name).is_file()):
            file = f"{service.at.file.rpartition('/')[0]}/{container.build}/bin/{path.name}"
            yield from _finding(service, file, scripts.find_text_fault(path))


def _finding(service: Service, file: str, fault: scripts.Fault | None) -> Iterator[Finding]:
    """Yield the finding about a script or program; one that is missing is a fault of the service."""
    if fault:
        name = file.removeprefix(f"{service.at.file.rpartition('/')[0]}/")
        at = service.at if fault.rule == "missing-file" else Place(file, fault.line)
        hint = fault.hint.replace(str(service.folder / name), file).replace("FILE", file)
        yield Finding(at, fault.rule, f"{name} {fault.what}", hint)


def containers(service: Service) -> Iterator[Finding]:
    """A service that is more than an idea has containers, each with its own folder and Dockerfile."""
    if not service.runs and service.level != "idea":
        hint = "write services: with its containers, or level: idea"
        yield Finding(
            service.key("level"), "no-containers", f"the level is {service.level}, but there are no containers", hint
        )
    for container in service.containers:
        if container.build is None:
            hint = f"write build: {container.name}, with FROM debian:{SUITE} in {container.name}/Dockerfile"
            yield Finding(container.at, "not-built", f"{container.name} is not built from a folder", hint)
        elif not (container.dockerfile.inline or container.dockerfile.outside) and not os.path.lexists(
            service.folder / container.dockerfile.file
        ):
            context = service.folder / container.build
            # Not is_symlink() and exists(): they raise errors for a name that is too long.
            dead = os.path.islink(context) and not os.path.exists(context)  # noqa: PTH110, PTH114
            what = f"{container.build} is a link that cannot be followed" if dead else ""
            what = what or f"there is no {container.dockerfile.file}"
            yield Finding(container.at, "no-dockerfile", what, "write it, or fix build:")


def certificate(service: Service) -> Iterator[Finding]:
    """The container in `certificate` is one of the service's own."""
    if service.certificate is not None and service.certificate not in {item.name for item in service.containers}:
        what = f"there is no container {service.certificate!r} for the certificate"
        hint = f"choose one of {', '.join(item.name for item in service.containers)}"
        yield Finding(service.key("certificate"), "no-such-container", what, hint)


def exposed_ports(service: Service) -> Iterator[Finding]:
    """A published port leads to a port that the container exposes."""
    for container in service.containers:
        known = exposed(container.dockerfile.text)
        for port in container.ports:
            if known and port.target[0] not in known:
                what = f"the container {container.name} does not expose the port {port.target[0]}"
                numbers = ", ".join(str(number) for number in sorted(known))
                yield Finding(port.at, "not-exposed", what, f"{container.dockerfile.file} exposes {numbers}")


def healthchecks(service: Service) -> Iterator[Finding]:
    """Every container has a health check, so that a deploy can wait until it is healthy."""
    for container in service.containers:
        if not container.healthcheck and not container.ends:
            what = f"{container.name} has no health check"
            yield Finding(container.at, "no-healthcheck", what, "write a HEALTHCHECK in its Dockerfile")


def restart_policies(service: Service) -> Iterator[Finding]:
    """Every container that is not meant to end has a restart policy, so that it runs again after a reboot."""
    for container in service.containers:
        if not container.restart and not container.ends:
            what = f"{container.name} has no restart policy, so it stays down after a reboot or a crash"
            yield Finding(container.at, "no-restart", what, "write restart: unless-stopped")


def host_mounts(service: Service) -> Iterator[Finding]:
    """No container mounts a path of the host: that would tie the service to one machine."""
    for container in service.containers:
        for mount in container.mounts:
            if mount.source.startswith(("/", ".", "~", "$")):
                yield Finding(
                    mount.at, "host-path", f"{container.name} mounts {mount.source} of the host", "use a named volume"
                )
            elif mount.source and mount.source not in service.volume_keys:
                hint = f"write volumes: {{{mount.source}: {{}}}} at the end of the file"
                yield Finding(mount.at, "undefined-volume", f"there is no volume {mount.source}", hint)


RULES = (
    Rule(
        "service-name",
        ERROR,
        "The folder's name becomes the first part of a host name, and part of the project's name.",
        "rename the folder: use lower-case letters, digits and inner hyphens",
        service=(folder_name,),
    ),
    Rule(
        "missing-file",
        ERROR,
        "A README and the scripts backup, restore and updates are the same in every service, so that any admin "
        "can run any service.",
        "write the file; docs/service.md says what is in it",
        service=(files,),
        file=(mounted_files,),
    ),
    Rule(
        "no-file",
        ERROR,
        "A script must be a file: a folder, a device or a link to nowhere cannot be started.",
        "remove it, and write the script",
        service=(files,),
    ),
    Rule(
        "not-executable",
        ERROR,
        "The backup and the restore start the scripts themselves, so the scripts need the executable bit.",
        "make it executable: chmod +x FILE",
        service=(files,),
    ),
    Rule(
        "empty-file",
        ERROR,
        "An empty script ends well and does nothing: the backup would be empty.",
        "write the script",
        service=(files,),
    ),
    Rule(
        "unreadable",
        ERROR,
        "A script that cannot be read cannot be started either.",
        "see its owner and its mode: ls -l FILE",
        service=(files, programs),
    ),
    Rule(
        "no-interpreter",
        ERROR,
        "The first line, #!/bin/sh, says which program runs a script.",
        "write #!/bin/sh as its first line",
        service=(files, programs),
    ),
    Rule(
        "interpreter",
        ERROR,
        "The program of the first line must exist where the script runs: the backup helper has sh, bash, perl and "
        "python3.",
        "write #!/bin/sh as its first line",
        service=(files,),
    ),
    Rule(
        "crlf",
        ERROR,
        "With lines that end as on Windows, the system looks for a program whose name ends with a carriage return.",
        "convert the file: darkpeak lint --fix",
        service=(files, programs),
    ),
    Rule(
        "no-containers",
        ERROR,
        "A service that is more than an idea runs something.",
        "write services: with its containers, or level: idea",
        service=(containers,),
    ),
    Rule(
        "not-built",
        ERROR,
        "A container is built from a folder, so that it can be labelled, rolled back and updated. For what others "
        "built, a Dockerfile with one FROM line is enough.",
        "write build: FOLDER, and a Dockerfile in that folder",
        service=(containers,),
    ),
    Rule(
        "no-dockerfile",
        ERROR,
        "The folder of a container has a Dockerfile.",
        "write it, or fix build:",
        service=(containers,),
    ),
    Rule(
        "no-such-container",
        ERROR,
        "A container that is named must be one of the service's own.",
        "fix the name",
        service=(certificate,),
    ),
    Rule(
        "not-exposed",
        ERROR,
        "A published port must lead to a port on which the container listens.",
        "fix the port, or write EXPOSE in the Dockerfile",
        ignorable=True,
        service=(exposed_ports,),
    ),
    Rule(
        "no-healthcheck",
        ERROR,
        "A deploy waits until the new version is healthy. Without a health check, it would send members to a "
        "version that does not work.",
        "write a HEALTHCHECK in its Dockerfile",
        ignorable=True,
        service=(healthchecks,),
    ),
    Rule(
        "no-restart",
        WARNING,
        "Without a restart policy, a container stays down after a crash or a reboot.",
        "write restart: unless-stopped",
        service=(restart_policies,),
    ),
    Rule(
        "undefined-volume",
        ERROR,
        "A volume that is mounted must be in the section volumes.",
        "write it under volumes: at the end of the file",
        service=(host_mounts,),
    ),
    Rule(
        "member-data",
        NOTE,
        "A member may leave, and take their data with them. Only the service itself knows what it stores of a member.",
        "write scripts/export-member and scripts/forget-member",
        service=(leaving,),
    ),
)
