"""Keys that stand in no file of a service as they are, but in what compose makes of the files."""

import json
from pathlib import Path

import pytest

from darkpeak import collective, lint
from darkpeak.deploy.check import check_all, check_files
from darkpeak.deploy.hidden import find_hidden
from tests.making import edit, without_notes, write_collective

WIKI = "services/wiki/docker-compose.yml"
RESOLVED = {
    "a mount by extends": ('{"volumes": [\n{"type": "bind", "source": "/etc", "target": "/x"}]}', "14 host-path: webserver mounts /etc of the host"),
    "rights by a variable": ('{"cap_add": [\n"SYS_ADMIN"]}', "11 root-on-host: webserver has the capability SYS_ADMIN"),
    "a secret of .env": ('{"environment": {\n"DB_PASSWORD": "hunter2"}}', "11 secret: DB_PASSWORD of webserver looks like a secret"),
    "nothing": ('{"privileged": false}', ""),
}  # fmt: skip


@pytest.mark.parametrize(("container", "expected"), RESOLVED.values(), ids=RESOLVED)
def test_what_only_compose_sees_is_found_too(tmp_path: Path, container: str, expected: str) -> None:
    found = collective.read(write_collective(tmp_path))[0]
    wiki = next(service for service in found.services if service.name == "wiki")
    resolved = f'{{"services": {{\n"webserver": {container}}}}}'
    hidden = find_hidden(wiki, json.loads(resolved), lint.check(found))
    assert [f"{item.at.line} {item.rule}: {item.what}" for item in without_notes(hidden)] == [expected] * bool(expected)


def test_what_the_files_show_is_found_once(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    edit(root, WIKI, '["data:/var/lib/wiki"]', '["/etc:/x"]')
    found = collective.read(root)[0]
    wiki = next(service for service in found.services if service.name == "wiki")
    resolved = f'{{"services": {{\n"webserver": {RESOLVED["a mount by extends"][0]}}}}}'
    assert without_notes(find_hidden(wiki, json.loads(resolved), lint.check(found))) == []


PRIVILEGED = "    privileged: true\n"
REMOVED: dict[str, tuple[str, str, str, list[str]]] = {
    "by !reset": (PRIVILEGED, "override", "privileged: !reset false", []),
    "by !override": ('    volumes: ["/etc:/x"]\n', "override", 'volumes: !override ["data:/var/lib/wiki"]', []),
    "with all beside it": (PRIVILEGED, "override", "cap_add: !reset []", ["docker-compose.yml:13 root-on-host"]),
    "by !override, for the same": (
        PRIVILEGED,
        "override",
        "privileged: !override true",
        ["docker-compose.override.yml:3 root-on-host", "docker-compose.yml:13 root-on-host"],
    ),
    "by !override, for another fault": (
        "    cap_add: [SYS_ADMIN]\n",
        "override",
        "cap_add: !override [ALL]",
        ["docker-compose.override.yml:3 root-on-host", "docker-compose.yml:13 root-on-host"],
    ),
    "of the override itself": ("", "override", "privileged: !reset true", []),
    "for one host only": (PRIVILEGED, "vm", "privileged: !reset false", ["docker-compose.yml:13 root-on-host"]),
}


@pytest.mark.parametrize(("own", "file", "line", "expected"), REMOVED.values(), ids=REMOVED)
def test_what_an_override_takes_away_is_no_finding(
    root: Path, own: str, file: str, line: str, expected: list[str]
) -> None:
    edit(root, WIKI, "    build: webserver\n", f"    build: webserver\n{own}")
    if "volumes" in own:
        edit(root, WIKI, '    volumes: ["data:/var/lib/wiki"]\n', "")
    (root / f"services/wiki/docker-compose.{file}.yml").write_text(f"services:\n  webserver:\n    {line}\n")
    found = [item.removeprefix("services/wiki/") for item in shown(root)]
    assert [item for item in found if item.partition(" ")[2] in {"root-on-host", "host-path"}] == expected


LIMITS = """\
    security_opt: ["no-new-privileges:true"]
    cap_drop: [ALL]
    mem_limit: 1g
    pids_limit: 500
    logging: {driver: local, options: {max-size: 10m}}
"""
MORE = f"services:\n  webserver:\n{LIMITS}"
NOTES = ["capabilities", "new-privileges", "no-log-limit", "no-memory-limit", "no-pids-limit"]
ELSEWHERE: dict[str, tuple[str, str, str, list[str]]] = {
    "in an override file": ("docker-compose.override.yml", "", MORE, []),
    "by extends": ("base.yml", "    extends: {file: base.yml, service: webserver}\n", MORE, []),
    "by extends, without limits": (
        "base.yml",
        "    extends: {file: base.yml, service: webserver}\n",
        "services: {webserver: {init: true}}\n",
        NOTES,
    ),
    "in an override file, but one": (
        "docker-compose.override.yml",
        "",
        MORE.replace("    mem", "    # mem"),
        NOTES[3:4],
    ),
    "only for one host": ("docker-compose.vm.yml", "", MORE, NOTES),
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a collective, and an empty memory of what compose said."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "collective").mkdir()
    return write_collective(tmp_path / "collective")


def shown(root: Path) -> list[str]:
    """Return what lint shows of the wiki, without what hadolint says."""
    return [f"{item.at} {item.rule}" for item in check_all(check_files(root), "wiki") if item.rule != "hadolint"]


@pytest.mark.parametrize(("name", "line", "text", "expected"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_limits_can_be_in_any_file(root: Path, name: str, line: str, text: str, expected: list[str]) -> None:
    """Compose itself merges the files; a note is at the container in the main file."""
    edit(root, WIKI, "    build: webserver\n", f"    build: webserver\n{line}")
    (root / "services/wiki" / name).write_text(text)
    assert shown(root) == [f"{WIKI}:11 {rule}" for rule in expected]


def test_a_fault_in_an_override_file_has_its_place_there(root: Path) -> None:
    edit(root, WIKI, "    build: webserver\n", f"    build: webserver\n{LIMITS}")
    file = "services/wiki/docker-compose.override.yml"
    (root / file).write_text("services:\n  webserver:\n    privileged: true\n    environment: [ZONE]\n")
    assert shown(root) == [f"{file}:3 root-on-host", f"{file}:4 from-shell"]


def test_a_dollar_sign_that_compose_keeps_is_no_variable(root: Path) -> None:
    """In its answer, too: it must write $$ there."""
    own = f"    command: [sh, -c, 'serve $$HOME']\n{LIMITS}"
    edit(root, WIKI, "    build: webserver\n", f"    build: webserver\n{own}")
    (root / "services/wiki/.env").write_text("PRICE='$$5 $ZONE'\n")
    edit(root, WIKI, "    restart:", "    environment: {PRICE: $PRICE}\n    restart:")
    assert shown(root) == []
