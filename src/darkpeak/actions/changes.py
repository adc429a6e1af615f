"""Find what newer packages change: the entries of Debian's changelogs between the installed and the newer version."""

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from darkpeak.actions.updates import INDEX, Found, Update, list_containers
from darkpeak.collective import count
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure
from darkpeak.packages.changelogs import Read, Wanted, find_changelogs
from darkpeak.packages.changes import Entry, version_in_changelog
from darkpeak.packages.container import CannotTell, Files, read_files
from darkpeak.progress import Progress
from darkpeak.result import display

GONE = "its container has been replaced meanwhile"


@dataclass(frozen=True, order=True)
class Change:
    """What changes between two versions of a source package, for all packages that are built from it."""

    source: str
    old: str
    new: str
    packages: tuple[str, ...]
    entries: tuple[Entry, ...] = ()  # the newest first
    cut: bool = False  # whether there are older entries that are newer than the old version
    why: str = ""  # it is not known

    def lines(self) -> Iterator[str]:
        """Yield a heading, and a line for each entry of the changelog."""
        others = [name for name in self.packages if name != self.source]
        of = f" ({', '.join(others)})" if others else ""
        if self.why:
            yield display(f"cannot tell what {self.source} {self.new}{of} changes, because {self.why}")
            return
        security = " security" if any(entry.security for entry in self.entries) else ""
        yield display(f"changes of {self.source} {self.old} to {self.new}{security}{of}:")
        yield from (display(f"  {entry.line(self.source)}") for entry in self.entries)
        if self.cut:
            yield "  and older ones"


def find_changes(target: Target, updates: Sequence[Update], progress: Progress) -> tuple[Change, ...]:
    """Return what the updates of Debian's packages on one engine change, sorted by the source's name."""
    late: dict[tuple[str, str], list[Update]] = defaultdict(list)
    for item in updates:
        late[item.service, item.container].append(item)
    try:
        groups = _read(target, late)
    except SystemFailure as error:
        return merge(_unknown(item, error.message) for item in updates)
    there = {(place.service, place.container) for group in groups for place, _ in group}
    found = [_unknown(item, GONE) for item in updates if (item.service, item.container) not in there]
    for group in groups:
        several = [(item, files) for place, files in group for item in late[place.service, place.container]]
        wanted = {Wanted(item.package, item.new) for item, _ in several}
        progress.step(INDEX, f"reading the changelogs of {count(len(wanted), 'package')}")
        read = _ask(target, group, wanted)
        found += (_make(item, files, read) for item, files in several)
    return merge(found)


def merge(found: Iterable[Change]) -> tuple[Change, ...]:
    """Return changes so that each is there once, with all its packages."""
    packages: dict[Change, set[str]] = defaultdict(set)
    for item in found:
        packages[replace(item, packages=())].update(item.packages)
    return tuple(sorted(replace(item, packages=tuple(sorted(names))) for item, names in packages.items()))


def _read(target: Target, late: Container[tuple[str, str]]) -> Collection[Sequence[tuple[Found, Files]]]:
    """Return the files of containers that have updates, in groups which share an index."""
    groups: dict[str, list[tuple[Found, Files]]] = defaultdict(list)
    for place in list_containers(target):
        if place.running and (place.service, place.container) in late:
            with suppress(CannotTell):  # it has packages no longer, so it is another container
                files = read_files(target.engine, place.running.id)
                groups[files.index].append((place, files))
    return groups.values()


def _ask(
    target: Target, group: Sequence[tuple[Found, Files]], wanted: Collection[Wanted]
) -> Mapping[Wanted, Read | CannotTell]:
    place, files = group[0]
    assert place.running  # noqa: S101 (for the type checker: only those are read)
    try:
        return find_changelogs(target.engine, place.running.image, files, wanted)
    except CannotTell as error:
        return dict.fromkeys(wanted, error)
    except SystemFailure as error:
        return dict.fromkeys(wanted, CannotTell(error.message))


def _make(item: Update, files: Files, read: Mapping[Wanted, Read | CannotTell]) -> Change:
    answer = read[Wanted(item.package, item.new)]
    if isinstance(answer, CannotTell):
        return _unknown(item, str(answer))
    every = files.installed.packages
    installed = next((found for found in every if files.installed.full_name(found) == item.package), None)
    if installed is None:
        return _unknown(item, GONE)
    old, offered, changelog = version_in_changelog(installed), answer.offered, answer.changelog
    change = Change(offered.source, old, offered.source_version, (item.package,))
    if isinstance(changelog, CannotTell):
        return replace(change, why=str(changelog))
    entries = changelog.after(old)
    if not entries:
        return replace(change, why=f"its changelog names nothing that is newer than {old}")
    return replace(change, entries=entries, cut=changelog.cut and len(entries) == len(changelog.entries))


def _unknown(item: Update, why: str) -> Change:
    return Change(item.package, item.old, item.new, (item.package,), why=why)
