"""Move the parts of a restored snapshot to the top of its folder: `python3 -m image.gather TOP FOLDER`.

restic restores every file below TOP with its whole path: the snapshot's files to FOLDER, and folders of volumes to
/volumes. A part that is a link to such a folder is replaced by the folder. A link to another part stays a link. Any
other link is not a part and is removed.
"""

import os
import sys
from pathlib import Path


def main(top: Path, folder: str) -> None:
    """Move the parts."""
    saved = top / folder.lstrip("/")
    if (saved / "parts").is_symlink():  # nobody saved that: it would lead to other files of the helper
        (saved / "parts").unlink()
    for part in (saved / "parts").iterdir():
        if part.is_symlink() and "/" in os.readlink(part):  # noqa: PTH115 (as it is written)
            folder_of_part = Path(os.path.realpath(part))
            part.unlink()
            if folder_of_part.is_relative_to(top / "volumes") and folder_of_part.exists():
                folder_of_part.rename(part)
    for found in saved.iterdir():
        found.rename(top / found.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
