"""What is started and waited for, in a service with containers that are meant to end."""

from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.actions.ready import START, WAIT, ending_of, make_start
from darkpeak.collective.model import Service
from tests.making import edit, write_collective

FILE = "services/wiki/docker-compose.yml"
ONCE = '  once: {build: once, restart: "no"}\n'
AWAITED = "    build: webserver\n    depends_on: {once: {condition: service_completed_successfully}}\n"


def wiki(root: Path, containers: str = "", server: str = "    build: webserver\n") -> Service:
    """Return the wiki, with these containers besides its server."""
    write_collective(root)
    edit(root, FILE, "    build: webserver\n", server)
    edit(root, FILE, "services:\n", f"services:\n{containers}")
    (root / "services/wiki/once").mkdir()
    (root / "services/wiki/once/Dockerfile").write_text("FROM debian:trixie\nCMD true\n")
    return next(item for item in collective.read(root)[0].services if item.name == "wiki")


@pytest.mark.parametrize(
    ("containers", "server", "once", "named"),
    [
        pytest.param("", "    build: webserver\n", [], (), id="none ends"),
        pytest.param(ONCE, "    build: webserver\n", ["once"], ("webserver",), id="one ends"),
        pytest.param(ONCE, AWAITED, [], (), id="the server waits for its end"),
    ],
)
def test_one_that_ends_is_not_waited_for_unless_others_do(
    tmp_path: Path, containers: str, server: str, once: list[str], named: tuple[str, ...]
) -> None:
    service = wiki(tmp_path, containers, server)
    assert (ending_of(service), make_start(service)) == (once, (*START, *WAIT, *named))


def test_a_service_in_which_all_end_is_only_started(tmp_path: Path) -> None:
    wiki(tmp_path, "", "    build: webserver\n    healthcheck: {disable: true}\n")
    edit(tmp_path, FILE, "    restart: unless-stopped\n", '    restart: "no"\n')
    edit(tmp_path, FILE, '    ports: ["127.0.0.1:6010-6011:80"]\n', "")
    service = next(item for item in collective.read(tmp_path)[0].services if item.name == "wiki")
    assert make_start(service) == START
