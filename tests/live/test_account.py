"""The login page of the catalogue, used by members through the router, and attacked."""

from __future__ import annotations

import base64
import json
import re
import statistics
import time
import unicodedata
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlencode

import pytest
from authlib.integrations.base_client.errors import OAuthError

from lab.commands import run, wait_for
from tests.live import openid
from tests.live.facts import directory, router
from tests.live.facts.directory import MEMBERS, logs_in, manage
from tests.live.openid import VERIFIER
from tests.live.portal import BASE, HIDDEN, Visitor, code_of, fill_in_directly, message, visitors
from tests.pages.commands import commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.collectives import Collective

WRONG = "The name or the password is wrong."
STRANGER = "cn=stranger,ou=services,dc=collective"
TITLES = {"en": "Your account", "de": "Dein Konto", "fr": "Votre compte", "es": "Tu cuenta", "it": "Your account"}
NEW = "a new one, longer"
WAIT = "Too many failed logins from your address. Wait a minute, and try again."


@pytest.fixture(scope="module")
def running(collective: Collective) -> Collective:
    """Return the collective with the login page, and two members."""
    collective.darkpeak("add", "account")
    collective.darkpeak("up", "router", "directory", "account", timeout=900)
    directory.write(collective)
    return collective


@pytest.fixture(scope="module")
def visitor(running: Collective, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Visitor]:
    """Return a function that makes a visitor; failed logins are counted by address, so each test has its own."""
    return visitors(running, tmp_path_factory.mktemp("portal"))


def test_a_member_logs_in_changes_the_password_and_logs_out(
    running: Collective, visitor: Callable[..., Visitor]
) -> None:
    grace = visitor("127.0.1.1")
    page = grace.log_in("grace", MEMBERS["grace"])
    assert "Logged in as <strong>grace</strong>" in page
    old, new = MEMBERS["grace"], NEW
    assert message(change(grace, "not hers", new)) == "The current password is wrong."
    assert message(change(grace, old, "short")) == "The password is too short: it needs at least eight characters."
    assert message(change(grace, old, new, again="another one")) == "The two new passwords are not the same."
    assert message(change(grace, old, new)) == "Your password is changed."
    assert logs_in(running, "grace", new)
    assert message(change(grace, new, old)) == "Your password is changed."
    assert "Logged in as <strong>grace</strong>" in grace.get("/").decode()
    assert message(grace.get("/?logout=1").decode()) == "You are logged out."
    assert 'name="password"' in grace.get("/").decode()


def test_a_password_is_the_same_from_every_keyboard(running: Collective, visitor: Callable[..., Visitor]) -> None:
    grace, old = visitor("127.0.1.11"), MEMBERS["grace"]
    composed, decomposed = (unicodedata.normalize(form, "Zoë's café, 비밀번호") for form in ("NFC", "NFD"))
    grace.log_in("grace", old)
    assert message(change(grace, old, decomposed)) == "Your password is changed."
    try:
        assert logs_in(running, "grace", composed)
        for typed in (composed, decomposed):
            assert "Logged in as <strong>grace</strong>" in visitor("127.0.1.12").log_in("grace", typed)
        assert message(change(grace, decomposed, old, again=old)) == "Your password is changed."
    finally:
        running.darkpeak("member", "passwd", "grace", "--password-stdin", stdin=old)


def change(member: Visitor, old: str, new: str, again: str = "") -> str:
    """Fill in the form for a new password; return the page that follows."""
    return member.submit("/", f"oldpassword={old}", f"newpassword={new}", f"confirmpassword={again or new}")


@pytest.mark.parametrize("language", TITLES)
def test_pages_are_in_the_visitors_language_and_need_no_script(visitor: Callable[..., Visitor], language: str) -> None:
    page = visitor(language=language).get("/").decode()
    assert f"<h1>{TITLES[language]}</h1>" in page
    assert "<script" not in page
    for name, kind in (("user", "username"), ("password", "current-password")):
        assert f'<label for="{name}">' in page
        assert f'id="{name}" name="{name}"' in page
        assert f'autocomplete="{kind}"' in page


def test_a_mail_address_logs_in_and_a_name_in_capitals_is_the_same_member(
    running: Collective, visitor: Callable[..., Visitor]
) -> None:
    mail = "dn: uid=ada,ou=people,dc=collective\nchangetype: modify\nreplace: mail\nmail: ada+home@example.org\n"
    manage(running, "ldapmodify", mail)
    for name in ("ada+home@example.org", "ADA"):
        assert "Logged in as <strong>ada</strong>" in visitor("127.0.1.2").log_in(name, MEMBERS["ada"])


def test_a_wrong_name_has_the_answer_of_a_wrong_password_and_costs_the_directory_as_much(
    running: Collective, visitor: Callable[..., Visitor], say: Callable[[str], None]
) -> None:
    spent: dict[str, list[float]] = {}
    for name in ("grace", "nosuch"):
        for number in range(4):
            guesser = visitor(f"127.0.2.{number}")
            token = guesser.submit("/", f"user={name}", "password=not theirs")
            assert message(token) == WRONG
            spent.setdefault(name, []).append(guess(guesser, name))
    tried = manage(running, "ldapsearch", "", "-LLL", "-b", STRANGER, "pwdFailureTime").count("pwdFailureTime: ")
    assert tried == 8  # each guess at a name that no member has
    say(f"seconds of a failed login: { ({name: round(statistics.median(times), 3) for name, times in spent.items()}) }")


def guess(guesser: Visitor, name: str) -> float:
    """Return how long one failed login takes, without the page before."""
    page = guesser.get("/").decode()
    token = page.partition('name="token" value="')[2].partition('"')[0]
    return guesser.seconds("/", "-d", f"user={name}", "-d", "password=not theirs", "-d", f"token={token}")


@pytest.mark.parametrize("name", ["*", "ada)(uid=*", "ada\\2a", "ada,ou=people", "", "a" * 200])
def test_a_name_cannot_change_the_search(visitor: Callable[..., Visitor], name: str) -> None:
    page = visitor("127.0.1.3").log_in(name, MEMBERS["ada"])
    assert message(page) in {WRONG, "Write your name and your password.", ""}
    assert "Logged in as" not in page


def test_an_address_that_guesses_has_to_wait_and_others_do_not(visitor: Callable[..., Visitor]) -> None:
    guesser = visitor("127.0.1.4")
    for number in range(9):
        assert message(guesser.log_in("grace" if number % 2 else "nosuch", "not theirs")) == WRONG
    assert message(guesser.log_in("grace", MEMBERS["grace"])).startswith("Too many failed logins")
    assert "Logged in as" in visitor("127.0.1.5").log_in("grace", MEMBERS["grace"])


def test_guesses_without_end_lock_nobody_out_for_long(
    running: Collective, visitor: Callable[..., Visitor], campaign: Callable[..., int], say: Callable[[str], None]
) -> None:
    port = int(running.compose("account", "port", "portal", "80").stdout.rpartition(":")[2])
    guesses, times, began = campaign(100_000, short=200), list[float](), time.monotonic()

    def guess(number: int) -> str:
        """Guess a password of ada: every second time from one address, otherwise from a new one."""
        address = f"198.18.{number // 250 % 250}.{number % 250 + 1}" if number % 2 else "192.0.2.1"
        return message(fill_in_directly(port, address, "ada", f"guess {number}")[0])

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(guess, number) for number in range(guesses)]
        while not all(answer.done() for answer in answers):
            others = visitor(f"127.0.6.{len(times) % 250 + 1}")
            start = time.monotonic()
            assert "Logged in as" in others.log_in("grace", MEMBERS["grace"])
            times.append(time.monotonic() - start)
            time.sleep(1)
    said = Counter(answer.result() for answer in answers)
    assert set(said) == {WRONG, WAIT}
    ended = time.monotonic()
    tried = guesses // 2 - said[WAIT]  # from the one address
    assert 0 < tried <= 9 * ((ended - began) // 60 + 2)
    ada = visitor("127.0.7.1")
    wait_for("ada to log in", lambda: "Logged in as" in ada.log_in("ada", MEMBERS["ada"]), timeout=120, pause=10)
    say(f"{guesses} guesses in {ended - began:.0f} s: {dict(said)}")
    say(f"others logged in within {max(times):.1f} s ({len(times)} times)")
    say(f"ada logged in {time.monotonic() - ended:.0f} s after the last guess")


def test_a_password_is_changed_only_by_those_who_are_logged_in(visitor: Callable[..., Visitor]) -> None:
    """The form for an expired password would be a login whose failures nobody counts."""
    stranger = visitor("127.0.1.6")
    page = stranger.submit(
        "/", "user=grace", f"oldpassword={MEMBERS['grace']}", f"newpassword={NEW}", f"confirmpassword={NEW}"
    )
    assert message(page) == WRONG
    assert "Logged in as" in stranger.log_in("grace", MEMBERS["grace"])


def test_a_login_gets_a_new_session_only_for_https_and_leads_to_no_other_site(visitor: Callable[..., Visitor]) -> None:
    elsewhere = base64.b64encode(b"https://evil.example/").decode()
    for path in (f"/?url={elsewhere}", "/?url=https://evil.example/", "/?url=//evil.example/"):
        victim = visitor("127.0.1.7")
        assert "evil.example" not in victim.location(path)
        assert "evil.example" not in victim.log_in("grace", MEMBERS["grace"], path)
    victim = visitor("127.0.1.7")
    page = victim.get("/", "--cookie", f"account={'0' * 64}").decode()
    form = {"user": "grace", "password": MEMBERS["grace"], "token": dict(HIDDEN.findall(page))["token"]}
    said = victim.get("/", "--include", "-d", urlencode(form)).decode().lower()
    assert re.search(
        r"^set-cookie: account=(?!000)\w{64}; .*; httponly.*; samesite=lax; secure\r?$", said, re.MULTILINE
    )
    assert "Logged in as" in victim.get("/").decode()
    plain = visitor(base="http://account.localhost:7080")
    assert plain.location("/some?page=1") == f"{BASE}/some?page=1"


def test_what_is_only_for_the_inside_is_closed(visitor: Callable[..., Visitor]) -> None:
    stranger = visitor()
    for header in ("INSIDE: yes", "X-Forwarded-For: 127.0.0.1"):
        assert stranger.status("/invite", "-d", "member=grace", "-H", header) == 403
    for path in ("/config", "/sessions/global/x", "/mysession/?whoami=uid", "/index.psgi", "/index.fcgi/sessions"):
        assert stranger.status(path) in {401, 403, 404}, path


def test_an_invitation_sets_a_password_once(running: Collective, visitor: Callable[..., Visitor]) -> None:
    first = running.darkpeak("member", "add", "bob", "--mail", "bob@example.org", "--invite").stdout.strip()
    first, second = first.removeprefix(BASE), invite(running, "bob@example.org")
    bob = visitor("127.0.1.8")
    assert message(bob.get(first).decode()).startswith("This link was used already")
    assert 'autocomplete="new-password"' in bob.get(second).decode()
    assert 'autocomplete="new-password"' in bob.get(second).decode()  # a mail scanner that opens it does no harm
    page = bob.submit(second, f"newpassword={NEW}", f"confirmpassword={NEW}")
    assert message(page) == "Your password is set. You can log in now."
    assert message(bob.get(second).decode()).startswith("This link was used already")
    assert "Logged in as <strong>bob</strong>" in bob.log_in("bob", NEW)
    nobody = running.darkpeak("member", "invite", "nosuch", check=False)
    assert (nobody.returncode, nobody.stderr.splitlines()[0]) == (2, "error: there is no member nosuch")


def invite(running: Collective, name: str) -> str:
    """Return the path of a link for a new password."""
    told = json.loads(running.darkpeak("member", "invite", name, "--json").stdout)
    assert told["url"].startswith(BASE)
    path: str = told["url"].removeprefix(BASE)
    return path


def test_a_removed_member_is_logged_out_at_once(running: Collective, visitor: Callable[..., Visitor]) -> None:
    directory.add_member(running, "eve", "eve's own")
    eve, link = visitor("127.0.1.9"), invite(running, "eve")
    assert "Logged in as <strong>eve</strong>" in eve.log_in("eve", "eve's own")
    removed = running.darkpeak("member", "remove", "eve")
    assert "sessions ended" in removed.stdout + removed.stderr
    assert 'name="password"' in eve.get("/").decode()
    assert message(eve.get(link).decode()).startswith("This link was used already")


def test_a_second_factor_is_asked_for_and_comes_back_with_a_restore(
    running: Collective, visitor: Callable[..., Visitor], tmp_path: Path
) -> None:
    directory.add_member(running, "zoe", "zoe's own")
    secret = visitor("127.0.1.10").add_factor("zoe", "zoe's own")
    assert ask_for_code(visitor("127.0.1.10"), "000000") == "The code is wrong."
    assert running.script("account", "verify").stdout == "1 members with a second factor\n"
    running.script("account", "backup", str(tmp_path / "saved"))
    keys = ("sh", "-c", "cd /var/lib/account/current && sha256sum secrets/*")
    before = running.execute("account", "portal", *keys).stdout
    running.execute("account", "portal", "sh", "-c", "cd /var/lib/account/current && rm -r members secrets")
    running.script("account", "restore", str(tmp_path / "saved"))
    assert running.execute("account", "portal", *keys).stdout == before
    assert "Logged in as <strong>zoe</strong>" in ask_for_code(visitor("127.0.1.10"), code_of(secret))
    assert "second factors removed: 1\n" in running.script("account", "forget-member", "zoe").stdout
    assert "Logged in as <strong>zoe</strong>" in visitor("127.0.1.10").log_in("zoe", "zoe's own")


def ask_for_code(zoe: Visitor, code: str) -> str:
    """Log zoe in with a code; return the message or the page that follows."""
    page = zoe.log_in("zoe", "zoe's own")
    assert 'autocomplete="one-time-code"' in page
    assert "<script" not in page
    page = zoe.fill_in(page, "/totp2fcheck", f"code={code}")
    return message(page) or page


@pytest.fixture(scope="module")
def services(
    running: Collective, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[openid.Service, openid.Service]]:
    """Yield two services that log members in by OpenID Connect."""
    trusted = tmp_path_factory.mktemp("openid") / "ca.crt"
    trusted.write_text(router.authority(running))
    with openid.names():
        notes, other = (openid.Service(running, trusted, name) for name in ("notes", "other"))
        yield notes, other


def test_a_service_logs_members_in_with_openid_connect_while_the_key_changes(
    running: Collective, visitor: Callable[..., Visitor], services: tuple[openid.Service, openid.Service]
) -> None:
    notes, ada = services[0], visitor("127.0.1.11")
    back = ada.sent_to(notes.ask(code_verifier=VERIFIER), "user=ada", f"password={MEMBERS['ada']}")
    assert back.startswith(f"{notes.callback}?")
    before = notes.redeem(back)
    first = notes.verify(before)
    said = first.claims
    assert [said[name] for name in ("iss", "aud", "sub", "nonce")] == [f"{BASE}/", ["notes"], "ada", "once"]
    assert "admins" in said["groups"]
    waiting = ada.location(notes.ask(code_verifier=VERIFIER))
    running.execute("account", "portal", "rotate-keys")
    after = notes.redeem(waiting)
    assert notes.verify(after).header["kid"] != first.header["kid"]
    assert notes.verify(before).claims == said
    assert notes.session.get(notes.facts["userinfo_endpoint"]).json()["preferred_username"] == "ada"
    assert ada.location(notes.leave(after, notes.home)) == notes.home
    assert 'name="password"' in ada.get("/").decode()


def test_openid_connect_gives_nothing_to_attackers(
    visitor: Callable[..., Visitor], services: tuple[openid.Service, openid.Service]
) -> None:
    (notes, other), ada = services, visitor("127.0.1.11")
    asked = notes.ask(code_verifier=VERIFIER)
    assert "error=login_required" in visitor().location(f"{asked}&prompt=none")
    back = ada.sent_to(asked, "user=ada", f"password={MEMBERS['ada']}")
    assert "error=invalid_request" in ada.location(notes.ask())  # no PKCE
    assert "code=" not in ada.location(notes.ask(code_challenge=VERIFIER, code_challenge_method="plain"))
    for place in ("https://evil.example/", f"{notes.callback}/more", f"{notes.callback}.evil.example", other.callback):
        elsewhere = asked.replace(quote_plus(notes.callback), quote_plus(place))
        assert elsewhere != asked
        assert ada.location(elsewhere) == ""
    unsigned = ada.location(f"{asked}&request={make_unsigned(redirect_uri='https://evil.example/')}")
    assert "evil.example" not in unsigned
    assert "code=" not in unsigned
    for thief, verifier in ((other, VERIFIER), (notes, VERIFIER.upper())):
        with pytest.raises(OAuthError, match="invalid_grant"):
            thief.redeem(back, verifier)
    back = visitor_logged_in(visitor, "ada").location(asked)
    tokens = notes.redeem(back)
    with pytest.raises(OAuthError, match="invalid_grant"):  # a second time
        notes.redeem(back)
    assert "evil.example" not in ada.location(notes.leave(tokens, "https://evil.example/"))


def make_unsigned(**claims: str) -> str:
    """Return a token that nobody has signed."""
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


def visitor_logged_in(visitor: Callable[..., Visitor], uid: str) -> Visitor:
    """Return a visitor who has logged in."""
    member = visitor("127.0.1.11")
    assert "Logged in as" in member.log_in(uid, MEMBERS[uid])
    return member


def test_the_commands_of_its_page_run(running: Collective, tmp_path: Path) -> None:
    for command in [text for text in commands("catalogue/account/README.md") if not text.startswith("darkpeak")]:
        text = re.sub(r"\bDIR\b", str(tmp_path / "saved"), command.replace(" --no-cache", ""))
        text = text.replace("compose exec", "compose exec -T").replace("DOMAIN", "localhost")
        run(["sh", "-euc", text], cwd=running.folder("account"), env=running.environment, timeout=300)
        running.compose("account", "up", "-d", "--wait")


def test_the_service_passes_its_whole_life(running: Collective, say: Callable[[str], None]) -> None:
    say(running.darkpeak("test", "account", timeout=600).stdout.splitlines()[-1])
