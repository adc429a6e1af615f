"""No container has more rights, memory, processes or log than it needs; docs/service.md says how to change them."""

import re

import pytest

from darkpeak.collective.tree import EMPTY, Tree, read_yaml
from darkpeak.system.base import DAEMON
from tests.services.places import DOCUMENTS, FOLDERS

COMPOSE = [folder / "docker-compose.yml" for folder in FOLDERS]
VM_PAGE = DOCUMENTS / "vm.md"
CONTAINERS = {
    f"{path.parent.name}/{name}": container.mapping()
    for path in COMPOSE
    for name, container in read_yaml(path.read_text()).mapping()["services"].mapping().items()
}
# What each container needs as root. The rest runs with no capability.
CAPABILITIES = {
    "directory/slapd": "CHOWN DAC_OVERRIDE SETGID SETUID",
    "dns/dnsmasq": "KILL NET_BIND_SERVICE SETGID SETUID",
    "git/gitolite": "KILL SETGID SETUID SYS_CHROOT",
    "static/app": "CHOWN DAC_OVERRIDE FOWNER SETGID SETUID",
    "mail/postfix": "CHOWN DAC_OVERRIDE FOWNER KILL NET_BIND_SERVICE SETGID SETUID",
    "router/haproxy": "CHOWN DAC_OVERRIDE FOWNER FSETID NET_BIND_SERVICE SETGID SETPCAP SETUID",
}
NO_NETWORK = {"router/jump", "chat/database", "web-mariadb/database", "web-postgres/database"}  # only sockets


def written(compose: dict[str, Tree]) -> list[str]:
    """Return what a container lacks of the lines that all have."""
    driver = compose.get("logging", EMPTY).mapping()
    wanted = {
        "cap_drop": [item.text() for item in compose.get("cap_drop", EMPTY).items()] == ["ALL"],
        "security_opt": compose.get("security_opt", EMPTY).plain() == ["no-new-privileges:true"],
        "read_only": compose.get("read_only", EMPTY).text() == "true",
        "mem_limit": bool(re.fullmatch(r"\d+[mg]", compose.get("mem_limit", EMPTY).text())),
        "pids_limit": compose.get("pids_limit", EMPTY).text().isdecimal(),
        "logging": (driver.get("driver", EMPTY).plain(), driver.get("options", EMPTY).plain())
        == (DAEMON["log-driver"], DAEMON["log-opts"]),
    }
    return [key for key, there in wanted.items() if not there]


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_has_limits_and_only_the_capabilities_that_it_needs(name: str) -> None:
    compose = CONTAINERS[name]
    assert written(compose) == []
    added = " ".join(item.text() for item in compose.get("cap_add", EMPTY).items())
    assert added == CAPABILITIES.get(name, "")
    assert (compose.get("network_mode", EMPTY).text() == "none") == (name in NO_NETWORK)


def test_the_examples_of_the_documentation_have_them_too() -> None:
    example = re.search(r"```yaml\n(name: darkpeak-wiki.*?)```", (DOCUMENTS / "service.md").read_text(), re.DOTALL)
    assert example
    assert written(read_yaml(example[1]).mapping()["services"].mapping()["webserver"].mapping()) == []
