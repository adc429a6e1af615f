"""`login:` in a service's compose file: members log in at the login page, and the service knows who they are."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live import notes, pantry
from tests.live.facts import directory, router
from tests.live.facts.directory import MEMBERS
from tests.live.portal import HIDDEN, Visitor

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
    assert "make it a client of the login page" in planned
    pantry.add(collective)
    collective.darkpeak("up", notes.NAME, pantry.NAME, timeout=900)  # and what they depend on
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


def find_form(member: Visitor) -> str:
    """Open the pantry; return the path of the login form to which the router leads."""
    asked = member.location(pantry.PAGE)
    assert asked.startswith(f"{ACCOUNT}/enter?host=pantry.{DOMAIN}&")
    form = at(member, "account").location(asked.removeprefix(ACCOUNT))
    assert form.startswith(ACCOUNT)
    return form.removeprefix(ACCOUNT)


def come_in(member: Visitor, uid: str) -> str:
    """Open the pantry, and log in at the login page to which the router leads; return the page that follows."""
    return at(member, "account").submit(find_form(member), f"user={uid}", f"password={MEMBERS[uid]}")


def test_the_router_lets_in_members_of_the_groups_and_says_who_they_are(visitor: Callable[[str], Visitor]) -> None:
    ada = visitor("pantry")
    inside = come_in(ada, "ada").split()
    assert inside[:2] == ["ada", "of"]
    assert "admins" in inside[2].split(",")
    assert inside[3:] == ["with", "no", "cookie"]
    assert ada.get(pantry.PAGE, "-H", "X-Forwarded-User: grace").decode().split() == inside
    notes_page = at(ada, "notes").get("/index.html", "--include", "--location").decode().lower()
    assert "x-member: ada\r\n" in notes_page  # without typing the password again
    grace = visitor("pantry")
    assert "grace of" not in come_in(grace, "grace")
    assert grace.location(pantry.PAGE).startswith(ACCOUNT)


def token_of(member: Visitor) -> str:
    """Return the cookie with which the router lets a member in, as somebody else could keep it."""
    (token,) = re.findall(r"__Host-member\t(\S+)", Path(member.jar).read_text())
    return f"Cookie: __Host-member={token}"


def test_logging_out_ends_the_login_at_the_router_and_at_the_login_page(visitor: Callable[[str], Visitor]) -> None:
    ada, other, stranger = visitor("pantry"), visitor("pantry"), visitor("pantry")
    assert come_in(ada, "ada").startswith("ada of")
    come_in(other, "ada")
    token = token_of(ada)
    assert stranger.status(pantry.PAGE, "-H", token) == 200
    left = ada.get("/.account/leave", "--location", "--include").decode()
    assert "set-cookie: __Host-member=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0" in left
    assert 'name="password"' in left
    jar = Path(ada.jar)  # curl 7.88 writes cookies that were removed into the file again
    jar.write_text("".join(line for line in jar.read_text().splitlines(keepends=True) if "__Host-member" not in line))
    assert 'name="password"' in at(ada, "account").get(find_form(ada)).decode()
    assert stranger.status(pantry.PAGE, "-H", token) == 302, "at once, and not when the token ends"
    assert other.status(pantry.PAGE) == 200, "her other browser is another login"


def test_a_new_password_and_logging_out_everywhere_end_all_other_logins_at_once(
    running: Collective, visitor: Callable[[str], Visitor]
) -> None:
    ada, stranger, account = visitor("pantry"), visitor("pantry"), visitor("account")
    for end in (by_link, by_hand, everywhere):
        time.sleep(1)  # a login in the second in which all logins end has ended, too: the router counts in seconds
        come_in(ada, "ada")
        account.log_in("ada", MEMBERS["ada"])
        token = token_of(ada)
        assert stranger.status(pantry.PAGE, "-H", token) == 200
        end(running, account)
        assert stranger.status(pantry.PAGE, "-H", token) == 302, end
        assert 'name="password" type="password"' in at(ada, "account").get("/").decode(), end
        goes_on = "Logged in as" in account.get("/").decode()
        assert goes_on == (end is by_hand)


def by_link(running: Collective, account: Visitor) -> None:
    """Set the password with a link."""
    made = json.loads(running.darkpeak("member", "invite", "ada", "--json").stdout)
    new = MEMBERS["ada"]
    elsewhere = Visitor(ACCOUNT, account.options)
    page = elsewhere.submit(made["url"].removeprefix(ACCOUNT), f"newpassword={new}", f"confirmpassword={new}")
    assert "Your password is set." in page


def by_hand(_: Collective, account: Visitor) -> None:
    """Change the password at the login page."""
    new = MEMBERS["ada"]
    page = account.submit("/", f"oldpassword={new}", f"newpassword={new}", f"confirmpassword={new}")
    assert "Your password is changed." in page


def everywhere(_: Collective, account: Visitor) -> None:
    """Log out everywhere, at the own page."""
    token = dict(HIDDEN.findall(account.get("/me").decode()))["token"]
    assert "You are logged out." in account.post("/me/log-out", f"token={token}")


@pytest.mark.parametrize(
    "wanted", ["evil.example", f"notes.{DOMAIN}", f"account.{DOMAIN}", f"pantry.{DOMAIN}.evil.example", ""]
)
def test_the_login_page_sends_nobody_to_another_host_with_a_token(
    visitor: Callable[[str], Visitor], wanted: str
) -> None:
    ada = visitor("pantry")
    come_in(ada, "ada")
    page = at(ada, "account")
    for path in (f"/enter?host={wanted}&to=/", f"/enter?host={wanted}&to=https://evil.example/"):
        assert (page.location(path), page.status(path)) == ("", 404)
    elsewhere = page.location(f"/enter?host=pantry.{DOMAIN}&to=//evil.example/&nonce=1")
    assert elsewhere.startswith(f"https://pantry.{DOMAIN}:7443/.account/enter?token=")
    assert ada.status(elsewhere.removeprefix(ada.base)) == 403


def test_home_shows_what_is_only_for_members_to_members(running: Collective, visitor: Callable[[str], Visitor]) -> None:
    compose, own = (running.folder(name) / "docker-compose.yml" for name in ("home", pantry.NAME))
    own.write_text(own.read_text().replace("  level: alpha\n", "  level: alpha\n  shown: members\n"))
    assert "shown-to-nobody" in running.darkpeak("lint", check=False).stdout
    compose.write_text(compose.read_text().replace("  level: alpha\n", "  level: alpha\n  login: optional\n"))
    running.darkpeak("up", "home", timeout=600)
    for base in (f"https://{DOMAIN}:7443", f"https://home.{DOMAIN}:7443"):
        front = Visitor(base, visitor("home").options)
        for path in ("/", "/status.html", "/feed.xml", "/de/index.html"):
            shown = front.get(path, "-H", "X-Forwarded-User: ada").decode()
            assert ("Dark Peak" in shown, "pantry" in shown) == (True, False), path
        assert front.status("/.members/index.html") == 403
        asked = front.location("/.account/login")
        form = at(front, "account").location(asked.removeprefix(ACCOUNT)).removeprefix(ACCOUNT)
        inside = at(front, "account").submit(form, "user=grace", f"password={MEMBERS['grace']}")
        assert "<h2>pantry</h2>" in inside, "the first page follows the login"
        assert "<h2>pantry" in front.get("/status.html").decode()
        front.get("/.account/leave")
    plain = Visitor(f"http://{DOMAIN}:7080", visitor("home").options).get("/").decode()
    assert "/.account/login" in plain
    assert "pantry" not in plain


def test_members_stay_while_the_keys_change_and_what_the_old_key_signed_ends_with_up(
    running: Collective, visitor: Callable[[str], Visitor]
) -> None:
    ada, new = visitor("pantry"), visitor("pantry")
    come_in(ada, "ada")
    running.execute("account", "portal", "rotate-keys")
    assert ada.status(pantry.PAGE) == 200
    assert come_in(new, "ada").startswith("ada of")
    assert "synchronised" in running.darkpeak("up", pantry.NAME, timeout=300).stdout
    assert (ada.status(pantry.PAGE), new.status(pantry.PAGE)) == (302, 200)
    assert "nothing to do" in running.darkpeak("up", pantry.NAME, timeout=300).stdout


def test_a_service_that_is_removed_is_no_client_any_more(running: Collective) -> None:
    running.darkpeak("remove", notes.NAME, "--yes", timeout=300)
    assert set(clients(running)) == {"home", pantry.NAME}
