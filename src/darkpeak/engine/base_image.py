"""An image as a file that `docker load` reads, from an archive of its files: the same files give the same image.

`docker import` writes the time of the import into the image, so two imports are never the same image.
"""

import hashlib
import io
import json
import re
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from darkpeak.engine.engine import BASE_COMMENT

LAYER, CONFIG, MANIFEST = "layer.tar", "config.json", "manifest.json"
LABEL = "darkpeak.base"  # of the image, and of those that are built from it
DATES = "darkpeak.base.date"  # of the files; the day on which it was made
SOURCES = "darkpeak.base.sources"
LOGIN = re.compile(r"//[^/@\s]*@")  # a password in a mirror's address stays out of the image


@dataclass(frozen=True)
class Made:
    """What a base image is made of."""

    suite: str
    architecture: str  # as Debian calls it
    epoch: int  # the date of its files, in seconds since 1970
    sources: tuple[str, ...]  # lines of sources.list

    @property
    def date(self) -> datetime:
        """The date of its files."""
        return datetime.fromtimestamp(self.epoch, UTC)

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the image, which say what it is made of."""
        sources = LOGIN.sub("//", "; ".join(self.sources))
        return {LABEL: self.suite, DATES: f"{self.date:%Y-%m-%d}", SOURCES: sources}


def make_config(made: Made, digest: str) -> dict[str, Any]:
    """Return the configuration of an image with one layer, whose digest is given."""
    created = f"{made.date:%Y-%m-%dT%H:%M:%SZ}"
    return {
        "architecture": made.architecture,
        "os": "linux",
        "created": created,
        "comment": BASE_COMMENT,
        "config": {"Cmd": ["bash"], "Labels": made.labels},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        "history": [{"created": created, "comment": BASE_COMMENT}],
    }


def pack(made: Made, layer: Path, image: Path) -> None:
    """Write the file of an image, named debian:SUITE, with one layer.

    Raises:
        OSError: when there is no room for it.
    """
    with layer.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    listed = [{"Config": CONFIG, "RepoTags": [f"debian:{made.suite}"], "Layers": [LAYER]}]
    with tarfile.open(image, "w") as archive:
        for name, content in ((CONFIG, make_config(made, digest)), (MANIFEST, listed)):
            packed = json.dumps(content, sort_keys=True).encode()
            member = tarfile.TarInfo(name)
            member.size = len(packed)
            archive.addfile(member, io.BytesIO(packed))
        archive.add(layer, LAYER)
