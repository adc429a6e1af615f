"""What a newer version of a package changes: the headings and CVEs of Debian's changelog. Pure."""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from darkpeak.packages.installed import Package, read_source

CVE = re.compile(r"\bCVE-\d{4}-\d{4,7}\b")
SECURITY = re.compile(r"\S-security$")  # the suite that a security update is uploaded to
MOST_ENTRIES = 50  # of one changelog: whoever is further behind reads no more headings
LONGEST_LINE = 1000  # a real one has 80 characters

logging.getLogger("debian.changelog").setLevel(logging.CRITICAL)  # it has a warning for each odd line


@dataclass(frozen=True, order=True)
class Entry:
    """A version in a changelog."""

    version: str
    suites: tuple[str, ...]  # that it was uploaded to
    urgency: str
    cves: tuple[str, ...]  # that its text names
    security: bool  # whether it was uploaded to a security suite

    def line(self, source: str) -> str:
        """Return it as its changelog has it, with the CVEs."""
        heading = f"{source} ({self.version}) {' '.join(self.suites)}; urgency={self.urgency}"
        return f"{heading}: {', '.join(self.cves)}" if self.cves else heading


@dataclass(frozen=True)
class Changelog:
    """The newest entries of a changelog, and whether older ones were left out."""

    entries: tuple[Entry, ...]
    cut: bool

    def after(self, version: str) -> tuple[Entry, ...]:
        """Return the entries that are newer than a version."""
        return tuple(takewhile(lambda entry: is_newer(entry.version, version), self.entries))


@dataclass(frozen=True)
class Offered:
    """A package of the archive."""

    name: str  # as apt writes it
    version: str
    source: str
    source_version: str
    size: int
    digest: str  # SHA-256 of its file


def read_offered(text: str, native: str) -> Iterator[Offered]:
    """Yield the packages that `apt-cache show` describes; `native` is the architecture that names do not mention."""
    for paragraph in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): *(.*)$", paragraph, re.MULTILINE))
        name, version, architecture = (fields.get(key, "") for key in ("Package", "Version", "Architecture"))
        if not re.fullmatch(r"[0-9a-f]{64}", fields.get("SHA256", "")) or not fields.get("Size", "").isdigit():
            continue
        full = name if architecture in (native, "all") else f"{name}:{architecture}"
        source = read_source(fields.get("Source", ""), name, version)
        yield Offered(full, version, *source, int(fields["Size"]), fields["SHA256"])


def version_in_changelog(package: Package) -> str:
    """Return the version by which the changelog knows an installed package.

    That is the source's version; a package that was only built anew has an entry too, and keeps its own.
    """
    own = package.version.startswith(f"{package.source_version}+b")
    return package.version if own else package.source_version


def is_newer(version: str, other: str) -> bool:
    """Return whether a version is newer than another, by Debian's order; one that is none is not."""
    from debian.debian_support import Version

    try:
        return bool(Version(version) > Version(other))
    except ValueError:
        return False


def read_changelog(text: str, *, cut: bool) -> Changelog:
    """Return the newest entries of a changelog's text; none if it is no changelog. `cut`: the text lacks its end."""
    from debian.changelog import Changelog as Parsed

    short = [line[:LONGEST_LINE] for line in text.split("\n")]
    parsed = Parsed("\n".join(short), max_blocks=MOST_ENTRIES + 1, allow_empty_author=True)
    entries = [entry for block in parsed if (entry := _make(block))]
    if cut and len(entries) <= MOST_ENTRIES:
        entries = entries[:-1]  # the last one is not whole
    return Changelog(tuple(entries[:MOST_ENTRIES]), cut=cut or len(entries) > MOST_ENTRIES)


def _make(block: Any) -> Entry | None:
    """Return an entry that was parsed; None if it has no version, or an impossible one."""
    try:
        version = block.version and str(block.version)
    except ValueError:
        version = ""
    if not version:
        return None
    cves = sorted(set(CVE.findall("\n".join(block.changes()))))
    suites = tuple((block.distributions or "").split())
    return Entry(version, suites, block.urgency, tuple(cves), security=any(map(SECURITY.search, suites)))


def smallest(offered: Sequence[Offered]) -> Offered:
    """Return the smallest of several packages: those of one source have the same changelog."""
    return min(offered, key=lambda item: (item.size, item.name))
