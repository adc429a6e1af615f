"""Read the part of a compose file that Darkpeak must know: containers, published ports, mounts, shared names.

Compose itself checks and runs the rest; we never re-implement it.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from os.path import normpath, relpath
from pathlib import Path

from darkpeak.collective.context import hash_files, hash_folder, short_hash
from darkpeak.collective.dockerfile import Dockerfile
from darkpeak.collective.model import Container, Mount, Place, Port, Shared, Use
from darkpeak.collective.resolved import named_files
from darkpeak.collective.text import NotReadable, read_or_empty
from darkpeak.collective.tree import EMPTY, Tree
from darkpeak.vocabulary import COMPOSE_FILE

ENDING = re.compile(r"(no|on-failure(:\d+)?)$")  # restart policies with which a container that ended stays so
HEALTHCHECK = re.compile(r"^\s*HEALTHCHECK\s+(?!NONE)", re.MULTILINE | re.IGNORECASE)
At = Callable[[int], Place]
Note = Callable[[int, str, str, str], None]

DEFAULTS = (("mode", "ingress"), ("required", "true"), ("dockerfile", "Dockerfile"), ("create_host_path", "true"))
RANGE = r"[0-9]{1,5}(?:-[0-9]{1,5})?"
SHORT_PORT = re.compile(
    rf"(?:(?P<address>[^/]*):)?(?P<published>{RANGE}):(?P<target>{RANGE})(?:/(?P<protocol>tcp|udp))?"
)


def read_containers(
    folder: Path, parsed: Tree, variables: Mapping[str, str], at: At, note: Note
) -> tuple[Container, ...]:
    """Return the containers of `services:`; compose itself finds all other faults."""
    project = parsed.mapping().get("name", EMPTY).text() or folder.name
    containers = []
    services = parsed.mapping().get("services", EMPTY)
    awaited = _awaited(services)
    for name, entry in services.mapping().items():
        own = entry.mapping()
        build = _build_folder(folder, own.get("build"))
        recipe = _dockerfile(folder, build, own.get("build"))
        try:
            written = {"container": entry.plain(), **_shared(parsed.mapping(), own)}
            files = (*named_files(parsed, entry), *_outside(folder, build, recipe))
            parts = _parts(folder, _contexts(build, own), written, variables, files)
        except NotReadable as error:
            parts = ()
            note(services.key_line(name), "build-files", f"{name} cannot be built: {error}", error.hint)
        ports = tuple(_read_ports(own.get("ports", EMPTY), at, note))
        restart, checked = own.get("restart", EMPTY).text(), _has_healthcheck(recipe.text, own.get("healthcheck"))
        containers.append(
            Container(
                name=name,
                at=at(services.key_line(name)),
                build=build,
                ports=ports,
                mounts=tuple(_read_mount(mount, at) for mount in own.get("volumes", EMPTY).items()),
                host_network=own.get("network_mode", EMPTY).text() == "host",
                healthcheck=checked,
                ends=name in awaited or (bool(ENDING.match(restart)) and not ports and not checked),
                awaited=name in awaited,
                depends_on=tuple(_depends_on(entry)),
                replicas=own.get("deploy", EMPTY).mapping().get("replicas", EMPTY).text(),
                restart=restart or own.get("deploy", EMPTY).mapping().get("restart_policy", EMPTY).text(),
                image=own.get("image", EMPTY).text() or f"{project}-{name}",
                named=own.get("container_name", EMPTY).text(),
                content=hashlib.sha256(repr(parts).encode()).hexdigest()[:16],
                parts=parts,
                dockerfile=recipe,
            )
        )
    return tuple(containers)


def _depends_on(entry: Tree) -> dict[str, str]:
    """Return the containers for which one waits, with the conditions: compose also waits for links and volumes_from."""
    own = entry.mapping()
    used = (item.text() for key in ("links", "volumes_from") for item in own.get(key, EMPTY).items())
    needed = own.get("depends_on", EMPTY)
    listed = {item.text(): "" for item in needed.items()}
    listed |= {name: "" for name, _, more in (item.partition(":") for item in used) if name != "container"}
    return listed | {name: item.mapping().get("condition", EMPTY).text() for name, item in needed.mapping().items()}


def _awaited(services: Tree) -> set[str]:
    """Return the containers for whose end others wait."""
    needed = (item for entry in services.mapping().values() for item in _depends_on(entry).items())
    return {name for name, condition in needed if condition == "service_completed_successfully"}


def read_shared(parsed: Tree, key: str, at: At) -> tuple[Shared, ...]:
    """Return the networks or volumes that are external, or that set their own `name` on the daemon."""
    section = parsed.mapping().get(key, EMPTY)
    shared = []
    for entry, value in section.mapping().items():
        external = value.mapping().get("external", EMPTY).text() == "true"
        name = value.mapping().get("name", EMPTY).text()
        if name or external:
            shared.append(Shared(name or entry, external, at(section.key_line(entry))))
    return tuple(shared)


def read_own(parsed: Tree, section: str, folder: str) -> Iterator[tuple[str, str, str]]:
    """Yield the key, the name on the daemon and the subnet of each network or volume that the file defines itself."""
    project = parsed.mapping().get("name", EMPTY).text() or folder
    for key, value in parsed.mapping().get(section, EMPTY).mapping().items():
        own = value.mapping()
        if own.get("external", EMPTY).text() != "true":
            pools = own.get("ipam", EMPTY).mapping().get("config", EMPTY).items()
            subnets = (pool.mapping().get("subnet", EMPTY).text() for pool in pools)
            yield key, own.get("name", EMPTY).text() or f"{project}_{key}", next(subnets, "")


def read_uses(parsed: Tree, project: str, at: At) -> Iterator[Use]:
    """Yield all volumes and networks of the file, each by the name that it has on the engine."""
    for section, noun in (("volumes", "volume"), ("networks", "network")):
        for key, entry in parsed.mapping().get(section, EMPTY).mapping().items():
            external = entry.mapping().get("external", EMPTY)
            name = entry.mapping().get("name", EMPTY).text() or external.mapping().get("name", EMPTY).text()
            is_external = external.text() == "true" or bool(external.mapping())
            used = name or (key if is_external else f"{project}_{key}")
            yield Use(noun, used, at(entry.key_line("name")))


def read_subnets(parsed: Tree, at: At) -> tuple[tuple[str, Place], ...]:
    """Return every subnet that the file sets."""
    found = []
    for network in parsed.mapping().get("networks", EMPTY).mapping().values():
        for pool in network.mapping().get("ipam", EMPTY).mapping().get("config", EMPTY).items():
            subnet = pool.mapping().get("subnet")
            if subnet:
                found.append((subnet.text(), at(subnet.line)))
    return tuple(found)


def _build_folder(folder: Path, build: Tree | None) -> str | None:
    if build is None:
        return None
    context = build.text() or build.mapping().get("context", EMPTY).text() or "."
    return relpath(context, folder) if context.startswith("/") else context


def _contexts(build: str | None, own: Mapping[str, Tree]) -> list[str]:
    """Return the folders from which an image is built; addresses and other images are not folders."""
    more = own.get("build", EMPTY).mapping().get("additional_contexts", EMPTY)
    named = [
        *(value.text() for value in more.mapping().values()),
        *(item.text().partition("=")[2] for item in more.items()),
    ]
    return [*([build] if build else []), *(path for path in named if path and ":" not in path)]


def _read_ports(ports: Tree, at: At, note: Note) -> Iterator[Port]:
    for entry in ports.items():
        port = _read_long_port(entry, at) if isinstance(entry.value, dict) else _read_short_port(entry, at)
        if port:
            yield port
        else:
            hint = 'write "127.0.0.1:6010:80", or a range of two: "127.0.0.1:6010-6011:80"'
            note(entry.line, "port-form", f"cannot read the port {entry.text() or 'entry'}", hint)


def _read_short_port(entry: Tree, at: At) -> Port | None:
    found = SHORT_PORT.fullmatch(entry.text())
    if not found:
        return None
    address = (found["address"] or "").strip("[]")
    return _make_port(address, found["published"], found["target"], at(entry.line), found["protocol"] or "tcp")


def _read_long_port(entry: Tree, at: At) -> Port | None:
    own = {key: value.text() for key, value in entry.mapping().items()}
    published, target = own.get("published", ""), own.get("target", "")
    if not re.fullmatch(RANGE, published) or not re.fullmatch("[0-9]{1,5}", target):
        return None
    return _make_port(own.get("host_ip", ""), published, target, at(entry.line), own.get("protocol", "tcp"))


def _make_port(address: str, published: str, target: str, at: Place, protocol: str) -> Port | None:
    """Return a port; None for a range that ends before it begins."""
    port = Port(address, _range(published), _range(target), at, protocol)
    return port if port.published and port.target else None


def _range(written: str) -> range:
    first, _, last = written.partition("-")
    return range(int(first), int(last or first) + 1)


def _read_mount(mount: Tree, at: At) -> Mount:
    if isinstance(mount.value, dict):
        own = {key: value.text() for key, value in mount.mapping().items()}
        return Mount(own.get("source", ""), own.get("target", ""), at(mount.line))
    source, separator, rest = mount.text().partition(":")
    return Mount(source, rest.partition(":")[0], at(mount.line)) if separator else Mount("", source, at(mount.line))


def _dockerfile(folder: Path, build: str | None, written: Tree | None) -> Dockerfile:
    """Return by what a container's image is built, as compose finds it."""
    if build is None or written is None:
        return Dockerfile()
    inline = written.mapping().get("dockerfile_inline", EMPTY)
    if inline.text():
        return Dockerfile(COMPOSE_FILE, inline.text(), inline.line, inline=True)
    name = written.mapping().get("dockerfile", EMPTY).text() or "Dockerfile"
    file = normpath(name if name.startswith("/") else f"{build}/{name}")
    file = relpath(file, folder) if file.startswith("/") else file
    found = Dockerfile(file)
    return found if found.outside else Dockerfile(file, read_or_empty(folder / file))


def _outside(folder: Path, build: str | None, recipe: Dockerfile) -> Iterator[Path]:
    """Yield the Dockerfile if it is not in the folder from which the image is built."""
    inside = "" if build is None or normpath(build) == "." else f"{normpath(build)}/"
    if recipe.file and not recipe.inline and not recipe.outside and not recipe.file.startswith(inside):
        yield folder / recipe.file


def exposed(text: str) -> set[int]:
    """Return the ports in a Dockerfile's EXPOSE lines, if they are numbers."""
    lines = re.findall(r"^\s*EXPOSE\s+(.+)$", text, re.MULTILINE | re.IGNORECASE)
    return {int(number) for line in lines for number in re.findall(r"\b([0-9]{1,5})(?:/\w+)?\b", line)}


def _has_healthcheck(text: str, written: Tree | None) -> bool:
    if written is not None:
        own = written.mapping()
        return own.get("disable", EMPTY).text() != "true" and own.get("test", EMPTY).plain() not in ("NONE", ["NONE"])
    return bool(HEALTHCHECK.search(text))


def _parts(
    folder: Path,
    contexts: Iterable[str],
    written: dict[str, object],
    variables: Mapping[str, str],
    named: Iterable[Path],
) -> tuple[tuple[str, str], ...]:
    """Return a hash of each thing that decides how a container is built and run: its part of the file, its files."""
    text = json.dumps(_short(written), sort_keys=True).replace(str(folder), ".")  # the same in every admin's clone
    own = short_hash(with_values(text, variables).encode())
    parts: dict[str, str] = {}
    for context in contexts:
        parts |= hash_folder(folder, context)
    parts |= hash_files(folder, named)
    copied = parts.pop(COMPOSE_FILE, "")  # it is in the context of `build: .`
    return tuple({COMPOSE_FILE: short_hash((own + copied).encode()) if copied else own, **parts}.items())


def _shared(top: Mapping[str, Tree], own: Mapping[str, Tree]) -> dict[str, object]:
    """Return the project's name, and the entries at the top of the file that a container uses."""
    used = {
        "networks": own.get("networks", EMPTY).mapping().keys()
        | {item.text() for item in own.get("networks", EMPTY).items()},
        "volumes": {_source(item).partition(":")[0] for item in own.get("volumes", EMPTY).items()},
        "configs": {_source(item) for item in own.get("configs", EMPTY).items()},
    }
    used["networks"] = used["networks"] or {"default"}
    shared: dict[str, object] = {"name": top.get("name", EMPTY).plain()}
    for section, names in used.items():
        entries = top.get(section, EMPTY).mapping()
        shared[section] = {key: entry.plain() for key, entry in entries.items() if key in names}
    return shared


def _source(item: Tree) -> str:
    """Return what an item names, in the short or the long form."""
    return item.text() or item.mapping().get("source", EMPTY).text()


def _short(value: object) -> object:
    """Return what compose resolved without its defaults, which not every version of compose writes."""
    if isinstance(value, dict):
        parts = {key: _short(part) for key, part in value.items() if (key, part) not in DEFAULTS}
        return {key: part for key, part in parts.items() if part not in (None, {}, [])}
    return [_short(part) for part in value] if isinstance(value, list) else value


def with_values(text: str, variables: Mapping[str, str]) -> str:
    """Return a text, followed by the values of the variables that it uses, so that its hash depends on them."""
    return text + "".join(value for name, value in variables.items() if name in text)
