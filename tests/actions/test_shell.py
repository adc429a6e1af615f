"""Which container a shell is opened in."""

from pathlib import Path

import click
import pytest

from darkpeak import collective
from darkpeak.actions.shell import choose_container, make_exec
from darkpeak.cli import root as cli
from darkpeak.cli.life import COMMAND
from darkpeak.collective.model import Service
from darkpeak.errors import UsageError
from tests.making import edit, write_collective

FILE = "services/wiki/docker-compose.yml"


@pytest.fixture
def two(tmp_path: Path) -> Service:
    """A service with two containers."""
    edit(
        write_collective(tmp_path),
        FILE,
        "networks:\n  default:",
        "  database: {build: webserver}\nnetworks:\n  default:",
    )
    return next(item for item in collective.read(tmp_path)[0].services if item.name == "wiki")


def test_the_only_container_needs_no_name(tmp_path: Path) -> None:
    services = collective.read(write_collective(tmp_path))[0].services
    assert [choose_container(item, None) for item in services] == ["slapd", "webserver"]


def test_one_of_several_must_be_named(two: Service) -> None:
    assert choose_container(two, "database") == "database"
    for wanted, said in ((None, "wiki has 2 containers"), ("web", "wiki has no container web")):
        with pytest.raises(UsageError, match=said) as found:
            choose_container(two, wanted)
        assert found.value.hint == "name one of these: webserver, database"


@pytest.mark.parametrize(
    ("words", "container", "wanted"),
    [
        (["wiki"], None, []),
        (["chat", "database"], "database", []),
        (["wiki", "--", "ls", "-l", "--", "x"], None, ["ls", "-l", "--", "x"]),
        (["chat", "database", "--json", "--", "df"], "database", ["df"]),
    ],
    ids=["a shell", "in a container", "a command", "both"],
)
def test_what_follows_two_hyphens_is_the_command(words: list[str], container: str | None, wanted: list[str]) -> None:
    with cli.commands["shell"].make_context("shell", words) as context:
        assert (context.params["container"], context.meta[COMMAND]) == (container, wanted)
    assert isinstance(context, click.Context)


def test_only_a_terminal_gets_a_terminal() -> None:
    assert make_exec("123", ("bash",), terminal=True) == ("docker", "exec", "--interactive", "--tty", "123", "bash")
    assert make_exec("123", ("ls", "-l"), terminal=False) == ("docker", "exec", "--interactive", "123", "ls", "-l")
