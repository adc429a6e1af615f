"""The wiki, used as members use it: by its name, through the router, over http and https."""

from __future__ import annotations

import unicodedata
from base64 import b64encode
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.browser import Browser
from tests.live.facts import directory, router, wiki

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.collectives import Collective

ONE = unicodedata.normalize("NFC", "Zoë's café, 비밀번호")
TWO = unicodedata.normalize("NFD", ONE)
ADA = directory.MEMBERS["ada"]
# Sends its standard input to port 80 of an address, and prints the answer.
NEIGHBOUR = 'exec 3<>"/dev/tcp/$0/80"; cat >&3; timeout 20 cat <&3'


@pytest.fixture(scope="module")
def running(collective: Collective) -> Collective:
    """Return the collective with its wiki running, once for all of these tests."""
    collective.darkpeak("up", "router", "directory", "wiki", timeout=900)
    return collective


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path for the collective's CA certificate, for curl."""
    return tmp_path_factory.mktemp("trust") / "ca.crt"


@pytest.fixture(params=["http", "https"])
def visitor(request: pytest.FixtureRequest, running: Collective, trusted: Path) -> Browser:
    """Return a visitor who uses the wiki's name; ada and grace are members, and ada is an admin."""
    directory.write(running)
    if request.param == "http":
        return Browser("http://wiki.localhost:7080")
    trusted.write_text(router.authority(running))
    return Browser("https://wiki.localhost:7443", ("--cacert", str(trusted)))


def test_everyone_can_read_and_members_can_write(visitor: Browser) -> None:
    assert "Welcome" in visitor.page("start")
    assert b"do[save]" not in visitor.get("/start?do=edit")
    assert not visitor.logs_in("ada", "not hers")
    assert not visitor.logs_in("nobody", ADA)
    assert visitor.logs_in("ada", ADA)
    visitor.save("garden:by-name", f"over {visitor.base}")
    visitor.upload("garden:by-name.png", wiki.UPLOADED)
    assert visitor.media("garden:by-name.png") == wiki.UPLOADED


def test_its_links_have_the_address_that_the_visitor_used(visitor: Browser) -> None:
    assert f'rel="canonical" href="{visitor.base}/"' in visitor.get("/").decode()


def test_a_page_records_the_visitors_address(visitor: Browser, running: Collective) -> None:
    assert visitor.logs_in("ada", ADA)
    visitor.save("garden:address", f"from {visitor.base}")
    changes = running.execute(
        "wiki", "webserver", "tail", "-n1", "/var/lib/wiki/current/data/meta/garden/address.changes"
    )
    assert changes.stdout.split("\t")[1] == "127.0.0.1"


def test_a_login_cookie_of_https_is_not_sent_over_http(visitor: Browser) -> None:
    assert visitor.logs_in("ada", ADA)
    jar = [line.split("\t") for line in Path(visitor.jar).read_text().splitlines() if line.startswith("#HttpOnly_")]
    assert jar
    assert {cookie[3] for cookie in jar} == {"TRUE" if visitor.base.startswith("https") else "FALSE"}


def test_programs_use_json_rpc_as_members(visitor: Browser) -> None:
    assert visitor.call("core.savePage", page="garden:rpc", text="x").get("error", {}).get("code")
    assert visitor.call("core.savePage", "--user", f"ada:{ADA}", page="garden:rpc", text=visitor.base)["result"]
    assert visitor.page("garden:rpc") == visitor.base


SPELLINGS = {
    "GRACE": True,
    "Grace": True,
    " grace": True,
    "grace ": True,
    "grace\xa0": False,
    "\uff47\uff52\uff41\uff43\uff45": False,
    "gr\u1d00ce": False,
    "grac\u0435": False,
    "grace\u200b": False,
    "gr\u0301ace": False,
    "gr ace": False,
    "grace\xdf": False,
    "*": False,
}


@pytest.fixture
def patient(running: Collective) -> Iterator[Collective]:
    """Yield the collective; no login has failed before, nor after."""
    forget = ("wiki", "webserver", "rm", "-rf", "/run/wiki/failed")
    directory.write(running)
    running.execute(*forget)
    yield running
    running.execute(*forget)


def login_of(uid: str, password: str) -> str:
    """Return the name by which the wiki knows who logs in with HTTP basic, empty if it does not let them in."""
    result = Browser("http://wiki.localhost:7080").call("core.whoAmI", "--user", f"{uid}:{password}").get("result")
    return str(result["login"]) if result else ""


def test_a_member_has_one_name_however_it_was_typed(patient: Collective) -> None:
    password, acl = directory.MEMBERS["grace"], "/var/lib/wiki/current/conf/acl.auth.php"
    patient.execute("wiki", "webserver", "sh", "-c", f"cp {acl} /tmp/acl && echo 'start grace 1' >>{acl}")
    try:
        for spelling, accepted in SPELLINGS.items():
            assert login_of(spelling, password) == ("grace" if accepted else ""), spelling
            visitor = Browser("http://wiki.localhost:7080")
            assert visitor.logs_in(spelling, password) == accepted, spelling
            assert visitor.call("core.savePage", page="start", text=f"by {spelling}")["error"]["code"], spelling
            called = Browser("http://wiki.localhost:7080").call("core.login", **{"user": spelling, "pass": password})
            assert not called.get("result"), spelling
            patient.execute("wiki", "webserver", "rm", "-rf", "/run/wiki/failed")
        assert "by " not in Browser("http://wiki.localhost:7080").page("start")
    finally:
        patient.execute("wiki", "webserver", "sh", "-c", f"cat /tmp/acl >{acl}")


@pytest.mark.usefixtures("patient")
def test_no_cookie_changes_who_a_member_is() -> None:
    visitor = Browser("http://wiki.localhost:7080")
    assert visitor.logs_in("grace", directory.MEMBERS["grace"])
    jar = Path(visitor.jar)
    old, new = (b64encode(name).decode().rstrip("=") for name in (b"grace", b"GRACE"))
    assert old in jar.read_text()
    jar.write_text(jar.read_text().replace(old, new))
    assert b"Logged in as" not in visitor.get("/start")


@pytest.mark.parametrize("password", ["a:b:c:d:", ":pct%41%00%zz qu'ote\"", " ünï©ødé ✿ back\\slash$x "])
def test_programs_log_in_with_any_password(patient: Collective, password: str) -> None:
    patient.darkpeak("member", "passwd", "grace", "--password-stdin", stdin=f"{password}\n")
    try:
        assert login_of("grace", password) == "grace"
        assert not login_of("grace", password[:-1])
        assert Browser("http://wiki.localhost:7080").logs_in("grace", password)
    finally:
        patient.darkpeak("member", "passwd", "grace", "--password-stdin", stdin=directory.MEMBERS["grace"])


@pytest.mark.parametrize(("stored", "typed"), [(ONE, TWO), (TWO, ONE), (TWO, TWO)], ids=["two", "one", "both"])
def test_a_password_is_the_same_from_every_keyboard(patient: Collective, stored: str, typed: str) -> None:
    """The chat does the same (SASLprep)."""
    patient.darkpeak("member", "passwd", "grace", "--password-stdin", stdin=f"{stored}\n")
    try:
        assert login_of("grace", typed) == "grace"
        visitor = Browser("http://wiki.localhost:7080")
        assert visitor.logs_in("grace", typed)
        assert b"Logged in as" in visitor.get("/start")
        assert not login_of("grace", ONE.replace("é", "e"))
    finally:
        patient.darkpeak("member", "passwd", "grace", "--password-stdin", stdin=directory.MEMBERS["grace"])


def test_a_password_from_windows_has_no_line_ending(patient: Collective) -> None:
    patient.darkpeak("member", "add", "frank", "--password-stdin", stdin="windows12\r\n")
    try:
        assert Browser("http://wiki.localhost:7080").logs_in("frank", "windows12")
        refused = patient.darkpeak("member", "passwd", "frank", "--password-stdin", stdin="with a\ttab\n", check=False)
        assert refused.returncode == 2
        assert "is a control character" in refused.stderr
    finally:
        patient.darkpeak("member", "remove", "frank")


def test_an_address_with_many_failed_logins_waits(patient: Collective) -> None:
    ada = Browser("http://wiki.localhost:7080")
    assert ada.logs_in("ada", ADA)
    for _ in range(10):
        assert not login_of("grace", "not hers")
    grace = directory.MEMBERS["grace"]
    guesser = Browser("http://wiki.localhost:7080")
    assert not login_of("grace", grace)
    page = guesser.post("/start", f"sectok={guesser.token('/start?do=login')}", "do=login", "u=grace", f"p={grace}")
    assert "Too many failed logins from your address" in page
    # Who is logged in stays so, even when the wiki asks the directory again; and who comes from elsewhere can log in.
    patient.execute("wiki", "webserver", "sh", "-c", "rm /run/wiki/sess_*")
    assert b"Logged in as" in ada.get("/start")
    patient.execute("wiki", "webserver", "sh", "-c", "cd /run/wiki/failed && mv * cb007109")
    assert login_of("grace", grace) == "grace"


@pytest.mark.parametrize("how", ["remove", "passwd"])
def test_sessions_end_with_the_member(patient: Collective, how: str) -> None:
    directory.add_member(patient, "dave", "only for a while")
    dave, ada = Browser("http://wiki.localhost:7080"), Browser("http://wiki.localhost:7080")
    assert dave.logs_in("dave", "only for a while")
    assert ada.logs_in("ada", ADA)
    dave.save("garden:dave", f"before {how}")
    name = md5(b"dave").hexdigest()  # noqa: S324  DokuWiki names the file of a token so
    token = f"/var/lib/wiki/current/data/cache/{name[0]}/{name}.token"
    patient.execute("wiki", "webserver", "sh", "-c", f"mkdir -p {token.rpartition('/')[0]} && touch {token}")
    arguments = [] if how == "remove" else ["--password-stdin"]
    done = patient.darkpeak("member", how, "dave", *arguments, stdin="another of his\n")
    assert "wiki: sessions ended: 1" in done.stdout.splitlines()
    assert b"Logged in as" not in dave.get("/start")
    assert dave.call("core.savePage", page="garden:dave", text="after")["error"]["code"]
    patient.execute("wiki", "webserver", "test", "!", "-e", token)
    assert dave.page("garden:dave") == f"before {how}"
    assert b"Logged in as" in ada.get("/start")
    if how == "passwd":
        assert dave.logs_in("dave", "another of his")
        patient.darkpeak("member", "remove", "dave")


def test_admins_are_a_group_of_the_directory(running: Collective) -> None:
    directory.write(running)
    ada, grace = Browser("http://wiki.localhost:7080"), Browser("http://wiki.localhost:7080")
    assert ada.logs_in("ada", ADA)
    assert grace.logs_in("grace", directory.MEMBERS["grace"])
    assert b"Access Control List Management" in ada.get("/start?do=admin")
    assert b"Access Control List Management" not in grace.get("/start?do=admin")


@pytest.mark.parametrize("header", ["X-Forwarded-Proto: https", "X-Forwarded-For: 203.0.113.9"])
def test_headers_from_other_containers_than_the_router_are_ignored(running: Collective, header: str) -> None:
    inside = running.execute("wiki", "webserver", "hostname", "-i").stdout.split()[0]

    def ask(line: str, *headers: str, body: str = "") -> str:
        login = b64encode(f"ada:{ADA}".encode()).decode()
        told = ("X-Forwarded-For: 203.0.113.8", header, f"Authorization: Basic {login}", f"Content-Length: {len(body)}")
        request = "\r\n".join((f"{line} HTTP/1.0", f"Host: {inside}", *told, *headers, "", body))
        return running.execute("wiki", "webserver", "bash", "-c", NEIGHBOUR, inside, stdin=request).stdout

    written = f'{{"page": "garden:neighbour", "text": "{header}"}}'
    ask("POST /lib/exe/jsonrpc.php/core.savePage", "Content-Type: application/json", body=written)
    changes = "/var/lib/wiki/current/data/meta/garden/neighbour.changes"
    address = running.execute("wiki", "webserver", "tail", "-n1", changes).stdout.split("\t")[1]
    assert address == inside
    page, _, _ = ask("GET /start").partition("<body")
    assert "<head" in page
    assert "https://" not in page


@pytest.mark.parametrize(
    "path",
    ["/install.php", "/inc/init.php", "/VERSION", "/bin/indexer.php", "/data/pages/start.txt", "/conf/local.php"],
)
@pytest.mark.usefixtures("running")
def test_only_pages_are_served_and_no_files(path: str) -> None:
    assert Browser("http://wiki.localhost:7080").status(path) == 404


def test_it_can_be_read_while_the_directory_is_down(running: Collective) -> None:
    wiki.write(running)
    running.compose("directory", "stop")
    try:
        visitor = Browser("http://wiki.localhost:7080")
        page = visitor.get(f"/{wiki.PAGE}").decode()
        assert "peas" in page
        assert "LDAP" not in page
        assert visitor.status("/start?do=login") == 200
    finally:
        running.compose("directory", "up", "-d", "--wait")


def test_no_password_is_sent_to_a_directory_with_a_wrong_certificate(running: Collective) -> None:
    directory.write(running)
    search = (
        "$c = ldap_connect('ldaps://HOST'); ldap_set_option($c, LDAP_OPT_PROTOCOL_VERSION, 3);"
        "echo @ldap_bind($c) ? 'bound' : ldap_error($c);"
    )
    answers = {
        host: running.execute("wiki", "webserver", "php", "-r", search.replace("HOST", host)).stdout
        for host in ("directory", "slapd")
    }
    assert answers == {"directory": "bound", "slapd": "Can't contact LDAP server"}


def test_nothing_runs_as_root(running: Collective) -> None:
    users = running.execute("wiki", "webserver", "sh", "-c", "cat /proc/[0-9]*/status").stdout
    names = [line.split()[1] for line in users.splitlines() if line.startswith("Name:")]
    owners = [line.split()[1] for line in users.splitlines() if line.startswith("Uid:")]
    found = dict(zip(names, owners, strict=True))
    assert (found["lighttpd"], found["php-cgi"]) == ("33", "33")


def test_its_content_is_verified(running: Collective) -> None:
    wiki.write(running)
    assert "pages" in running.script("wiki", "verify").stdout
    broken = "/var/lib/wiki/current/data/attic/broken.1.txt.gz"
    running.execute("wiki", "webserver", "sh", "-c", f"echo broken >{broken}")
    try:
        assert running.script("wiki", "verify", check=False).returncode
    finally:
        running.execute("wiki", "webserver", "rm", broken)
