"""What of compose is refused, with file and line; and what works, in the same places, is not."""

from pathlib import Path

import pytest

from darkpeak.deploy.check import check_files
from tests.making import edit, write_collective

FILE = "services/wiki/docker-compose.yml"
LAST = "    networks: [default, directory]"
PAIR, ONE = "6010-6011:80", "6010:80"
HOME = "    networks: {default: {ipv4_address: 10.60.10.9}, directory: {}}"
REFUSED = {
    "scale": (LAST, f"    scale: 3\n{LAST}", 15, "replicas"),
    "replicas": (LAST, f"    deploy: {{replicas: 2}}\n{LAST}", 15, "replicas"),
    "no replica": (LAST, f"    scale: 0\n{LAST}", 15, "replicas"),
    "one on each machine": (LAST, f"    deploy: {{mode: global}}\n{LAST}", 15, "replicas"),
    "a container's own name": (LAST, f"    container_name: wiki\n{LAST}", 15, "one-at-a-time"),
    "an address": (LAST, HOME, 15, "one-at-a-time"),
    "a network card's address": (LAST, f"    mac_address: 02:42:ac:11:65:43\n{LAST}", 15, "one-at-a-time"),
    "another container's network": (
        "\nnetworks:",
        "\n  app: {build: webserver, network_mode: 'service:webserver'}\nnetworks:",
        16,
        "others-network",
    ),
    "a secret from the shell": ("\nvolumes:", "\nsecrets: {key: {environment: KEY}}\nvolumes:", 19, "from-shell"),
    "a config from the shell": ("\nvolumes:", "\nconfigs: {site: {environment: SITE}}\nvolumes:", 19, "from-shell"),
    "a capital letter": ("  webserver:\n", "  Web:\n", 11, "lower-case"),
}


def found(root: Path) -> set[tuple[str, str]]:
    """Return the rule and the place of each finding."""
    return {(item.rule, str(item.at)) for item in check_files(root).findings}


@pytest.mark.parametrize(("old", "new", "line", "rule"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_work_is_refused_at_its_line(tmp_path: Path, old: str, new: str, line: int, rule: str) -> None:
    root = write_collective(tmp_path)
    edit(root, FILE, old, new)
    places = {at for name, at in found(root) if name == rule}
    assert {f"{FILE}:{line}", f"{FILE}:{line + 1}"} & places, found(root)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (LAST, f"    scale: 1\n{LAST}"),
        (LAST, f"    deploy: {{replicas: 1}}\n{LAST}"),
        (LAST, f"    deploy: {{resources: {{limits: {{memory: 64m}}}}}}\n{LAST}"),
        (f'{PAIR}"]', f'{ONE}"]\n    container_name: wiki'),
    ],
    ids=["scale", "replicas", "limits", "a name with one port"],
)
def test_what_works_is_not_refused(tmp_path: Path, old: str, new: str) -> None:
    root = write_collective(tmp_path)
    known = found(root)
    edit(root, FILE, old, new)
    assert {rule for rule, _ in found(root)} <= {rule for rule, _ in known}


@pytest.mark.parametrize("name", ["darkpeak-Wiki", "${PREFIX:-darkpeak}-wiki"])
def test_the_project_has_the_name_that_compose_gives_it(tmp_path: Path, name: str) -> None:
    root = write_collective(tmp_path)
    edit(root, FILE, "name: darkpeak-wiki", f"name: {name}")
    assert {service.project for service in check_files(root).collective.services} == {
        "darkpeak-directory",
        "darkpeak-wiki",
    }


@pytest.mark.parametrize(
    ("name", "text", "at", "rule"),
    [
        ("docker-compose.laptop.yml", "name: other\n", "docker-compose.laptop.yml:1", "other-project"),
        ("compose.override.yml", "x-darkpeak: {level: live}\n", "compose.override.yml:1", "unknown-key"),
        (".env", "A=1\nCOMPOSE_PROJECT_NAME=shop\n", ".env:2", "compose-variable"),
        (".env", "export COMPOSE_FILE=a.yml\n", ".env:1", "compose-variable"),
        (".env", "COMPOSE_PROFILES = debug\n", ".env:1", "compose-variable"),
        ("compose.yaml", "services: {}\n", "compose.yaml:1", "other-compose-file"),
        ("docker-compose.yaml", "services: {}\n", "docker-compose.yaml:1", "other-compose-file"),
    ],
)
def test_files_beside_the_compose_file(tmp_path: Path, name: str, text: str, at: str, rule: str) -> None:
    root = write_collective(tmp_path)
    (root / "services/wiki" / name).write_text(text)
    assert (rule, f"services/wiki/{at}") in found(root)
