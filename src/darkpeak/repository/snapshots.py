"""Sets, as values: what is in one, which there are, whether one is whole. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from darkpeak.errors import CheckFailed

TAG = "darkpeak-set"
STALE_DAYS = 7
DIGEST = 16  # of a hash, where only chance could make two the same
BACKUP, BEFORE = "backup", "before"  # made for its own sake, or to keep what a restore replaces


@dataclass(frozen=True)
class Part:
    """One file that a service's script wrote."""

    size: int
    sha256: str
    rows: int | None = None  # what counts in it: rows of a dump, entries, files; None where nobody can tell


@dataclass(frozen=True)
class Manifest:
    """What a set is: without it there is none."""

    service: str
    host: str  # its name in [hosts], where the collective has several
    number: int
    kind: str
    made: str
    by: str
    commit: str
    images: Mapping[str, str]
    parts: Mapping[str, Part]
    says: tuple[str, ...] = ()  # what the live service's scripts/verify said just before, and just after

    @property
    def name(self) -> str:
        """How people call the set."""
        return make_name(self.service, self.host, self.number)

    @property
    def size(self) -> int:
        """How many bytes its parts have."""
        return sum(part.size for part in self.parts.values())

    def known(self, restic_id: str, repository: str) -> "Snapshot":
        """Return the set as a repository that has it would list it."""
        return Snapshot(self.service, self.host, self.number, self.kind, self.made, restic_id, repository)

    def text(self) -> str:
        """Return it as it is kept."""
        return json.dumps({"set": self.name, **asdict(self)}, indent=2, sort_keys=True) + "\n"


@dataclass(frozen=True)
class Snapshot:
    """One set as a repository lists it."""

    service: str
    host: str
    number: int
    kind: str
    made: str
    restic_id: str
    repository: str

    @property
    def name(self) -> str:
        """How people call the set."""
        return make_name(self.service, self.host, self.number)


def make_name(service: str, host: str, number: int) -> str:
    """Return how people call a set: wiki-17, or wiki-17@north where there are several hosts."""
    return f"{service}-{number}" + (f"@{host}" if host else "")


def parse_manifest(text: bytes, expected: str) -> Manifest:
    """Read a manifest, which must be that of the expected set.

    Raises:
        CheckFailed: when it is none, or that of another.
    """
    try:
        found = json.loads(text)
        name = found.pop("set")
        found.pop("exit_code", None)  # until 2026 a manifest had one, always 0
        parts = {path: Part(**part) for path, part in found.pop("parts").items()}
        manifest = Manifest(parts=parts, says=tuple(found.pop("says", ())), **found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckFailed(f"{expected} has no manifest that can be read: {error}") from error
    if expected not in (name, manifest.name) or name != manifest.name:
        raise CheckFailed(f"{expected} holds the manifest of {name}")
    return manifest


def make_inventory(found: Mapping[str, Any]) -> dict[str, Part]:
    """Return the parts that the helper found in a folder."""
    return {path: Part(int(part["size"]), str(part["sha256"]), part["rows"]) for path, part in found.items()}


def complaints(manifest: Manifest, found: Mapping[str, Part]) -> list[str]:
    """Return all that is wrong with what came out of a repository as a set."""
    wrong = [f"{path} is missing" for path in sorted(manifest.parts.keys() - found.keys())]
    wrong += [f"{path} does not belong to it" for path in sorted(found.keys() - manifest.parts.keys())]
    for path in sorted(manifest.parts.keys() & found.keys()):
        part, here = manifest.parts[path], found[path]
        if part.size != here.size:
            wrong.append(f"{path} has {here.size} bytes instead of {part.size}")
        elif part.sha256 != here.sha256:
            wrong.append(f"{path} has other content than was saved")
    return wrong or ([] if manifest.parts else ["it has no parts"])


def oddities(now: Mapping[str, Part], before: Mapping[str, Part]) -> list[str]:
    """Return what a person should look at, though no program complained: what is empty, gone, or shrank by half."""
    odd = [f"{path} is empty" for path, part in sorted(now.items()) if not part.size]
    odd += [f"{path} has no rows" for path, part in sorted(now.items()) if part.size and part.rows == 0]
    odd += [f"{path} was there last time and is not now" for path in sorted(before.keys() - now.keys())]
    for path in sorted(now.keys() & before.keys()):
        if 0 < now[path].size < before[path].size / 2:
            odd.append(f"{path} shrank from {before[path].size} to {now[path].size} bytes")
    return odd


def disagreement(says: Sequence[str], restored: str) -> str:
    """Say how what a restored service says of its content differs from what the live one said around its backup.

    Word for word it must be the same or, where the live one changed meanwhile, something between: the newest entry of
    a set is not older than the set.
    """
    words = [said.split() for said in (*says, restored)]
    if not says or len({len(line) for line in words}) > 1:
        return "" if not says or len(set(map(len, words[:-1]))) > 1 else _differs(says[-1], restored)
    for *live, word in zip(*words, strict=True):
        if not min(map(_order, live)) <= _order(word) <= max(map(_order, live)):
            return _differs(says[-1], restored)
    return ""


def _differs(live: str, restored: str) -> str:
    return f"it says “{restored}” of its content, and the live one said “{live}” when the set was made"


def _order(word: str) -> tuple[int, str]:
    """Return a word's place: numbers by their value, all others, such as dates, by their letters."""
    plain = word.strip(",;:()")
    return (int(plain), "") if plain.isdecimal() else (-1, plain)


def unchanged(
    now: Mapping[str, Part], seen: Iterable[tuple[str, str, str]], today: str
) -> tuple[tuple[str, str, str], ...]:
    """Return each part's hash, and since when it has had it, from the same of last time."""
    before = {(path, digest): since for path, digest, since in seen}
    digests = {path: part.sha256[:DIGEST] for path, part in sorted(now.items())}
    return tuple((path, digest, before.get((path, digest), today)) for path, digest in digests.items())


def stale(seen: Iterable[tuple[str, str, str]], now: datetime) -> list[tuple[str, str]]:
    """Return which parts are byte for byte what they were a week ago or more, and since when."""
    return [(path, since) for path, _, since in seen if (now - datetime.fromisoformat(since)).days >= STALE_DAYS]


def parse_listed(listed: Iterable[Mapping[str, Any]], repository: str) -> list[Snapshot]:
    """Return the sets among a repository's snapshots, the newest last: by number, since clocks may lie."""
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
    """Return the tags by which a set is found again."""
    own = (f"service={manifest.service}", f"number={manifest.number}", f"kind={manifest.kind}")
    return (TAG, *own, *([f"host={manifest.host}"] if manifest.host else []))


def choose(snapshots: Iterable[Snapshot], service: str, host: str, name: str | None) -> list[Snapshot]:
    """Return the wanted set of a service, once for each repository that has it; without a name, its newest backup.

    The newest is that of the same host; of any, where this host has none yet.

    Raises:
        CheckFailed: when there is none.
    """
    own = [item for item in snapshots if item.service == service]
    if name is None:
        made = [item for item in own if item.kind == BACKUP]
        newest = max(made, key=lambda item: (item.host == host, item.number), default=None)
        name = newest.name if newest else None
    chosen = [item for item in own if item.name == name]
    if not chosen:
        what = f"there is no set {name}" if name else f"there is no set of {service}"
        raise CheckFailed(what, hint="darkpeak snapshots shows those there are")
    return chosen
