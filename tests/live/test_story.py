"""A member's whole story in a real browser: from the invitation to leaving, with one password for everything."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
import zipfile
from email import message_from_string, policy
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import BrowserContext, Page, sync_playwright

from lab.collectives import TOP
from lab.commands import run, wait_for
from tests.live import notes, pantry
from tests.live.facts import git
from tests.live.portal import code_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.collectives import Collective

DOMAIN = "peak.test"  # programs with libcurl would look for names below localhost in their own container
ACCOUNT = f"https://account.{DOMAIN}:7443"
SHOTS = TOP / "artifacts"  # pictures of the pages
FIRST, SECOND = "her very first one", "the one after that"
ASKS_GIT = """\
    networks: [default, directory]
    volumes:
      - directory:/directory:ro
      - trust:/trust:ro
"""


@pytest.fixture(scope="module")
def village(collective: Collective) -> Collective:
    """Return a collective whose login page sends mails, with two services behind it; git asks it for keys."""
    settings = collective.top / "collective.toml"
    settings.write_text(settings.read_text().replace('domain = "localhost"', f'domain = "{DOMAIN}"'))
    for name in ("mail", "account"):
        collective.darkpeak("add", name)
    edit(
        collective,
        "account",
        {
            'MAIL: ""': "MAIL: mail",
            "networks: [default, directory]": "networks: [default, directory, mail]",
            "\nvolumes:\n": "  mail: {name: darkpeak-mail, external: true}\n\nvolumes:\n",
        },
    )
    edit(
        collective,
        "git",
        {
            "    volumes:\n": ASKS_GIT,
            "\nvolumes:\n": "\nvolumes:\n  directory: {name: darkpeak-directory-keys, external: true}\n"
            "  trust: {name: darkpeak-trust, external: true}\n",
            "networks:\n": "networks:\n  directory: {name: darkpeak-directory, external: true}\n",
        },
    )
    notes.add(collective)
    pantry.add(collective)
    edit(collective, pantry.NAME, {"login: [cooks, admins]": "login: members"})
    collective.darkpeak("up", notes.NAME, pantry.NAME, "account", "mail", "git", timeout=1500)
    return collective


def edit(collective: Collective, service: str, changes: dict[str, str]) -> None:
    """Change a compose file: each text is there, and its first place is replaced."""
    file = collective.folder(service) / "docker-compose.yml"
    text = file.read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new, 1)
    file.write_text(text)


@pytest.fixture(scope="module")
def browser(village: Collective) -> Iterator[BrowserContext]:  # noqa: ARG001 # its router must run
    """Yield a browser that trusts the router's certificate, and finds the collective's names on this machine."""
    served = x509.load_pem_x509_certificate(ssl.get_server_certificate(("127.0.0.1", 7443)).encode())
    key = served.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    trust = base64.b64encode(hashlib.sha256(key).digest()).decode()
    options = (
        "--no-sandbox",
        f"--ignore-certificate-errors-spki-list={trust}",
        f"--host-resolver-rules=MAP *.{DOMAIN} 127.0.0.1",
    )
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        yield started.new_context(locale="en-GB", viewport={"width": 800, "height": 900})
        started.close()


def newest_link(village: Collective, to: str) -> str:
    """Return the link in the mail to an address, which is then removed from the queue."""

    def waiting() -> list[dict[str, Any]]:
        mails = json.loads(village.darkpeak("mail", "list", "--json").stdout)
        return [mail for mail in mails if to in mail["to"]]

    wait_for(f"a mail to {to}", waiting)
    shown = json.loads(village.darkpeak("mail", "show", waiting()[-1]["id"], "--json").stdout)["mail"]
    village.execute("mail", "postfix", "postsuper", "-d", "ALL")
    body: Any = message_from_string(shown, policy=policy.default)
    return str(re.findall(r"https://\S+", body.get_content())[0])


def clean(page: Page) -> None:
    """Check that axe finds nothing on a page."""
    found = Axe().run(page).response["violations"]
    assert [(item["id"], [node["html"] for node in item["nodes"]]) for item in found] == []


def said(page: Page) -> str:
    """Return the message of a page."""
    return page.inner_text(".message")


def test_a_member_from_the_invitation_to_leaving(village: Collective, browser: BrowserContext, tmp_path: Path) -> None:
    page = browser.new_page()
    comes_by_mail(village, page)
    secret = adds_codes(page)
    logs_in_with_a_code(page, secret)
    uses_services_without_a_second_login(page)
    adds_a_key_and_pushes(village, page)
    forgets_the_password(village, page, secret)
    adds_a_security_key_and_logs_in_with_it(browser, page)
    takes_her_data(village, page, tmp_path)
    leaves(village, page)


def comes_by_mail(village: Collective, page: Page) -> None:
    """An admin invites her; she sets her password with the link in the mail."""
    village.darkpeak("member", "add", "zoe", "--name", "Zoe Zimmer", "--mail", "zoe@example.org", "--invite")
    village.darkpeak("member", "invite", "zoe", "--mail")
    page.goto(newest_link(village, "zoe@example.org"))
    set_password(page, FIRST)


def set_password(page: Page, password: str) -> None:
    """Fill in the form for a new password."""
    clean(page)
    page.get_by_label("New password", exact=True).fill(password)
    page.get_by_label("New password again").fill(password)
    page.get_by_role("button", name="Save").click()
    assert said(page) == "Your password is set. You can log in now."


def log_in(page: Page, password: str) -> None:
    """Log in, up to the second factor."""
    page.goto(f"{ACCOUNT}/?logout=1")
    page.goto(ACCOUNT)
    page.get_by_label("Name or mail address").fill("zoe")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()


def adds_codes(page: Page) -> str:
    """She adds a program with codes as the second factor; return its secret."""
    log_in(page, FIRST)
    page.goto(f"{ACCOUNT}/2fregisters/totp")
    page.wait_for_function("document.querySelector('#secret').innerText")
    secret = page.inner_text("#secret").replace(" ", "")
    page.fill("#code", code_of(secret))
    page.click("#verify")
    page.wait_for_url("**/2fregisters?continue=1")
    return secret


def logs_in_with_a_code(page: Page, secret: str, password: str = FIRST) -> None:
    """She logs in anew, with a code."""
    log_in(page, password)
    clean(page)
    page.get_by_label("The six digits").fill(code_of(secret))
    page.get_by_role("button", name="Log in").click()
    assert "Logged in as zoe" in page.inner_text("main")
    clean(page)


def uses_services_without_a_second_login(page: Page) -> None:
    """She opens a service with OpenID Connect, and one where the router lets her in."""
    answer = page.goto(f"https://notes.{DOMAIN}:7443/index.html")
    assert answer
    assert answer.headers["x-member"] == "zoe"
    page.goto(f"https://pantry.{DOMAIN}:7443{pantry.PAGE}")
    assert page.inner_text("body").startswith("zoe of")


def adds_a_key_and_pushes(village: Collective, page: Page) -> None:
    """She adds an ssh key on her own page, pushes with it, and removes it."""
    keys = git.members(village)[0].keys  # git has an admin
    zoe = git.Member("zoe", keys)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "zoe's laptop", "-f", str(keys / "zoe")])
    listed = ("ls-remote", f"{git.SERVER}/testing")
    stranger = zoe.git(*listed, check=False)
    assert "Permission denied" in stranger.stderr, stranger.stderr
    page.goto(ACCOUNT)
    page.get_by_role("link", name="ssh keys").click()
    page.get_by_label("A public key").fill((keys / "zoe.pub").read_text())
    page.get_by_role("button", name="Add the key").click()
    assert said(page) == "The key is added."
    clean(page)
    page.screenshot(path=SHOTS / "own-page.png", full_page=True)
    work = keys / "work of zoe"
    zoe.git("clone", "-q", f"{git.SERVER}/testing", str(work))
    (work / "zoe.md").write_text("I was here.\n")
    zoe.git("add", "zoe.md", cwd=work)
    zoe.git("commit", "-qm", "Say hello", cwd=work)
    zoe.git("push", "-q", "origin", "HEAD:main", cwd=work)
    village.darkpeak("member", "lock", "zoe")
    assert "Permission denied" in zoe.git(*listed, check=False).stderr
    village.darkpeak("member", "unlock", "zoe")
    assert zoe.git(*listed).stdout


def forgets_the_password(village: Collective, page: Page, secret: str) -> None:
    """She sets a new one with the link that she asks for; with it, she still needs the second factor."""
    page.goto(f"{ACCOUNT}/?logout=1")
    page.goto(ACCOUNT)
    page.get_by_role("link", name="Forgotten your password?").click()
    clean(page)
    page.get_by_label("Name or mail address").fill("zoe@example.org")
    page.get_by_role("button", name="Send me a link").click()
    page.goto(newest_link(village, "zoe@example.org"))
    set_password(page, SECOND)
    logs_in_with_a_code(page, secret, SECOND)


def adds_a_security_key_and_logs_in_with_it(browser: BrowserContext, page: Page) -> None:
    """She adds a security key (WebAuthn), which chromium plays."""
    devtools = browser.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": False, "isUserVerified": False}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {**device, "automaticPresenceSimulation": True}})
    page.goto(f"{ACCOUNT}/2fregisters/webauthn")
    page.wait_for_url("**/2fregisters?continue=1")
    log_in(page, SECOND)
    page.locator("button[value=webauthn]").click()
    page.get_by_text("Logged in as zoe").wait_for()


def takes_her_data(village: Collective, page: Page, folder: Path) -> None:
    """She asks for a copy of all her data; an admin makes it, and she fetches it."""
    page.goto(f"{ACCOUNT}/me")
    page.get_by_role("button", name="Ask for a copy").click()
    assert said(page) == "The admins see what you asked for."
    (wish,) = json.loads(village.darkpeak("member", "wishes", "--json").stdout)
    _, *command = wish["do"].replace("./zoe", str(folder / "zoe")).split()
    village.darkpeak(*command, timeout=300)
    page.reload()
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Fetch the copy").click()
    with zipfile.ZipFile(fetched.value.path()) as copy:
        services = {name.split("/")[1] for name in copy.namelist()}
    assert {"index.html", "directory", "git"} <= services


def leaves(village: Collective, page: Page) -> None:
    """She asks to be forgotten; an admin confirms it."""
    page.goto(f"{ACCOUNT}/me")
    page.get_by_label("To confirm it, type your login name").fill("zoe")
    page.get_by_role("button", name="Ask to be forgotten").click()
    (wish,) = json.loads(village.darkpeak("member", "wishes", "--json").stdout)
    assert wish["do"] == "darkpeak member forget zoe"
    village.darkpeak("member", "forget", "zoe", "--yes", timeout=600)
    log_in(page, SECOND)
    assert said(page) == "The name or the password is wrong."
    assert json.loads(village.darkpeak("member", "wishes", "--json").stdout) == []
