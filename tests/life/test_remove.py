"""A service whose folder is gone is known by its name, and by no name that another service has."""

from pathlib import Path

import pytest

from darkpeak.collective.model import Collective, Place, Service
from darkpeak.life.remove import gone_service


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
