"""The packages that are installed in a container, from the text of dpkg's status file. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

INSTALLED = "installed"  # the last word of a package's Status; the others are those of packages that are not, or half
FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*)$", re.MULTILINE)
NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*")
DPKG = "dpkg"
ANY = "all"  # the architecture of packages that are the same for all


class NotDebian(Exception):
    """The text is not a status file of dpkg, or no package is installed."""


@dataclass(frozen=True, order=True)
class Package:
    """An installed package."""

    name: str
    version: str
    architecture: str
    source: str = ""  # the name of its source package
    source_version: str = ""  # that of some packages differs: those that were only built anew, for one
    depends: tuple[str, ...] = ()  # names of packages: each one of Depends, Pre-Depends and Recommends
    provides: tuple[str, ...] = ()
    basic: bool = False  # whether every Debian system has it: it is essential, or its priority is `required`


@dataclass(frozen=True)
class Installed:
    """All installed packages of a container."""

    packages: tuple[Package, ...]

    @property
    def native(self) -> str:
        """The architecture of dpkg itself, which package names do not mention."""
        return next((item.architecture for item in self.packages if item.name == DPKG), ANY)

    def version(self, name: str) -> str:
        """Return the version of a package; empty if it is not installed."""
        return next((item.version for item in self.packages if item.name == name), "")

    def full_name(self, package: Package) -> str:
        """Return a package's name as apt writes it: `libc6`, or `libc6:i386` if it is for another architecture."""
        own = package.architecture in (self.native, ANY)
        return package.name if own else f"{package.name}:{package.architecture}"

    @property
    def full_names(self) -> tuple[str, ...]:
        """The names of all packages, as apt writes them."""
        return tuple(self.full_name(package) for package in self.packages)


def read_status(text: str) -> Installed:
    """Return the installed packages of a status file, sorted by name.

    Raises:
        NotDebian: when it names no installed package.
    """
    packages = tuple(sorted(_read(text)))
    if not packages:
        raise NotDebian("dpkg's list names no installed package")
    return Installed(packages)


def _read(text: str) -> Iterator[Package]:
    for paragraph in re.split(r"\n\s*\n", text):
        fields = {name.lower(): value.strip() for name, value in FIELD.findall(paragraph)}
        name = fields.get("package", "")
        if fields.get("status", "").split()[-1:] != [INSTALLED] or not NAME.fullmatch(name):
            continue
        source, source_version = read_source(fields.get("source", ""), name, fields.get("version", ""))
        needed = (fields.get(key, "") for key in ("depends", "pre-depends", "recommends"))
        yield Package(
            name,
            fields.get("version", ""),
            fields.get("architecture", ""),
            source=source,
            source_version=source_version,
            depends=tuple(dict.fromkeys(item for value in needed for item in _names(value))),
            provides=tuple(_names(fields.get("provides", ""))),
            basic=fields.get("essential") == "yes" or fields.get("priority") == "required",
        )


def read_source(field: str, name: str, version: str) -> tuple[str, str]:
    """Return name and version of the source of a package, from its field Source: `openssl (3.5.1-1)`, or nothing."""
    source, _, other = field.partition(" ")
    return source or name, other.strip("() ") or version


def _names(relation: str) -> Iterator[str]:
    """Yield the names in a relation field: `a (>= 1) | b:any, c`."""
    for part in re.split(r"[,|]", relation):
        found = NAME.match(part.strip())
        if found:
            yield found[0]
