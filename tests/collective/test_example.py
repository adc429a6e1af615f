"""The annotated example in docs/service.md has every key of the schema, and no finding."""

import re
from pathlib import Path

from darkpeak import collective, lint
from darkpeak.collective import x_darkpeak as declared
from tests.making import DIRECTORY, DOCKERFILE, without_notes, write_collective, write_service

PAGE = Path(__file__).parent.parent.parent / "docs" / "service.md"


def example() -> str:
    found = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    return found[1]


def test_the_example_is_sound(tmp_path: Path) -> None:
    write_collective(tmp_path)
    write_service(tmp_path, "account", DIRECTORY.replace("directory", "account").replace("20", "60"), "slapd")
    folder = tmp_path / "services" / "wiki"
    (folder / "docker-compose.yml").write_text(example())
    (folder / "webserver" / "Dockerfile").write_text(
        DOCKERFILE.replace("80 389", "80 443 5222 22") + "VOLUME /var/lib/wiki /login\n"
    )
    files, unreadable = collective.read(tmp_path)
    assert [str(finding) for finding in [*unreadable, *without_notes(lint.check(files))]] == []


def test_the_example_has_every_key() -> None:
    text = example()
    assert [key for key in declared.KEYS if f"\n  {key}:" not in text] == []
    assert [key for key in declared.ROUTE_KEYS if f"\n    {key}:" not in text] == []
    assert [key for key in declared.LIMIT_KEYS if f"{key}:" not in text] == []


def test_this_repository_is_a_sound_collective() -> None:
    files, unreadable = collective.read(PAGE.parent.parent)
    assert [str(finding) for finding in [*unreadable, *lint.check(files)]] == []


def test_the_example_works_as_a_new_service(tmp_path: Path) -> None:
    write_collective(tmp_path)
    write_service(tmp_path, "mail", DIRECTORY.replace("directory", "mail").replace("20", "70"), "slapd")
    files, unreadable = collective.read(tmp_path)
    assert [finding.rule for finding in [*unreadable, *without_notes(lint.check(files))]] == []
