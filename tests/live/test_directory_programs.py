"""Programs of Debian that know nothing of us ask the directory as docs/members.md says: ldap-utils, and PAM."""

from __future__ import annotations

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
