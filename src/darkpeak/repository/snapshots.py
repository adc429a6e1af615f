"""Snapshots as values: their manifests and parts, whether one is damaged, which one to choose. Pure."""

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from darkpeak.errors import CheckFailed
from darkpeak.result import display

TAG = "darkpeak-set"
STALE_DAYS = 7
SHOWN = 5  # names in a message
DIGEST = 16  # characters of a hash in a record
BACKUP, BEFORE = "backup", "before"  # a backup, or the state before a restore


@dataclass(frozen=True)
class Part:
    """One file or folder that a service's backup script wrote."""

    size: int
    sha256: str
    rows: int | None = None  # rows of a dump, entries, or files in it; None if unknown


@dataclass(frozen=True)
class Manifest:
    """The description of a snapshot; without a manifest, a snapshot is not used."""

    service: str
    host: str  # its name under [hosts]; empty for the default daemon
    number: int
    kind: str
    made: str
    by: str
    commit: str
    images: Mapping[str, str]
    parts: Mapping[str, Part]
    says: tuple[str, ...] = ()  # what scripts/verify of the live service printed before and after the backup
    inventory: str = ""  # the hash of the file that says what ran; empty in those from before there was one

    @property
    def name(self) -> str:
        """The snapshot's name, like wiki-17."""
        return make_name(self.service, self.host, self.number)

    @property
    def size(self) -> int:
        """The size of all its parts, in bytes."""
        return sum(part.size for part in self.parts.values())

    def known(self, restic_id: str, repository: str) -> "Snapshot":
        """Return the snapshot as a repository that has it lists it."""
        return Snapshot(self.service, self.host, self.number, self.kind, self.made, restic_id, repository)

    def text(self) -> str:
        """Return the manifest as JSON, as it is saved."""
        return json.dumps({"set": self.name, **asdict(self)}, indent=2, sort_keys=True) + "\n"


@dataclass(frozen=True)
class Snapshot:
    """One snapshot, as a repository lists it."""

    service: str
    host: str
    number: int
    kind: str
    made: str
    restic_id: str
    repository: str

    @property
    def name(self) -> str:
        """The snapshot's name, like wiki-17."""
        return make_name(self.service, self.host, self.number)


def make_name(service: str, host: str, number: int) -> str:
    """Return the name of a snapshot: wiki-17, or wiki-17@north on a host of [hosts]."""
    return f"{service}-{number}" + (f"@{host}" if host else "")


def parse_manifest(text: bytes, expected: str) -> Manifest:
    """Return the manifest in a text, which must be that of the expected snapshot.

    Raises:
        CheckFailed: when it cannot be read, or when it is that of another snapshot.
    """
    try:
        found = json.loads(text)
        name = found.pop("set")
        found.pop("exit_code", None)  # until 2026 a manifest had one, always 0
        parts = {path: Part(**part) for path, part in found.pop("parts").items()}
        manifest = Manifest(parts=parts, says=tuple(found.pop("says", ())), **found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckFailed(f"the manifest of {expected} cannot be read: {error}") from error
    if expected not in (name, manifest.name) or name != manifest.name:
        raise CheckFailed(f"{expected} contains the manifest of {name}")
    return manifest


def make_inventory(found: Mapping[str, Any]) -> dict[str, Part]:
    """Return the parts of an inventory that the helper made, without what is left out."""
    kept = {path: part for path, part in found.items() if "left_out" not in part}
    return {path: Part(int(part["size"]), str(part["sha256"]), part["rows"]) for path, part in kept.items()}


def not_saved(found: Mapping[str, Any]) -> list[str]:
    """Return what an inventory has that a snapshot does not save, with the reasons."""
    lines = [f"{display(path)} is not saved: {part['left_out']}" for path, part in found.items() if "left_out" in part]
    for path, part in found.items():
        sockets = part.get("sockets", ())
        if sockets:
            first = ", ".join(display(name) for name in sockets[:SHOWN])
            more = f", and {len(sockets) - SHOWN} more" if len(sockets) > SHOWN else ""
            lines.append(f"{display(path)} has sockets, which are not saved: {first}{more}")
    return lines


def empty_folders(found: Mapping[str, Any]) -> frozenset[str]:
    """Return the parts of an inventory that are folders without any content."""
    return frozenset(path for path, part in found.items() if part.get("folder") and not part["size"])


def find_damage(manifest: Manifest, found: Mapping[str, Part]) -> list[str]:
    """Return all differences between a manifest and the parts that a repository returned."""
    wrong = [f"{path} is missing" for path in sorted(manifest.parts.keys() - found.keys())]
    wrong += [f"{path} is not in its manifest" for path in sorted(found.keys() - manifest.parts.keys())]
    for path in sorted(manifest.parts.keys() & found.keys()):
        part, here = manifest.parts[path], found[path]
        if part.size != here.size:
            wrong.append(f"{path} has {here.size} bytes instead of {part.size}")
        elif part.sha256 != here.sha256:
            wrong.append(f"{path} has different content")
    return wrong or ([] if manifest.parts else ["it has no parts"])


def suspicious(now: Mapping[str, Part], before: Mapping[str, Part], folders: Container[str] = ()) -> list[str]:
    """Return what a person should check, though no program failed: parts that are empty, missing, or half as large.

    `folders` are those in which there are no files. A folder may be empty until it has had content.
    """
    new = {path for path in now if path in folders and not (path in before and before[path].size)}
    found = [f"{path} is empty" for path, part in sorted(now.items()) if not part.size and path not in new]
    found += [f"{path} has no rows" for path, part in sorted(now.items()) if part.size and part.rows == 0]
    found += [f"{path} was in the last snapshot, but is not in this one" for path in sorted(before.keys() - now.keys())]
    for path in sorted(now.keys() & before.keys()):
        if 0 < now[path].size < before[path].size / 2:
            found.append(f"{path} shrank from {before[path].size} to {now[path].size} bytes")
    return found


def compare_content(says: Sequence[str], restored: str) -> str:
    """Return how the line of a restored copy's scripts/verify differs from those of the live service; empty if not.

    `says` are the live service's lines before and after its backup. Each word of the copy must be equal to theirs or,
    if the live service changed meanwhile, between them: numbers by value, other words by their letters.
    """
    words = [line.split() for line in (*says, restored)]
    if not says or len({len(line) for line in words}) > 1:
        return "" if not says or len(set(map(len, words[:-1]))) > 1 else _differs(says[-1], restored)
    for *live, word in zip(*words, strict=True):
        if not min(map(_sort_key, live)) <= _sort_key(word) <= max(map(_sort_key, live)):
            return _differs(says[-1], restored)
    return ""


def _differs(live: str, restored: str) -> str:
    return f"its scripts/verify printed “{restored}”, and that of the live service “{live}” at the backup"


def _sort_key(word: str) -> tuple[int, str]:
    """Return a word's place in the order: numbers by their value, other words, such as dates, by their letters."""
    plain = word.strip(",;:()")
    return (int(plain), "") if plain.isdecimal() else (-1, plain)


def unchanged(
    now: Mapping[str, Part], seen: Iterable[tuple[str, str, str]], today: str
) -> tuple[tuple[str, str, str], ...]:
    """Return name, hash, and since when it has this hash, for each part; `seen` is the same from last time."""
    before = {(path, digest): since for path, digest, since in seen}
    digests = {path: part.sha256[:DIGEST] for path, part in sorted(now.items())}
    return tuple((path, digest, before.get((path, digest), today)) for path, digest in digests.items())


def stale(seen: Iterable[tuple[str, str, str]], now: datetime) -> list[tuple[str, str]]:
    """Return the parts that have not changed for a week or more, and since when."""
    return [(path, since) for path, _, since in seen if (now - datetime.fromisoformat(since)).days >= STALE_DAYS]


def parse_listed(listed: Iterable[Mapping[str, Any]], repository: str) -> list[Snapshot]:
    """Return our snapshots among those of a repository, the newest number last."""
    found = []
    for item in listed:
        tags = item.get("tags") or []
        facts = dict(tag.split("=", 1) for tag in tags if "=" in tag)
        if TAG in tags and facts.get("number", "").isdecimal():
            kind, number = facts.get("kind", BACKUP), int(facts["number"])
            made, restic_id = str(item["time"]), str(item["id"])
            service, host = facts.get("service", ""), facts.get("host", "")
            found.append(Snapshot(service, host, number, kind, made, restic_id, repository))
    return sorted(found, key=lambda item: (item.service, item.host, item.number))


def make_tags(manifest: Manifest) -> tuple[str, ...]:
    """Return restic's tags for a snapshot."""
    own = (f"service={manifest.service}", f"number={manifest.number}", f"kind={manifest.kind}")
    return (TAG, *own, *([f"host={manifest.host}"] if manifest.host else []))


def choose(
    snapshots: Iterable[Snapshot], service: str, host: str, name: str | None, services: Container[str] = ()
) -> list[Snapshot]:
    """Return a snapshot of a service, once for each repository that has it; without a name, its newest backup.

    The newest is chosen from those of this host; from all, if this host has none yet. A name can also be that of a
    snapshot of a service that is not among the collective's `services` any more, since services are renamed.

    Raises:
        CheckFailed: when there is no such snapshot.
    """
    known = list(snapshots)
    own = [item for item in known if item.service == service]
    if name is None:
        made = [item for item in own if item.kind == BACKUP]
        newest = max(made, key=lambda item: (item.host == host, item.number), default=None)
        name = newest.name if newest else None
    named = [item for item in known if item.name == name]
    chosen = [item for item in named if item.service == service or item.service not in services]
    if not chosen:
        raise _no_snapshot(known, named, service, name, services)
    return chosen


def _no_snapshot(
    known: Sequence[Snapshot], named: Sequence[Snapshot], service: str, name: str | None, services: Container[str]
) -> CheckFailed:
    """Return the error that a snapshot was not found; it names what there is instead."""
    if named:
        other = named[0].service
        what = f"{name} is a snapshot of {other}, not of {service}"
        return CheckFailed(what, hint=f"write it into a folder: darkpeak restore {other} --snapshot {name} --to DIR")
    what = f"there is no snapshot {name}" if name else f"there is no snapshot of {service}"
    lost = {item.service: item for item in known if item.service not in services and item.kind == BACKUP}
    if name is None and services and lost:
        newest = ", ".join(f"{item.name}" for _, item in sorted(lost.items()))
        hint = f"if it was renamed, name one of: {newest}; for instance: darkpeak restore {service} --snapshot "
        return CheckFailed(what, hint=hint + min(lost.items())[1].name)
    return CheckFailed(what, hint="list them: darkpeak snapshots")
