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


CIRCLE = "Circular reference:\n  webserver in {0}\n  extends webserver in {0}"
BROKEN = (
    "invalid interpolation format for services.webserver.build.\nYou may need to escape any $ with another $.\n${{A"
)
# As compose 2.26 prints them; some in several lines, or without the part of the file.
WHOLE = {
    "a circle": (
        CIRCLE,
        f"{WIKI}:11 Circular reference: webserver in docker-compose.yml extends webserver in docker-compose.yml",
    ),
    "an open bracket": (BROKEN, f"{WIKI}:12 invalid interpolation format for services.webserver.build. ${{A"),
    "a list of one error": (
        "decoding failed due to the following error(s):\n\nerror decoding 'services[webserver].ports': no",
        f"{WIKI}:13 error decoding 'services[webserver].ports': no",
    ),
    "a warning before it": (
        'time="2026" level=warning msg="no A"\nInvalid ip address: 127.0.0.1',
        f"{WIKI}:13 Invalid ip address: 127.0.0.1",
    ),
    "a key without what contains it": ("ipam.config must be a list", f"{WIKI}:19 ipam.config must be a list"),
    "a file": ("open {1}/webserver: no such file or directory", f"{WIKI}:12 open webserver: no such file or directory"),
    "an environment file": ("line 7: key cannot contain a space", "services/wiki/a.env:7 key cannot contain a space"),
    ".env": ("failed to read {1}/.env: line 2: no", "services/wiki/.env:2 no"),
    "a crash": (
        "panic: {{}} is nil\n\ngoroutine 1 [running]:\nmain.go:98",
        f"{WIKI}:1 compose itself breaks off: {{}} is nil",
    ),
}


@pytest.mark.parametrize(("printed", "shown"), WHOLE.values(), ids=WHOLE)
def test_an_error_of_several_lines_is_one_finding_that_says_what_is_wrong(
    tmp_path: Path, printed: str, shown: str
) -> None:
    root = write_collective(tmp_path)
    edit(root, WIKI, "    networks: [default, directory]", "    env_file: a.env\n    networks: [default, directory]")
    folder = root / "services/wiki"
    found = explain(root, folder, "docker-compose.yml", printed.format(folder / "docker-compose.yml", folder))
    assert f"{found.at} {found.what}" == shown


def test_one_of_two_environment_files_is_named_with_the_other(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    edit(root, WIKI, "    networks: [default, directory]", "    env_file: [a.env, {path: b.env}]")
    found = explain(root, root / "services/wiki", "docker-compose.yml", "line 1: no")
    assert f"{found.at} {found.what}" == f"{WIKI}:15 line 1 of a.env or b.env: no"


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
