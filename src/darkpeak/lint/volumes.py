"""Rules about volumes: what a container writes is declared in its Dockerfile, and has a named volume. Pure."""

from collections.abc import Iterator

from darkpeak.collective.model import Finding, Service
from darkpeak.lint.build_file import build_files
from darkpeak.lint.rule import WARNING, Rule
from darkpeak.lint.written import Written, child, items
from darkpeak.vocabulary import COMPOSE_FILE


def declared(service: Service) -> Iterator[Finding]:
    """One of the containers that mount a volume of the service declares that folder by VOLUME."""
    built = {item.container.name: item for item in build_files(service)}
    external = {key for key in service.volume_keys if key not in dict(service.own_volumes)}
    for key in service.volume_keys:
        users = [(one, mount) for one in service.containers for mount in one.mounts if mount.source == key]
        if not users or key in external or not all(one.name in built and built[one.name].text for one, _ in users):
            continue
        # An image of others may declare it too, and so may a variable.
        known = all(built[one.name].is_debian and "$" not in "".join(built[one.name].volumes()) for one, _ in users)
        if known and not any(mount.target.rstrip("/") in built[one.name].volumes() for one, mount in users):
            one, mount = users[0]
            what = f"{one.dockerfile.file} has no VOLUME {mount.target} for the volume {key}"
            yield Finding(mount.at, "no-volume", what, f'write VOLUME ["{mount.target}"] in the Dockerfile')


def named(written: Written) -> Iterator[Finding]:
    """Each VOLUME of a Dockerfile has a named volume, volumes_from, or memory (tmpfs) behind it."""
    if not written.file.endswith(f"/{COMPOSE_FILE}"):
        return
    entries = dict(written.containers())
    for built in build_files(written.service):
        entry = child(written.tree, "services").mapping().get(built.container.name)
        if entry is None or built.container.name not in entries or "volumes_from" in entry.mapping():
            continue
        if "extends" in entry.mapping():
            continue
        mounted = {mount.target.rstrip("/") for mount in built.container.mounts}
        mounted |= {item.text().partition(":")[0].rstrip("/") for item in items(entry, "tmpfs")}
        for folder, line in built.volumes().items():
            if folder not in mounted and "$" not in folder:
                what = f"{built.container.name} has VOLUME {folder}, but no named volume there"
                hint = f"write volumes: [NAME:{folder}] for {built.container.name}, and NAME: {{}} under volumes:"
                yield Finding(built.at(line), "unnamed-volume", what, hint)


RULES = (
    Rule(
        "no-volume",
        WARNING,
        "VOLUME says in the Dockerfile which folders have data, so that plain docker keeps them too.",
        "write VOLUME in the Dockerfile",
        service=(declared,),
    ),
    Rule(
        "unnamed-volume",
        WARNING,
        "Data in a folder without a named volume is lost with the container: at the next deploy, a new one begins "
        "empty. Backups do not have it.",
        "mount a named volume there",
        file=(named,),
    ),
)
