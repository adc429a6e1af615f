"""Cut a file in half, as a dump that died would be: `python3 spoil.py FILE`. Padding at its end does not count."""

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


if __name__ == "__main__":
    os.truncate(sys.argv[1], content_size(Path(sys.argv[1])) // 2)
