"""Make a service in a collective: copy one of the catalogue or a shape, and give it a name, a block and admins."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from darkpeak import __version__, caller, catalogue
from darkpeak.collective.adapted import Given, adapt, read_as_service
from darkpeak.collective.content import File, Files, pack, read_files, write_files
from darkpeak.collective.model import Collective, Finding, Service
from darkpeak.collective.text import read_or_empty
from darkpeak.deploy.check import Checked, check_files, require_sound
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.plan.blocks import NO_BLOCK, free_blocks
from darkpeak.vocabulary import (
    COMPOSE_FILE,
    KNOWN_BY_NAME,
    LABEL,
    LEAST_ADMINS,
    ORIGIN_FILE,
    PROJECT,
    ROUTER,
)

DEBIAN = "debian"
SOURCES = ("pypi", "npm")  # of the programs of shapes, besides Debian
WHY_DEBIAN = {"static": "it has no program", "tcp": "its program uses no packages"}  # why a shape has no other source
BLOCK = re.compile(r"\bblock:\s*(\d{4})\b")


@dataclass(frozen=True)
class Made:
    """A new service: its folder from the collective's, and what it got."""

    name: str
    folder: str
    block: int
    admins: tuple[str, ...]
    origin: str


def add(checked: Checked, name: str, new: str = "", admins: tuple[str, ...] = ()) -> Made:
    """Copy a service of the catalogue into a collective; `new` is its name there.

    Raises:
        UsageError: when that is not possible; nothing was written.
        SystemFailure: when the files cannot be written; there is no new service then.
    """
    known = catalogue.services()
    if name not in known:
        raise UsageError(f"the catalogue has no service {name!r}", hint=f"choose one of {', '.join(known)}")
    if new and new != name and name in KNOWN_BY_NAME:
        raise UsageError(f"{name} must keep its name: others know it by that", hint=f"add it: darkpeak add {name}")
    return make(checked, read_files(known[name]), new or name, admins, f"services/{name}")


def new(checked: Checked, name: str, shape: str, source: str = DEBIAN, admins: tuple[str, ...] = ()) -> Made:
    """Make a service of a shape, whose program is from there: Debian's packages, PyPI or npm.

    Raises:
        UsageError: when that is not possible; nothing was written.
        SystemFailure: when the files cannot be written; there is no new service then.
    """
    known = names_in(catalogue.shapes())
    if shape not in known:
        raise UsageError(f"there is no shape {shape!r}", hint=f"choose one of {', '.join(known)}")
    if source not in sources_of(shape):
        why = f": {WHY_DEBIAN[shape]}" if shape in WHY_DEBIAN and source in SOURCES else ""
        what = f"the shape {shape} cannot be made from {source}{why}"
        raise UsageError(what, hint=f"choose --from {' or '.join(sources_of(shape))}")
    return make(checked, shape_files(shape, source), name, admins, f"shapes/{shape}" + _suffix(source))


def sources_of(shape: str) -> tuple[str, ...]:
    """Return from where a shape's program can be."""
    return (DEBIAN, *(item for item in SOURCES if (catalogue.shapes() / f"{shape}+{item}").is_dir()))


def shape_files(shape: str, source: str = DEBIAN) -> Files:
    """Return the files of a shape: its own, and those by which another source differs. There, an empty one removes."""
    files = read_files(catalogue.shapes() / shape)
    if source != DEBIAN:
        files = {**files, **read_files(catalogue.shapes() / (shape + _suffix(source)))}
    return {name: file for name, file in files.items() if file.content}


def _suffix(source: str) -> str:
    return "" if source == DEBIAN else f"+{source}"


def names_in(folder: Path) -> tuple[str, ...]:
    """Return the names of the shapes in a folder of the catalogue."""
    return tuple(sorted(file.parent.name for file in folder.glob(f"*/{COMPOSE_FILE}")))


def make(checked: Checked, files: Files, name: str, admins: tuple[str, ...], origin: str) -> Made:
    """Make a service from these files, which come from there in the catalogue.

    Raises:
        UsageError: when that is not possible; nothing was written.
        SystemFailure: when the files cannot be written; there is no new service then.
    """
    require_sound([item for item in checked.faults if item.rule == "toml"])
    collective, service = checked.collective, read_as_service(files)
    folder = collective.root / "services" / name
    _check_name(collective, name, folder)
    _check_needs(collective, name, service)
    block = _free_block(collective, service, own=origin.startswith("services/"))
    given = Given(name, block, _admins(collective, admins), f"{origin} {__version__}")
    adapted = adapt(files, given)
    try:
        write_files(folder, {**adapted, ORIGIN_FILE: File(pack(files))})
    except OSError as error:
        hint = "see who may write there, and the free space: df ."
        raise SystemFailure(f"{error.filename or folder} cannot be written: {error.strerror}", hint=hint) from error
    faults = [item for item in check_files(collective.root).faults if item not in checked.faults]
    if faults:
        shutil.rmtree(folder)
        raise _conflict(name, faults[0])
    return Made(name, str(folder.relative_to(collective.root)), given.block, given.admins, given.origin)


def _check_name(collective: Collective, name: str, folder: Path) -> None:
    if not LABEL.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a service's name", hint="use lower-case letters, digits and inner hyphens"
        )
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"services/{name} already exists", hint="choose another name")
    other = next((item.name for item in collective.services if item.project == PROJECT + name), None)
    if other:
        raise UsageError(f"the project name {PROJECT}{name} already belongs to {other}", hint="choose another name")


def _check_needs(collective: Collective, name: str, service: Service) -> None:
    """Check that the collective has the services whose networks and volumes this one uses."""
    there = {shared.name for item in collective.services for shared in item.shared if not shared.external}
    for shared in service.shared:
        if shared.external and shared.name not in there:
            raise _missing(collective, name, shared.name)


def _missing(collective: Collective, name: str, shared: str) -> UsageError:
    owner = _owner(shared)
    if owner and (collective.root / "services" / owner).exists():
        what = f"{name} needs {shared}, which {owner} has in newer versions than that of this collective"
        return UsageError(what, hint=f"take the newer version first: darkpeak diff {owner} --take")
    what = f"{name} needs {owner or shared}, which this collective does not have"
    return UsageError(what, hint=f"add it first: darkpeak add {owner}" if owner else "make it first")


def _owner(shared: str) -> str:
    """Return the service of the catalogue that defines a network or volume; empty if none does."""
    for name, folder in catalogue.services().items():
        service = read_as_service({COMPOSE_FILE: File((folder / COMPOSE_FILE).read_bytes())})
        if any(item.name == shared and not item.external for item in service.shared):
            return name
    return ""


def _free_block(collective: Collective, service: Service, *, own: bool) -> int:
    """Return the lowest free block; or with `own` the service's own, if it is free. The router keeps its own."""
    free = [item.block for item in free_blocks(collective)]
    files = (collective.root / "services").glob(f"*/{COMPOSE_FILE}")  # also those that cannot be read as a service
    used = {int(found) for file in files for found in BLOCK.findall(read_or_empty(file))}
    block = service.block or 0
    if service.project == PROJECT + ROUTER:
        free = [block]
    elif own and block in free:
        free.insert(0, block)
    found = next((item for item in free if item not in used), None)
    if found is None:
        raise UsageError(NO_BLOCK if free != [block] else f"block {block} is in use", hint="see: darkpeak ports")
    return found


def _admins(collective: Collective, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the admins: the wanted ones; else all, if the collective has only two; else whoever runs this."""
    known = [admin.name for admin in collective.admins]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        where = f"collective.toml has {', '.join(known) or 'none'}"
        raise UsageError(f"there is no admin {unknown[0]!r}", hint=f"{where}; add one there: [admins.{unknown[0]}]")
    if wanted:
        return tuple(dict.fromkeys(wanted))
    if len(known) <= LEAST_ADMINS:
        return tuple(known)
    login, mail = caller.who().partition("@")[0], caller.mail(collective.root)
    own = next((item.name for item in collective.admins if login == item.name or (mail and mail == item.mail)), None)
    if own is None:
        hint = f"choose two of {', '.join(known)}: --admin {known[0]} --admin {known[1]}"
        raise UsageError("who runs this service?", hint=hint)
    return (own,)


def _conflict(name: str, fault: Finding) -> UsageError:
    where = str(fault.at) if fault.at.service not in ("", name) else ""
    return UsageError(f"{name} does not fit into this collective: {fault.what}", where, fault.hint)
