"""A service whose folder is gone is known by its name, and by no name that another service has."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from darkpeak import evidence
from darkpeak.collective.model import Collective, Place, Service
from darkpeak.life.remove import RECORDS, gone_service


@pytest.mark.parametrize(
    ("name", "project"),
    [
        ("calendar", "darkpeak-calendar"),
        ("wiki", None),  # it has a folder
        ("other", None),  # its project belongs to the wiki
        ("Calendar", None),
        ("_routes", None),  # a lock
        ("../wiki", None),
    ],
)
def test_a_service_without_a_folder_is_known_by_its_name(name: str, project: str | None) -> None:
    folder = Path("/village/services/wiki")
    collective = Collective(
        Path("/village"), "", "", services=(Service("wiki", folder, Place("", 1), project="darkpeak-other"),)
    )
    gone = gone_service(collective, name)
    assert (gone.project if gone else None) == project
    assert gone is None or (gone.folder, gone.runs) == (Path("/village/services/calendar"), False)


def test_a_folder_whose_files_are_broken_is_not_gone(tmp_path: Path) -> None:
    (tmp_path / "services/calendar").mkdir(parents=True)
    assert gone_service(Collective(tmp_path, "", ""), "calendar") is None


def test_all_records_about_a_service_go_with_it() -> None:
    about_others = {"admin", "announcement", "disk", "memory", "night", "owner", "scrub"}
    assert {kind.kind for kind in RECORDS} | about_others == set(kinds())


def kinds() -> Iterator[str]:
    """Yield the kinds of all records."""
    for module in iter_modules(evidence.__path__, "darkpeak.evidence."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, type) and value.__module__ == module.name and isinstance(vars(value).get("kind"), str):
                yield str(vars(value)["kind"])
