"""Cut a part in half, like a backup that was interrupted: `python3 -m image.spoil PART`.

Of a file, the first half is kept (without the zeros at its end); of a folder, every second file.
"""

import os
import sys
from pathlib import Path

BLOCK = 1 << 16


def content_size(path: Path) -> int:
    """Return a file's size without the zeros at its end."""
    end = path.stat().st_size
    with path.open("rb") as file:
        while end:
            start = max(0, end - BLOCK)
            file.seek(start)
            block = file.read(end - start).rstrip(b"\0")
            if block:
                return start + len(block)
            end = start
    return 0


def main(part: Path) -> None:
    """Cut the part."""
    if part.is_dir():
        for path in sorted(path for path in part.rglob("*") if path.is_file())[1::2]:
            path.unlink()
    else:
        os.truncate(part, content_size(part) // 2)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
