"""`login:` in a service's compose file: members log in at the login page, and the service knows who they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.live import notes
from tests.live.facts import directory, router
from tests.live.facts.directory import MEMBERS
from tests.live.portal import Visitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.collectives import Collective

DOMAIN = "peak.test"  # programs with libcurl would look for names below localhost in their own container
ACCOUNT = f"https://account.{DOMAIN}:7443"
FILES = {"client_id", "client_secret", "issuer"}


@pytest.fixture(scope="module")
def running(collective: Collective) -> Collective:
    """Return a collective with a domain of its own, the login page, and two members."""
    settings = collective.top / "collective.toml"
    settings.write_text(settings.read_text().replace('domain = "localhost"', f'domain = "{DOMAIN}"'))
    notes.add(collective)
    before = collective.darkpeak("up", notes.NAME, check=False)
    assert before.returncode == 2
    assert "docker-compose.yml:9" in before.stderr
    assert "this collective has no login page" in before.stderr
    collective.darkpeak("add", "account")
    planned = collective.darkpeak("plan", notes.NAME, check=False).stdout  # it ends with 1: there is much to do
    assert "make it a client of the login page, with its secret in the volume login" in planned
    collective.darkpeak("up", notes.NAME, timeout=900)  # and what it depends on
    directory.write(collective)
    return collective


@pytest.fixture(scope="module")
def visitor(running: Collective, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Visitor]:
    """Return a function that makes a visitor of a host, who has its own cookies."""
    trusted = tmp_path_factory.mktemp("login") / "ca.crt"
    trusted.write_text(router.authority(running))
    options = ("--cacert", str(trusted), "--connect-to", "::127.0.0.1:")
    return lambda host: Visitor(f"https://{host}.{DOMAIN}:7443", options)


def at(member: Visitor, host: str) -> Visitor:
    """Return the same visitor, with the same cookies, at another host."""
    return Visitor(f"https://{host}.{DOMAIN}:7443", member.options, member.jar)


def log_in(member: Visitor, uid: str) -> str:
    """Open a service, and log in at the login page to which it leads; return what it answers then."""
    asked = member.location("/index.html")
    assert asked.startswith(f"{ACCOUNT}/")
    password = f"password={MEMBERS[uid]}"
    back = at(member, "account").sent_to(asked.removeprefix(ACCOUNT), f"user={uid}", password)
    assert back.startswith(member.base), back
    return member.get(back.removeprefix(member.base), "--include", "--location").decode().lower()


def told(running: Collective) -> dict[str, str]:
    """Return what the volume of the service has."""
    shown = {name: running.execute(notes.NAME, "web", "cat", f"/login/{name}").stdout for name in FILES}
    listed = running.execute(notes.NAME, "web", "ls", "/login").stdout.split()
    assert set(listed) == FILES
    return shown


def clients(running: Collective) -> dict[str, dict[str, object]]:
    """Return the clients that the login page knows, by name."""
    shown = json.loads(running.execute("account", "portal", "client", "show").stdout)
    return {item["client_id"]: item for item in shown}


def test_a_member_logs_in_to_a_program_that_nobody_here_wrote(
    running: Collective, visitor: Callable[[str], Visitor]
) -> None:
    assert told(running)["issuer"] == f"{ACCOUNT}/"
    assert clients(running)["notes"]["redirect_uris"] == [f"https://notes.{DOMAIN}:7443/callback"]
    ada = visitor("notes")
    said = log_in(ada, "ada")
    assert "x-member: ada\r\n" in said
    assert "admins" in said.rpartition("x-groups: ")[2].partition("\r\n")[0]
    assert ada.status("/index.html") == 200


def test_its_secret_is_nowhere_but_in_its_volume_and_with_the_login_page(running: Collective) -> None:
    secret = told(running)["client_secret"]
    assert len(secret) == 64
    container = running.compose(notes.NAME, "ps", "--quiet", "web").stdout.strip()
    seen = running.host.run(["docker", "inspect", container]).stdout
    seen += running.compose(notes.NAME, "logs").stdout + running.compose("account", "logs").stdout
    assert "darkpeak-notes_login" in seen
    assert secret not in seen
    assert running.host.run(["grep", "-rlF", secret, str(running.top), "/root/.cache"], check=False).stdout == ""


def test_what_the_login_page_has_lost_or_changed_is_made_again(
    running: Collective, visitor: Callable[[str], Visitor]
) -> None:
    assert "nothing to do" in running.darkpeak("up", notes.NAME).stdout
    old = told(running)
    running.execute("account", "portal", "client", "remove", "notes")
    assert "web: the login page does not know it" in running.darkpeak("plan", notes.NAME, check=False).stdout
    running.darkpeak("up", notes.NAME, timeout=300)
    new = told(running)
    assert new["client_secret"] != old["client_secret"]
    assert "x-member: grace\r\n" in log_in(visitor("notes"), "grace")


def test_a_service_that_is_removed_is_no_client_any_more(running: Collective) -> None:
    running.darkpeak("remove", notes.NAME, "--yes", timeout=300)
    assert clients(running) == {}
