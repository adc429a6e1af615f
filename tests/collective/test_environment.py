"""`.env` of each service's folder: plain compose has the values of collective.toml, and other lines stay."""

import shutil
from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.collective.environment import NOTE, differing, make_env, needed_in, stale
from darkpeak.collective.model import Collective
from tests.making import edit, write_collective

TOP = Path(__file__).parent.parent.parent
VILLAGE = {"DARKPEAK_DOMAIN": "village.test", "DARKPEAK_HTTP_PORT": "7080"}
DOMAIN = "DARKPEAK_DOMAIN=village.test"
USED = 'environment: {DOMAIN: "${DARKPEAK_DOMAIN:-localhost}"}\n'


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("${DARKPEAK_DOMAIN:-localhost}", ["DARKPEAK_DOMAIN"]),
        ("${DARKPEAK_DOMAIN-localhost}", ["DARKPEAK_DOMAIN"]),
        ("${DARKPEAK_DOMAIN}", ["DARKPEAK_DOMAIN"]),
        ("$DARKPEAK_DOMAIN", ["DARKPEAK_DOMAIN"]),
        ("${DARKPEAK_DOMAIN:?}", ["DARKPEAK_DOMAIN"]),
        ("${DARKPEAK_DOMAIN:-village.test} and ${DARKPEAK_DOMAIN}", ["DARKPEAK_DOMAIN"]),
        ("${DARKPEAK_DOMAIN:-village.test}", []),
        ("${DARKPEAK_HTTP_PORT:-7080}", []),
        ("${DARKPEAK_HTTP_PORT:-80}", ["DARKPEAK_HTTP_PORT"]),
        ("$${DARKPEAK_DOMAIN}", []),
        ("${DARKPEAK_DOMAIN_OF_US}", []),
        ("nothing", []),
    ],
)
def test_a_variable_is_needed_if_its_default_is_another_value(text: str, needed: list[str]) -> None:
    assert list(needed_in(text, VILLAGE)) == needed


@pytest.mark.parametrize(
    ("present", "right"),
    [
        pytest.param("", f"{NOTE}\n{DOMAIN}\n", id="a new file"),
        pytest.param("A=1\n", f"A=1\n{NOTE}\n{DOMAIN}\n", id="other lines stay"),
        pytest.param("A=1", f"A=1\n{NOTE}\n{DOMAIN}\n", id="no line ending"),
        pytest.param(f"A=1\n{NOTE}\nDARKPEAK_DOMAIN=old.test\n", f"A=1\n{NOTE}\n{DOMAIN}\n", id="an old value"),
        pytest.param("DARKPEAK_HTTP_PORT=80\n", f"{NOTE}\n{DOMAIN}\n", id="a wrong value that is not needed"),
        pytest.param(f"DARKPEAK_HTTP_PORT=7080\n{DOMAIN}\n", None, id="a right value that is not needed"),
        pytest.param('export DARKPEAK_DOMAIN = "village.test" # ours\n', None, id="right, in another form"),
    ],
)
def test_the_file_gets_the_values_that_are_needed(present: str, right: str | None) -> None:
    needed = {"DARKPEAK_DOMAIN": "village.test"}
    made = make_env(present, needed, VILLAGE)
    assert made == (present if right is None else right)
    assert make_env(made, needed, VILLAGE) == made


def test_back_to_the_defaults_no_line_of_ours_is_left() -> None:
    own = {"DARKPEAK_DOMAIN": "localhost"}
    assert make_env(f"{NOTE}\n{DOMAIN}\n", {}, own) == ""
    assert make_env(f"A=1\n{NOTE}\n{DOMAIN}\n", {}, own) == "A=1\n"


@pytest.fixture
def village(tmp_path: Path) -> Collective:
    """Return the catalogue's services in a collective with a domain and ports of its own."""
    shutil.copytree(TOP / "services", tmp_path / "services")
    toml = (TOP / "collective.toml").read_text().replace('domain = "localhost"', 'domain = "village.test"')
    (tmp_path / "collective.toml").write_text(f"{toml}\n[router]\nhttp = 80\nhttps = 443\n")
    return collective.read(tmp_path)[0]


def test_each_service_that_uses_the_domain_gets_a_file(village: Collective) -> None:
    found = {path.parent.name: text.splitlines()[1:] for path, text in differing(village).items()}
    ports = ["DARKPEAK_HTTP_PORT=80", "DARKPEAK_HTTPS_PORT=443"]
    using = ("chat", "directory", "dns", "git")
    assert found == {**{name: [DOMAIN] for name in using}, "router": [DOMAIN, *ports]}


def test_no_container_differs_after_the_file_was_written(village: Collective) -> None:
    """Otherwise `up` would write the file, and the next `up` would deploy the service again."""
    for path, text in differing(village).items():
        path.write_text(text)
    again, _ = collective.read(village.root)
    before, after = (
        {(service.name, item.name): item.content for service in found.services for item in service.containers}
        for found in (village, again)
    )
    assert after == before
    assert differing(again) == {}


def test_the_catalogue_itself_needs_no_file() -> None:
    assert differing(collective.read(TOP)[0]) == {}


def test_a_line_that_differs_is_a_finding(tmp_path: Path) -> None:
    write_collective(tmp_path)
    edit(tmp_path, "services/wiki/docker-compose.yml", "    build: webserver\n", f"    build: webserver\n    {USED}")
    (tmp_path / "services/wiki/.env").write_text("A=1\nDARKPEAK_DOMAIN=old.test\n")
    found = collective.read(tmp_path)[0]
    assert [(str(item.at), item.what) for item in stale(found)] == [
        ("services/wiki/.env:2", "DARKPEAK_DOMAIN is old.test, but localhost in collective.toml")
    ]
    assert [path.parent.name for path in differing(found)] == ["wiki"]
