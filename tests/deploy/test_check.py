"""Findings in the files, also of compose, with their lines. The real compose is tested in tests/live."""

from pathlib import Path

import pytest

from darkpeak.collective.compose_errors import explain
from darkpeak.deploy.check import check_files
from tests.making import edit, write_collective

WIKI = "services/wiki/docker-compose.yml"
MESSAGES = {
    "unknown key": (
        "validating {}: services.webserver Additional property restrat is not allowed",
        15,
        "unknown key restrat in services.webserver",
    ),
    "unknown key, in newer words": (
        "validating {}: services.webserver additional properties 'restrat' not allowed",
        15,
        "unknown key restrat in services.webserver",
    ),
    "unknown key at the top": (
        "validating {}: (root) Additional property servces is not allowed",
        21,
        "unknown key servces",
    ),
    "a wrong type": (
        "validating {}: services.webserver.ports must be a list",
        13,
        "services.webserver.ports must be a list",
    ),
    "a size": (
        "error decoding 'services[webserver].volumes': invalid size: 'many'",
        14,
        "error decoding 'services[webserver].volumes': invalid size: 'many'",
    ),
    "an unknown container": (
        'service "webserver" depends on undefined service "db": invalid compose project',
        11,
        'service "webserver" depends on undefined service "db"',
    ),
    "nothing that is known": ("it does not work", 1, "it does not work"),
}


@pytest.mark.parametrize(("message", "line", "what"), MESSAGES.values(), ids=MESSAGES)
def test_an_error_of_compose_is_a_finding_with_its_line(tmp_path: Path, message: str, line: int, what: str) -> None:
    root = write_collective(tmp_path)
    edit(root, WIKI, "    networks: [default, directory]", "    restrat: always\n    networks: [default, directory]")
    edit(root, WIKI, "\nvolumes:", "\nservces: {}\nvolumes:")
    found = explain(root, root / "services/wiki", "docker-compose.yml", message.format(root / WIKI))
    assert (str(found.at), found.rule, found.what) == (f"{WIKI}:{line}", "compose", what)


def test_a_collective_toml_that_cannot_be_read_is_the_only_finding(tmp_path: Path) -> None:
    """Otherwise its missing admins would be findings in every other file."""
    write_collective(tmp_path)
    path = tmp_path / "collective.toml"
    path.write_text(path.read_text() + "\n[admins.ada]\n")
    assert [finding.rule for finding in check_files(tmp_path).findings] == ["toml"]
