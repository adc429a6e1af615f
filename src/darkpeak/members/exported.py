"""A member's data from all services, as values and as an index page."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote
from zipfile import ZIP_DEFLATED, ZipFile

INDEX = "index.html"
PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<h1>{title}</h1>
<p>Written on {when}. A service that is not in this list stores nothing that it can export.</p>
{sections}
</html>
"""


@dataclass(frozen=True)
class Exported:
    """What one service exported: what it said, and its files with their sizes in bytes; with `failed`, why not."""

    service: str
    about: str
    done: str
    files: tuple[tuple[str, int], ...] = ()
    failed: bool = False


def make_index(collective: str, uid: str, when: str, exported: Sequence[Exported]) -> str:
    """Return the page that leads to all files; names are escaped, because members choose some of them."""
    title = escape(f"What {collective} stores of {uid}")
    return PAGE.format(title=title, when=escape(when), sections="\n".join(map(_section, exported)))


def make_archive(folder: Path, archive: Path, name: str) -> None:
    """Write the files below a folder into a zip file, where they are below `name`."""
    with ZipFile(archive, "w", ZIP_DEFLATED, strict_timestamps=False) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                packed.write(path, Path(name) / path.relative_to(folder))


def _section(item: Exported) -> str:
    files = "\n".join(
        f'<li><a href="{quote(f"{item.service}/{name}")}">{escape(name)}</a> ({size:,} bytes)'
        for name, size in item.files
    )
    return f"<h2>{escape(item.service)}</h2>\n<p>{escape(item.about)}. {escape(item.done)}</p>\n<ul>\n{files}\n</ul>"
