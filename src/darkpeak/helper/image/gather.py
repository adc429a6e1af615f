"""Bring a set that restic restored to the top of its folder: `python3 -m image.gather TOP FOLDER`.

restic restores every file below TOP to where it once lay: the set to FOLDER, and what was read in volumes to /volumes.
A part that is a link there becomes the folder that it leads to. A link to anywhere else is no part, and goes.
"""

import os
import sys
from pathlib import Path


def main(top: Path, folder: str) -> None:
    """Gather it."""
    saved = top / folder.lstrip("/")
    for part in (saved / "parts").iterdir():
        if part.is_symlink():
            lay = Path(os.path.realpath(part))
            part.unlink()
            if lay.is_relative_to(top / "volumes") and lay.exists():
                lay.rename(part)
    for found in saved.iterdir():
        found.rename(top / found.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
