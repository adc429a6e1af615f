"""Every command of every page is run by a test, or has a reason; and darkpeak has its options."""

import re
import shlex
from collections.abc import Mapping
from contextlib import suppress

import click
import pytest

from darkpeak.cli import root
from tests.pages.commands import MENTION, PAGES, SERVICES, TOP, commands
from tests.pages.covered import ELSEWHERE, INSTEAD, NOT_RUN, is_listed

FOUND = {page: commands(page) for page in PAGES}
DARKPEAK = re.compile(r"(?:bin/)?darkpeak (.*)")
WHERE = "say in tests/pages/covered.py which test runs it"


def test_commands_are_found_in_tables_blocks_and_sentences() -> None:
    assert "docker compose build --no-cache && docker compose up -d" in FOUND["services/wiki/README.md"]
    assert "docker compose exec -T dnsmasq load <hosts" in FOUND["services/dns/README.md"]
    assert "docker compose exec webserver df /var/lib/wiki" in FOUND["services/wiki/README.md"]
    assert [text for text in FOUND["services/directory/README.md"] if text.endswith("\nEND")] != []
    assert "bin/setup --engine" in FOUND["README.md"]


@pytest.mark.parametrize("page", [page for page in PAGES if page not in SERVICES])
def test_every_command_is_run_or_has_a_reason(page: str) -> None:
    assert [f"{page}: {text}: {WHERE}" for text in FOUND[page] if not is_listed(page, text)] == []


@pytest.mark.parametrize("table", [INSTEAD, ELSEWHERE, NOT_RUN], ids=["instead", "elsewhere", "not run"])
def test_no_table_names_a_command_that_is_gone(table: Mapping[str, Mapping[str, str]]) -> None:
    gone = [f"{page}: {text}" for page, listed in table.items() for text in listed if text not in FOUND[page]]
    assert gone == []


def test_the_tests_that_run_commands_exist() -> None:
    files: dict[str, str] = {}
    for path in TOP.glob("tests/**/test_*.py"):
        files[path.name] = files.get(path.name, "") + path.read_text()
    named = sorted({test for listed in ELSEWHERE.values() for test in listed.values()})
    assert [name for name in named if f"def {name.partition('::')[2]}(" not in files[name.partition("::")[0]]] == []


@pytest.mark.parametrize(
    "text", sorted({text for found in FOUND.values() for text in found if DARKPEAK.fullmatch(text)})
)
def test_darkpeak_has_every_command_and_option_that_a_page_shows(text: str) -> None:
    found = DARKPEAK.fullmatch(text)
    assert found
    only_a_name = MENTION.fullmatch(text)
    words = shlex.split(found[1].partition("<")[0])
    group: click.Command = root
    context = click.Context(root, **root.context_settings)
    while isinstance(group, click.Group) and words:
        name, group_or_command, words = group.resolve_command(context, words)
        assert group_or_command
        group, context = group_or_command, click.Context(group_or_command, parent=context, info_name=name)
    if not only_a_name:
        with suppress(click.exceptions.Exit):  # --help ends here
            group.parse_args(context, [*words])
