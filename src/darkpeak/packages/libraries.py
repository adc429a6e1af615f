"""The Python and npm packages of an image that are of no Debian package, from their own descriptions. Pure."""

import io
import json
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import PurePosixPath

from darkpeak.packages.listed import Kind

NPM = re.compile(r"(^|/)node_modules/(@[^/]+/)?[^/@][^/]*/package\.json$")  # that of a package, of no folder in it
PYTHON = re.compile(r"/python(\d+\.\d+)/")
DIRECT = "direct_url.json"  # beside the METADATA of what came from a folder or a repository, by PEP 610


@dataclass(frozen=True, order=True)
class Library:
    """A Python or npm package of an image."""

    kind: Kind
    name: str
    version: str
    python: str = ""  # the version of Python that it is for, such as 3.13
    own: bool = False  # whether it is of no public index by its own words


def read_libraries(packed: bytes) -> tuple[Library, ...]:
    """Return the packages whose descriptions are in an archive, each version once.

    Raises:
        tarfile.TarError: when the archive is damaged.
    """
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        files = {item.name: file.read() for item in archive if (file := archive.extractfile(item))}
    return tuple(sorted({*_python(files), *_npm(files.items())}))


def _python(files: dict[str, bytes]) -> Iterator[Library]:
    for name, text in files.items():
        path = PurePosixPath(name)
        if path.name not in ("METADATA", "PKG-INFO"):
            continue
        fields = BytesHeaderParser().parsebytes(text)
        found = PYTHON.search(f"/{name}")
        if fields["Name"] and fields["Version"]:
            direct = str(path.with_name(DIRECT)) in files
            yield Library(Kind.PYPI, str(fields["Name"]), str(fields["Version"]), found[1] if found else "", own=direct)


def _npm(files: Iterable[tuple[str, bytes]]) -> Iterator[Library]:
    for name, text in files:
        if not NPM.search(name):
            continue
        try:
            fields = json.loads(text)
        except ValueError:
            continue
        if isinstance(fields, dict) and fields.get("name") and fields.get("version"):
            private = fields.get("private") is True
            yield Library(Kind.NPM, str(fields["name"]), str(fields["version"]), own=private)
