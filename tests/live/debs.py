"""Packages of Debian with any documents, for the tests' archive."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lab.commands import run
from tests.live.archive import Stanza

if TYPE_CHECKING:
    from collections.abc import Mapping

DOC = "usr/share/doc"
HEADING = "{source} ({version}) {suite}; urgency=high\n\n"
ENTRY = HEADING + "  * {text}\n\n -- A test <test@darkpeak.test>  Mon, 02 Nov 2026 10:00:00 +0000\n\n"


def entry(source: str, version: str, text: str = "Something is new.", suite: str = "peak") -> str:
    """Return an entry of a changelog."""
    return ENTRY.format(source=source, version=version, suite=suite, text=text)


def deb(name: str, version: str, documents: Mapping[str, str | bytes], more: str = "") -> Stanza:
    """Build a package with files below usr/share/doc: text is compressed, bytes are the target of a link."""
    with tempfile.TemporaryDirectory(prefix="darkpeak-deb-") as folder:
        top = Path(folder, "tree")
        (top / "DEBIAN").mkdir(parents=True)
        head = f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: a test\nDescription: a test\n"
        (top / "DEBIAN/control").write_text(f"{head}{more}")
        for place, content in documents.items():
            path = top / DOC / place
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.symlink_to(content.decode())
            else:
                path.write_bytes(gzip.compress(content.encode()))
        file = Path(folder, "made.deb")
        run(["dpkg-deb", "--build", "--root-owner-group", "-Zgzip", str(top), str(file)])
        return Stanza(name, version, more=more, content=file.read_bytes())
