"""Read the changelogs of newer packages out of the packages themselves, where apt gets them: in a short container.

The archive's own packages are asked, since apt can reach them, has their hashes from a signed list, and checks them. A
package never changes, so what was read is kept on this machine, by its hash.
"""

import io
import json
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from darkpeak.engine.engine import Engine
from darkpeak.engine.resolve import cache_folder, keep
from darkpeak.errors import SystemFailure
from darkpeak.packages.apt import FRESH_MINUTES, make_argv, pack, run
from darkpeak.packages.changes import Changelog, Entry, Offered, read_changelog, read_offered, smallest
from darkpeak.packages.container import CannotTell, Files
from darkpeak.result import display
from darkpeak.vocabulary import MIB

SCRIPT = "changelogs.sh"
MOST = 200  # changelogs that are read at once
LARGEST = 100 * MIB  # a package that is larger is not fetched for its changelog
LONGEST = MIB // 2  # bytes of a changelog, from its newest entry


@dataclass(frozen=True, order=True)
class Wanted:
    """A version of a package, as apt writes its name."""

    package: str
    version: str


@dataclass(frozen=True)
class Read:
    """The package whose changelog was looked for, and its source's changelog."""

    offered: Offered
    changelog: Changelog | CannotTell


def find_changelogs(
    engine: Engine, image: str, files: Files, wanted: Iterable[Wanted]
) -> Mapping[Wanted, Read | CannotTell]:
    """Return the changelogs of packages that apt offers to containers which share an index.

    Raises:
        CannotTell: when apt cannot answer for any of them.
        SystemFailure: when the engine does not answer.
    """
    names = sorted(set(wanted))
    printed = _run(engine, image, files, "find", names)
    found = read_offered(printed.decode(errors="replace"), files.installed.native)
    offered = {Wanted(item.name, item.version): item for item in found}
    sources: dict[tuple[str, str], list[Offered]] = defaultdict(list)
    for name in names:
        if name in offered:
            sources[offered[name].source, offered[name].source_version].append(offered[name])
    chosen = {source: smallest(items) for source, items in sources.items()}
    read = _read_all(engine, image, files, list(chosen.values()))
    gone = CannotTell("the archive no longer has this version")
    return {
        name: Read(item, read[chosen[item.source, item.source_version]]) if (item := offered.get(name)) else gone
        for name in names
    }


def _read_all(
    engine: Engine, image: str, files: Files, offered: Sequence[Offered]
) -> dict[Offered, Changelog | CannotTell]:
    """Return the changelog of each package: those that are not kept are read at once."""
    known: dict[Offered, Changelog | CannotTell] = {}
    for item in offered:
        if kept := _kept(item):
            known[item] = kept
    missing = sorted((item for item in offered if item not in known), key=lambda item: item.size)
    asked = missing[:MOST]
    known |= dict.fromkeys(missing[MOST:], CannotTell(f"{MOST} others are read first: try again"))
    if not asked:
        return known
    try:
        packed = _run(engine, image, files, "read", [Wanted(item.name, item.version) for item in asked])
    except SystemFailure as error:
        return known | dict.fromkeys(asked, CannotTell(error.message))
    texts = unpack(packed)
    for number, item in enumerate(asked, 1):
        changelog = known[item] = read_one(texts, number)
        if isinstance(changelog, Changelog):
            keep(_path(item), json.dumps(asdict(changelog)).encode())
    return known


def read_one(texts: Mapping[str, bytes], number: int) -> Changelog | CannotTell:
    """Return the changelog with a number among what the script sent, or why there is none."""
    text = texts.get(f"{number}.text")
    if text is None:
        why = texts.get(f"{number}.why", b"its package was not read").decode(errors="replace")
        return CannotTell(display(why.strip()))
    changelog = read_changelog(text.decode(errors="replace"), cut=len(text) >= LONGEST)
    return changelog if changelog.entries else CannotTell("its changelog has no entry in Debian's form")


def unpack(packed: bytes) -> dict[str, bytes]:
    """Return the files that the script sent, by their names.

    Raises:
        CannotTell: when that is no archive.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as archive:
            files = {item.name: archive.extractfile(item) for item in archive if item.isfile()}
            return {name.removeprefix("./"): file.read(LONGEST) for name, file in files.items() if file}
    except tarfile.TarError as error:
        raise CannotTell(f"the packages' changelogs cannot be read: {error}") from error


def _run(engine: Engine, image: str, files: Files, mode: str, wanted: Sequence[Wanted]) -> bytes:
    argv = make_argv(image, files.index, SCRIPT, FRESH_MINUTES, mode, LARGEST, LONGEST)
    lines = "".join(f"{item.package} {item.version}\n" for item in wanted)
    return run(engine, argv, pack(files, {"wanted": lines.encode()})).stdout


def _kept(item: Offered) -> Changelog | None:
    try:
        kept = json.loads(_path(item).read_bytes())
        entries = tuple(
            Entry(**{**entry, "suites": tuple(entry["suites"]), "cves": tuple(entry["cves"])})
            for entry in kept["entries"]
        )
        return Changelog(entries, cut=kept["cut"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _path(item: Offered) -> Path:
    return cache_folder() / f"changelog-{item.digest}.json"
