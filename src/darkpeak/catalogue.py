"""Where the tool finds what it brings along: the catalogue of services, the shapes of new ones, and the documents.

In a checkout they are its top-level folders. The wheel has copies of them, in `darkpeak/data/`.
"""

from pathlib import Path

from darkpeak.vocabulary import COMPOSE_FILE

PACKAGE = Path(__file__).resolve().parent


def services() -> dict[str, Path]:
    """Return the folder of each service by its name, sorted.

    `services` are also those of this repository's own collective; `catalogue` has those that it does not run.
    """
    files = (file for top in ("services", "catalogue") for file in _folder(top).glob(f"*/{COMPOSE_FILE}"))
    return {file.parent.name: file.parent for file in sorted(files, key=lambda file: file.parent.name)}


def shapes() -> Path:
    """Return the folder with the shapes of new services: one folder for each."""
    return _folder("shapes")


def pages() -> dict[str, Path]:
    """Return the pages of the documentation by their topic, sorted; without the front page, which only lists them."""
    return {path.stem: path for path in sorted(_folder("docs").glob("*.md")) if path.stem != "README"}


def front_page() -> Path:
    """Return the page that lists the others, and says what each is about."""
    return _folder("docs") / "README.md"


def _folder(name: str) -> Path:
    in_wheel = PACKAGE / "data" / name
    return in_wheel if in_wheel.is_dir() else PACKAGE.parents[1] / name
