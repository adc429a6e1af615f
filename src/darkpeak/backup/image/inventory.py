"""Print each file below a folder with its size and hash, as JSON: `python3 inventory.py FOLDER`."""

import hashlib
import json
import sys
from pathlib import Path


def digest(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(folder: Path) -> None:
    """Print it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    found = {str(path.relative_to(folder)): {"size": path.stat().st_size, "sha256": digest(path)} for path in files}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
