"""Keys that stand in no file of a service as they are, but in what compose makes of the files."""

import json
from pathlib import Path

import pytest

from darkpeak import collective, lint
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
