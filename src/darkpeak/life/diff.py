"""Show what has changed in the catalogue since a service was made from it, and take that over."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from darkpeak import __version__, caller, catalogue, process
from darkpeak.collective.adapted import Given, adapt
from darkpeak.collective.content import File, Files, pack, read_files, read_some, unpack, write_files
from darkpeak.collective.model import Collective, Service
from darkpeak.collective.text import NotReadable, read_bytes
from darkpeak.collective.three_way import Change, merge_files, show_diff
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.life.add import DEBIAN, SOURCES, names_in, shape_files
from darkpeak.vocabulary import COMPOSE_FILE, ORIGIN_FILE

LARGEST = 1 << 28  # bytes of the packed files


@dataclass(frozen=True)
class Difference:
    """What changed in the catalogue since a service was made: between which versions, and the lines of a diff."""

    service: str
    before: str
    now: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Taken:
    """What was changed in a service's files, and what somebody must look at: the names of files."""

    service: str
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    conflicts: Mapping[str, str]


@dataclass(frozen=True)
class Versions:
    """The catalogue's files before and now, with the service's own name, block and admins; and as they are there."""

    origin: str
    before: Files
    now: Files
    pristine: Files

    @property
    def new_origin(self) -> str:
        """Where the files of now are from. Until the end, both have the old line: a new one would conflict."""
        return f"{self.origin.partition(' ')[0]} {__version__}"


def diff(service: Service) -> Difference:
    """Return what has changed in the catalogue since a service was made from it.

    Raises:
        UsageError: when the service is not from the catalogue, or is not there any more.
    """
    found = _versions(service)
    lines = tuple(show_diff(found.before, found.now))
    return Difference(service.name, found.origin, found.new_origin, lines)


def take(collective: Collective, service: Service) -> Taken:
    """Merge what has changed in the catalogue into a service's files. Its data, volumes and networks are not touched.

    Raises:
        UsageError: when the service is not from the catalogue, or git has changes in its folder that are not committed.
        SystemFailure: when git or the disk failed.
    """
    found = _versions(service)
    _require_clean(collective, service)
    try:
        own = read_some(service.folder, {*found.before, *found.now})
        changes = merge_files(own, found.before, found.now, _merge)
        _write(service, changes, found)
    except NotReadable as error:
        raise UsageError(f"a file of {service.name} cannot be read: {error}", hint=error.hint) from error
    except OSError as error:
        hint = f"go back: git checkout -- services/{service.name}"
        raise SystemFailure(f"{error.filename} cannot be written: {error.strerror}", hint=hint) from error
    return Taken(
        service.name,
        tuple(item.name for item in changes if item.file and not item.conflict),
        tuple(item.name for item in changes if item.file is None and not item.conflict),
        {item.name: item.conflict for item in changes if item.conflict},
    )


def _versions(service: Service) -> Versions:
    if not service.origin:
        hint = "only services that `darkpeak add` or `darkpeak new` made can be compared"
        raise UsageError(f"{service.name} is not from the catalogue", hint=hint)
    try:
        before = unpack(read_bytes(service.folder / ORIGIN_FILE, LARGEST))
    except NotReadable as error:
        where = f"services/{service.name}/{ORIGIN_FILE}"
        hint = f"get it back: git checkout HEAD -- {where}"
        raise UsageError(f"the files from which {service.name} was made: {error}", where, hint) from error
    now = _of_catalogue(service.origin.partition(" ")[0])
    given = Given(service.name, service.block or 0, service.admins, service.origin)
    return Versions(service.origin, adapt(before, given), adapt(now, given), now)


def _of_catalogue(path: str) -> Files:
    """Return the files that are at a place like services/wiki or shapes/web+pypi.

    Raises:
        UsageError: when the catalogue does not have it.
    """
    kind, _, name = path.partition("/")
    shape, _, source = name.partition("+")
    if kind == "services" and name in catalogue.services():
        return read_files(catalogue.services()[name])
    if kind == "shapes" and shape in names_in(catalogue.shapes()) and source in ("", *SOURCES):
        return shape_files(shape, source or DEBIAN)
    raise UsageError(f"the catalogue of darkpeak {__version__} has no {path}", hint="another version may have it")


def _require_clean(collective: Collective, service: Service) -> None:
    commit = caller.commit_of(service.folder)
    if not commit:
        hint = "commit first: git init && git add . && git commit -m 'The collective'"
        raise UsageError(f"{collective.root} is not in git, so nothing could be undone", hint=hint)
    if commit.endswith("+"):
        hint = f"commit them first: git add services/{service.name} && git commit"
        raise UsageError(f"services/{service.name} has changes that are not committed", hint=hint)


def _merge(own: bytes, before: bytes, now: bytes) -> tuple[bytes, bool]:
    """Merge three texts with git.

    Raises:
        SystemFailure: when git failed.
    """
    with tempfile.TemporaryDirectory(prefix="darkpeak-") as folder:
        paths = []
        for name, content in (("own", own), ("before", before), ("now", now)):
            paths.append(Path(folder) / name)
            paths[-1].write_bytes(content)
        labels = ("-L", "this collective", "-L", "the catalogue before", "-L", "the catalogue now")
        merged = process.run(("git", "merge-file", "-p", *labels, *map(str, paths)))
    if not 0 <= merged.code <= 127:  # noqa: PLR2004 (git's number of conflicts; above, it is an error)
        raise SystemFailure(f"git cannot merge: {merged.last_line()}", hint="see: git --version")
    return merged.stdout, merged.code > 0


def _write(service: Service, changes: tuple[Change, ...], found: Versions) -> None:
    for change in changes:
        if change.file is None:
            (service.folder / change.name).unlink(missing_ok=True)
    files = {change.name: change.file for change in changes if change.file}
    write_files(service.folder, {**files, ORIGIN_FILE: File(pack(found.pristine))})
    compose = service.folder / COMPOSE_FILE
    text = compose.read_text(encoding="utf-8")
    compose.write_text(text.replace(f"from: {found.origin}", f"from: {found.new_origin}", 1), encoding="utf-8")
