"""What an inventory lists: the packages of running containers, each with its purl. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

FIELD = re.compile(r"""^(ID|VERSION_ID)=["']?([^"'\n]*)["']?$""", re.MULTILINE)


class Kind(StrEnum):
    """Where a package is from, by the name of its type in a purl."""

    DEB = "deb"
    PYPI = "pypi"
    NPM = "npm"
    IMAGE = "image"  # an image of a registry, which only `updates` lists


@dataclass(frozen=True, order=True)
class Item:
    """A package in a running container."""

    service: str
    container: str
    package: str
    version: str
    architecture: str
    source: str  # the name of its source package
    kind: Kind = Kind.DEB


@dataclass(frozen=True, order=True)
class Listed:
    """A running container whose packages are listed."""

    service: str
    container: str
    image: str  # its id
    distribution: str = ""  # as in /etc/os-release, such as debian-13; empty if that does not say
    architecture: str = ""  # dpkg's own

    @property
    def name(self) -> str:
        """Its name in one word."""
        return f"{self.service}/{self.container}"


def read_distribution(text: str) -> str:
    """Return the distribution that the text of an os-release file names, such as `debian-13`."""
    found = dict(FIELD.findall(text))
    return "-".join(found[key] for key in ("ID", "VERSION_ID") if found.get(key))


def make_purl(item: Item, distribution: str) -> str:
    """Return the package URL of a package, by which databases of vulnerabilities know it."""
    from packageurl import PackageURL

    name = item.package
    if item.kind == Kind.NPM:
        scope, _, name = name.rpartition("/")
        return PackageURL("npm", scope, name, item.version).to_string()
    if item.kind == Kind.PYPI:
        return PackageURL("pypi", None, name, item.version).to_string()
    name = name.partition(":")[0]
    qualifiers = {"arch": item.architecture, "distro": distribution}
    if item.source != name:
        qualifiers["upstream"] = item.source
    vendor = re.sub(r"-[\d.]+$", "", distribution) or "debian"
    return PackageURL(
        "deb", vendor, name, item.version, {key: value for key, value in qualifiers.items() if value}
    ).to_string()
