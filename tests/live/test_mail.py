"""The mail service of the catalogue: mails wait in a queue; who forgot the password gets a link."""

from __future__ import annotations

import json
import re
import smtplib
import statistics
import time
from email import message_from_string, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import dkim
import pytest

from lab.commands import run, wait_for
from tests.live.facts import directory
from tests.live.facts.directory import logs_in
from tests.live.portal import BASE, Visitor, message, visitors
from tests.pages.commands import commands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.collectives import Collective

NETWORKS = "networks: [default, directory]"
ANSWER = "If a member has this name or mail address, a mail with a link is on its way."
USED = "This link was used already, or it has expired. Ask an admin for a new one."
NEW = "a new one, longer"


@pytest.fixture(scope="module")
def village(collective: Collective) -> Collective:
    """Return a collective whose login page sends mails, with a member who has a mail address, and one who has none."""
    for name in ("mail", "account"):
        collective.darkpeak("add", name)
    compose = collective.folder("account") / "docker-compose.yml"
    text = compose.read_text().replace('MAIL: ""', "MAIL: mail").replace(NETWORKS, NETWORKS.replace("]", ", mail]"))
    text = text.replace("\nvolumes:\n", "  mail: {name: darkpeak-mail, external: true}\n\nvolumes:\n")
    compose.write_text(text)
    collective.darkpeak("up", "router", "directory", "account", "mail", timeout=900)
    directory.write(collective)
    collective.darkpeak("member", "add", "bob", "--password-stdin", "--mail", "bob@example.org", stdin="bob's own\n")
    return collective


@pytest.fixture(scope="module")
def visitor(village: Collective, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Visitor]:
    """Return a function that makes a visitor of the login page."""
    return visitors(village, tmp_path_factory.mktemp("portal"))


def queue(village: Collective) -> list[dict[str, Any]]:
    """Return the mails in the queue."""
    mails: list[dict[str, Any]] = json.loads(village.darkpeak("mail", "list", "--json").stdout)
    return mails


def opened(village: Collective, wanted: str) -> EmailMessage:
    """Return a mail in the queue, as a mail program shows it."""
    text = village.darkpeak("mail", "show", wanted, "--json").stdout
    mail = message_from_string(json.loads(text)["mail"], policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def address(village: Collective) -> str:
    """Return the address of the mail service in its network."""
    [name] = village.compose("mail", "ps", "--quiet", "postfix").stdout.split()
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return run(["docker", "inspect", "--format", form, name], env=village.environment).stdout.strip()


def connect(village: Collective) -> smtplib.SMTP:
    """Connect to the mail service, from its own network."""
    return smtplib.SMTP(address(village), 25, timeout=30)


def test_a_mail_is_signed_and_waits_in_a_queue_that_admins_read(village: Collective) -> None:
    with connect(village) as server:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "wiki@localhost", "ada@example.org", "Günter was here"
        mail.set_content("A page that you watch has changed.\n", cte="8bit")
        server.send_message(mail)
    [waiting] = queue(village)
    assert (waiting["sender"], waiting["to"]) == ("wiki@localhost", "ada@example.org")
    wait_for("Postfix to try it", lambda: queue(village)[0]["why"])
    assert "deferred transport" in queue(village)[0]["why"]
    assert waiting["id"] in village.darkpeak("mail", "list").stdout
    shown = opened(village, waiting["id"])
    assert shown["Subject"] == "Günter was here"
    told = dict(line.split(" ", 1) for line in village.execute("mail", "postfix", "describe").stdout.splitlines())
    record = f"v=DKIM1; k=rsa; p={told['key']}".encode()
    raw = json.loads(village.darkpeak("mail", "show", waiting["id"], "--json").stdout)["mail"].encode()
    keys = {b"darkpeak._domainkey.localhost.": record}
    assert dkim.verify(raw, dnsfunc=lambda name, **_: keys[name])
    assert not dkim.verify(raw.replace(b"has changed", b"is changed"), dnsfunc=lambda name, **_: keys[name])
    nosuch = village.darkpeak("mail", "show", "nosuch", check=False)
    assert (nosuch.returncode, "no mail in the queue has the id nosuch" in nosuch.stderr) == (2, True)
    said = village.darkpeak("mail", "check").stdout
    assert "which no other server knows: mails stay in the queue" in " ".join(said.split())
    village.execute("mail", "postfix", "postsuper", "-d", "ALL")


def test_a_service_sends_only_in_the_collectives_name_and_not_without_end(village: Collective) -> None:
    with connect(village) as server:
        server.ehlo("wiki")
        for sender in ("ada@example.org", "ada@localhost.example.org"):
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                server.sendmail(sender, ["bob@example.org"], "Subject: x\n\nx\n")
        codes = []
        for _ in range(40):
            code, _said = server.mail("wiki@localhost")
            codes.append(code)
            server.rset()
        assert 250 in codes
        assert codes[-1] == 450
    assert "250 2.1.5 Ok" in talk(village, "darkpeak-mail")
    assert "250 2.1.5 Ok" not in talk(village, "bridge")
    assert queue(village) == []


def talk(village: Collective, network: str) -> str:
    """Return what the mail service says to a container in a network that wants to send a mail."""
    words = "EHLO x", "MAIL FROM:<wiki@localhost>", "RCPT TO:<bob@example.org>", "QUIT"
    say = "for word; do sleep 0.3; printf '%s\\r\\n' \"$word\"; done >&3"  # not all at once: Postfix refuses that
    program = f"exec 3<>/dev/tcp/{address(village)}/25; {say}; cat <&3"
    command = ["docker", "run", "--rm", f"--network={network}", "debian:trixie", "timeout", "10", "bash", "-c", program]
    return run([*command, "bash", *words], env=village.environment, check=False).stdout


def test_a_member_who_forgot_the_password_follows_the_link(
    village: Collective, visitor: Callable[..., Visitor]
) -> None:
    bob = visitor("127.0.1.1", "fr")
    assert 'href="/resetpwd"' in bob.get("/").decode()
    page = bob.submit("/resetpwd", "mail=bob@example.org")
    assert message(page).startswith("Si un membre a ce nom")
    wait_for("the mail", lambda: queue(village))
    [waiting] = queue(village)
    assert (waiting["sender"], waiting["to"]) == ("account@localhost", "bob@example.org")
    mail = opened(village, waiting["id"])
    assert mail["Subject"] == "Un lien pour un nouveau mot de passe"
    found = re.search(rf"^{BASE}(/\S+)$", mail.get_content(), re.MULTILINE)
    assert found, mail.get_content()
    page = visitor("127.0.1.2").submit(found[1], f"newpassword={NEW}", f"confirmpassword={NEW}")
    assert message(page) == "Your password is set. You can log in now."
    assert logs_in(village, "bob", NEW)
    assert message(visitor("127.0.1.2").get(found[1]).decode()) == USED
    # A second mail within a quarter of an hour would be a way to annoy somebody.
    visitor("127.0.1.1").submit("/resetpwd", "mail=bob")
    wait_for("the request to be handled", lambda: not outbox(village))
    assert len(queue(village)) == 1


def test_an_invitation_is_mailed_to_the_member(village: Collective, visitor: Callable[..., Visitor]) -> None:
    before = {item["id"] for item in queue(village)}
    told = village.darkpeak("member", "invite", "bob", "--mail", "--language", "de").stdout
    assert told == "bob: mailed to bob@example.org\n"
    wait_for("the mail", lambda: {item["id"] for item in queue(village)} - before)
    [new] = {item["id"] for item in queue(village)} - before
    mail = opened(village, new)
    assert mail["Subject"] == "Dein Zugang zu localhost"
    found = re.search(rf"^{BASE}(/\S+)$", mail.get_content(), re.MULTILINE)
    assert found, mail.get_content()
    assert 'autocomplete="new-password"' in visitor("127.0.1.4").get(found[1]).decode()
    village.execute("mail", "postfix", "postsuper", "-d", new)
    none = village.darkpeak("member", "invite", "ada", "--mail", check=False)
    assert (none.returncode, "the directory has no mail address of ada" in none.stderr) == (3, True)


def outbox(village: Collective) -> str:
    """Return the requests that the login page has not handled yet."""
    return village.execute("account", "portal", "find", "/run/account/outbox", "-name", "*.json").stdout


def test_strangers_learn_nothing_and_send_nothing(
    village: Collective, visitor: Callable[..., Visitor], say: Callable[[str], None]
) -> None:
    before = len(queue(village))
    spent: dict[str, list[float]] = {}
    for name in ("ada", "nosuch", "bob") * 5:  # ada has no mail address
        stranger = visitor("127.0.1.3")
        token = re.search(r'name="token" value="([^"]*)"', stranger.get("/resetpwd").decode())
        assert token
        began = time.monotonic()
        page = stranger.fill_in(token[0].join(('<input type="hidden" ', ">")), "/resetpwd", f"mail={name}")
        spent.setdefault(name, []).append(time.monotonic() - began)
        assert message(page) == ANSWER
    assert message(visitor("127.0.1.3").post("/resetpwd", "mail=bob")).startswith("The page was open for too long")
    for name in ("*", "bob)(uid=*", "bob@example.org, eve@example.org", "b\nBcc: eve@example.org"):
        assert message(visitor("127.0.1.3").submit("/resetpwd", f"mail={name}")) == ANSWER
    wait_for("the requests to be handled", lambda: not outbox(village))
    assert len(queue(village)) == before
    assert visitor("127.0.1.3").status("/remind", "-d", "member=bob", "-H", "INSIDE: yes") == 403
    say(f"seconds for an answer: { ({name: round(statistics.median(times), 3) for name, times in spent.items()}) }")


def test_what_is_restored_is_on_hold_until_an_admin_sends_it(village: Collective, tmp_path: Path) -> None:
    waiting = {item["to"] for item in queue(village)}
    assert waiting
    village.script("mail", "backup", str(tmp_path / "saved"))
    key = village.execute("mail", "postfix", "describe").stdout
    village.execute("mail", "postfix", "postsuper", "-d", "ALL")
    village.execute("mail", "postfix", "sh", "-c", "rm /var/lib/mail/current/secrets/dkim.pem")
    village.script("mail", "restore", str(tmp_path / "saved"))
    assert {(item["to"], item["state"]) for item in queue(village)} == {(to, "hold") for to in waiting}
    assert village.execute("mail", "postfix", "describe").stdout == key
    village.execute("mail", "postfix", "postsuper", "-H", "ALL")
    wait_for("Postfix to try them", lambda: all(item["state"] == "deferred" for item in queue(village)))


def test_the_login_at_a_mail_provider_is_kept(village: Collective) -> None:
    provider, compose = "[smtp.example.org]:587", village.folder("mail") / "docker-compose.yml"
    before = compose.read_text()
    village.execute("mail", "postfix", "set-login", "village@example.org", stdin="a secret: one\n")
    try:
        compose.write_text(before.replace('RELAY: ""', f'RELAY: "{provider}"'))
        village.darkpeak("up", "mail", timeout=300)
        asked = village.execute("mail", "postfix", "postmap", "-q", provider, "texthash:/run/mail/relay").stdout
        assert asked == "village@example.org:a secret: one\n"
        used = village.execute("mail", "postfix", "postconf", "-h", "relayhost", "smtp_tls_security_level").stdout
        assert used.splitlines() == [provider, "secure"]
    finally:
        compose.write_text(before)
        village.darkpeak("up", "mail", timeout=300)


def test_the_commands_of_its_page_run(village: Collective, tmp_path: Path) -> None:
    left_out = re.compile(r"darkpeak|.*( ID| <FILE|--no-cache.*)$")
    for command in [text for text in commands("catalogue/mail/README.md") if not left_out.match(text)]:
        text = re.sub(r"\bDIR\b", str(tmp_path / "saved"), command).replace("compose exec", "compose exec -T")
        run(["sh", "-euc", text], cwd=village.folder("mail"), env=village.environment, timeout=300)
        village.compose("mail", "up", "-d", "--wait")


def test_the_service_passes_its_whole_life(village: Collective, say: Callable[[str], None]) -> None:
    say(village.darkpeak("test", "mail", timeout=600).stdout.splitlines()[-1])
