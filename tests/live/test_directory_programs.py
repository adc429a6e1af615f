"""Programs of Debian that know nothing of us ask the directory as docs/members.md says: ldap-utils, and PAM.

`darkpeak directory check` says of a service's settings whether they would work, and if not, which of them is wrong.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from lab.collectives import TOP
from lab.commands import run
from tests.live.facts import directory
from tests.live.facts.directory import MEMBERS, PEOPLE

if TYPE_CHECKING:
    from pathlib import Path

    from lab.collectives import Collective
    from lab.commands import Result

IMAGE = "programs-of-the-directory"
DOCKERFILE = """\
FROM debian:trixie
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
 ldap-utils libpam-ldapd nslcd pamtester && rm -rf /var/lib/apt/lists/*
COPY nslcd.conf /etc/
COPY program /etc/pam.d/
RUN chmod 600 /etc/nslcd.conf
"""
PAM = 'nslcd && exec pamtester program "$0" authenticate acct_mgmt'
JOINED = ("--rm", "--interactive", "--network=darkpeak-directory", "--volume=darkpeak-trust:/trust:ro")

SETTINGS = """\
ADDRESS = "ldaps://directory"
CA = "/trust/ca.crt"
BASE, FILTER = "ou=people,dc=collective", "(&(objectClass=inetOrgPerson)(uid=%u))"
GROUP_BASE, GROUP_FILTER = "ou=groups,dc=collective", "(&(objectClass=groupOfNames)(member=%{dn}))"
"""
ASKER = """\
name: darkpeak-asker
x-darkpeak: {about: Asks the directory, block: 6900, admins: [ada, grace], kind: user, level: alpha}
x-asker: &asker {build: asker, init: true, command: [sleep, infinity], user: nobody}
services:
  right: {<<: *asker, networks: [directory], volumes: ["trust:/trust:ro"]}
  trustless: {<<: *asker, networks: [directory]}
  outside: {<<: *asker, volumes: ["trust:/trust:ro"]}
networks:
  default: {ipam: {config: [{subnet: 10.69.0.0/24}]}}
  directory: {name: darkpeak-directory, external: true}
volumes:
  trust: {name: darkpeak-trust, external: true}
"""


def blocks(language: str) -> list[str]:
    """Return the blocks of the page in this language."""
    page = (TOP / "docs/members.md").read_text()
    found = re.findall(r"^```(\w*)\n(.*?)^```\n", page, re.MULTILINE | re.DOTALL)
    return [text for name, text in found if name == language]


@pytest.fixture(scope="module")
def village(collective: Collective, tmp_path_factory: pytest.TempPathFactory) -> Collective:
    """Return a collective with a directory of two members, and the image of the programs."""
    collective.darkpeak("up", "directory", timeout=900)
    directory.write(collective)
    folder: Path = tmp_path_factory.mktemp("programs")
    settings, rules = blocks("")
    for name, text in {"Dockerfile": DOCKERFILE, "nslcd.conf": settings, "program": rules}.items():
        (folder / name).write_text(text)
    run(["docker", "build", "--tag", IMAGE, str(folder)], env=collective.environment, timeout=600)
    return collective


def as_service(village: Collective, *argv: str, stdin: str = "") -> Result:
    """Run a program in a container that has what a service has: the network, and the CA."""
    command = ["docker", "run", *JOINED, IMAGE, *argv]
    return run(command, env=village.environment, stdin=stdin, timeout=60, check=False)


def test_ldap_utils_find_a_member_and_log_in(village: Collective) -> None:
    trust, search, login = next(block for block in blocks("sh") if "ldapwhoami" in block).splitlines()
    found = as_service(village, "sh", "-euc", f"{trust}\n{search}")
    assert found.stdout == f"dn: uid=ada,{PEOPLE}\nuid: ada\n\n"
    typed = f"{trust}\n{login.replace(' -W ', ' -y /dev/stdin ')}"
    assert as_service(village, "sh", "-euc", typed, stdin=MEMBERS["ada"]).stdout == f"dn:uid=ada,{PEOPLE}\n"
    wrong = as_service(village, "sh", "-euc", typed, stdin="not hers")
    assert (wrong.returncode, "Invalid credentials (49)" in wrong.stderr) == (49, True)


def test_nothing_is_sent_without_the_collectives_own_ca(village: Collective) -> None:
    _, search, _ = next(block for block in blocks("sh") if "ldapwhoami" in block).splitlines()
    assert as_service(village, "sh", "-euc", search).returncode == 255  # cannot connect


@pytest.mark.parametrize(
    ("uid", "password", "code"),
    [("ada", MEMBERS["ada"], 0), ("ada", "not hers", 1), ("nosuch", MEMBERS["ada"], 1), ("*", MEMBERS["ada"], 1)],
)
def test_pam_logs_members_in_and_nobody_else(village: Collective, uid: str, password: str, code: int) -> None:
    said = as_service(village, "sh", "-c", PAM, uid, stdin=f"{password}\n")
    assert said.returncode == code, said.stderr
    assert ("successfully authenticated" in said.stdout) is (code == 0)


@pytest.fixture(scope="module")
def asker(village: Collective) -> Collective:
    """Return the collective with a service of three containers, of which only one can ask the directory."""
    folder = village.folder("asker")
    (folder / "asker").mkdir(parents=True)
    (folder / "docker-compose.yml").write_text(ASKER)
    (folder / "asker/Dockerfile").write_text("FROM debian:trixie\nCOPY settings.py /\n")
    (folder / "asker/settings.py").write_text(SETTINGS)
    village.compose("asker", "up", "-d", "--build")
    return village


def checks(asker: Collective, *options: str, code: int = 0) -> dict[str, tuple[str, str, str]]:
    """Check the service; return verdict, words and hint by the name of the check."""
    done = asker.darkpeak("directory", "check", "asker", *options, "--json", check=False)
    assert done.returncode == code, done.stderr
    return {item["check"]: (item["verdict"], item["what"], item["hint"]) for item in json.loads(done.stdout)}


def test_right_settings_pass_each_check_from_where_the_container_is(asker: Collective) -> None:
    found = checks(asker, "--container", "right")
    assert [*found] == ["network", "name", "tls", "search", "stranger", "password", "groups"]
    assert {verdict for verdict, _, _ in found.values()} == {"ok"}
    assert found["tls"][1].endswith("/trust/ca.crt (services/asker/asker/settings.py:2)")
    assert found["groups"][1] == "ada is in admins"


@pytest.mark.parametrize(
    ("options", "check", "said"),
    [
        (("--address", "ldaps://directroy"), "name", "directroy has no address there: ldaps://directroy (--address)"),
        (("--address", "ldaps://localhost"), "tls", "does not answer"),
        (("--address", "ldap://directory"), "tls", "is not encrypted"),
        (("--ca", "/etc/ssl/certs/ca.crt"), "tls", "no readable file /etc/ssl/certs/ca.crt (--ca)"),
        (("--ca", "/etc/hostname"), "tls", "is not of the CA"),
        (("--base", "ou=peple,dc=collective"), "search", "the directory has no ou=peple,dc=collective (--base)"),
        (("--base", "ou=groups,dc=collective"), "search", "finds nobody for ada"),
        (("--filter", "(uid=%u"), "search", "(uid=%u (--filter) is not a filter"),
        (("--filter", "(udi=%u)"), "search", "(udi=%u) (--filter) below ou=people,dc=collective"),
        (("--filter", "(|(uid=%u)(uid=ada))"), "stranger", "for a name that no member has"),
        (("--group-filter", "(memberUid=%u)"), "groups", "finds no group of ada"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(
    asker: Collective, options: tuple[str, ...], check: str, said: str
) -> None:
    found = checks(asker, "--container", "right", *options, code=1)
    verdict, what, hint = found.popitem()[1]
    assert [*checks_before(check)] == [*found]
    assert (verdict, said in what, bool(hint)) == ("bad", True, True), what
    assert {verdict for verdict, _, _ in found.values()} == {"ok"}


def checks_before(check: str) -> list[str]:
    """Return the names of the checks before this one."""
    every = ["network", "name", "tls", "search", "stranger", "password", "groups"]
    return every[: every.index(check)]


@pytest.mark.parametrize(
    ("container", "check", "said"),
    [
        ("trustless", "tls", "the container has no readable file /trust/ca.crt"),
        ("outside", "network", "not in the network darkpeak-directory"),
    ],
)
def test_a_container_without_network_or_ca_is_named(asker: Collective, container: str, check: str, said: str) -> None:
    found = checks(asker, "--container", container, code=1)
    assert [*found][-1] == check
    assert said in found[check][1]
    table = asker.darkpeak("directory", "check", "asker", check=False)
    assert (table.returncode, container in table.stdout) == (1, True)


def test_what_cannot_be_checked_is_wrong_use(asker: Collective) -> None:
    for arguments, said in (
        (("router",), "no file of router has the address of a directory"),
        (("asker", "--member", "nosuch"), "there is no member nosuch"),
        (("asker", "--container", "web"), "asker has no container web"),
    ):
        refused = asker.darkpeak("directory", "check", *arguments, check=False)
        assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr
    asker.compose("asker", "stop")
    stopped = asker.darkpeak("directory", "check", "asker", check=False)
    assert (stopped.returncode, "is not running" in stopped.stderr) == (3, True)
