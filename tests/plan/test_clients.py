"""Clients of the login page: what the plan does for them, and what makes it act."""

import json
from pathlib import Path

import pytest

from darkpeak import collective, lint
from darkpeak.collective import Collective
from darkpeak.collective.login import Login
from darkpeak.collective.model import NamedRoute, Place, Routes, Service
from darkpeak.plan.clients import Client, difference, read_clients, redirects
from darkpeak.plan.observed import Observed, Running
from darkpeak.plan.plan import make_plan
from darkpeak.plan.routes import make_table
from darkpeak.plan.text import make_text
from darkpeak.router.routes import Gate
from tests.making import DIRECTORY, edit, without_notes, write_collective, write_service

COMPOSE = "services/wiki/docker-compose.yml"
PAGE = DIRECTORY.replace("directory", "account").replace("20", "30")
BACK = ("https://wiki.localhost:7443/callback",)
WIKI = Client("wiki", "https://account.localhost:7443/", BACK, "a secret")


@pytest.fixture
def files(tmp_path: Path) -> Collective:
    write_collective(tmp_path)
    write_service(tmp_path, "account", PAGE, "slapd")
    edit(tmp_path, COMPOSE, "  kind: user", "  kind: user\n  login: oidc")
    edit(tmp_path, COMPOSE, '["data:', '["login:/login:ro", "data:')
    edit(tmp_path, COMPOSE, "  data: {}", "  data: {}\n  login: {}")
    return collective.read(tmp_path)[0]


def planned(files: Collective, *running: Running, unknown: str = "") -> list[str]:
    """Return the lines of the plan of the wiki."""
    observed = Observed(running, unknown_clients=((("wiki", unknown),) if unknown else ()))
    return list(make_text(make_plan(files, observed, frozenset(("wiki",)))))


def running(files: Collective, content: str = "") -> Running:
    """Return the wiki's container, which matches its files."""
    wiki = next(item for item in files.services if item.name == "wiki")
    name, same = "darkpeak-wiki-webserver-1", wiki.containers[0].content
    return Running("1", wiki.project, "webserver", 1, name, "running", "healthy", content or same)


def test_home_is_also_at_the_bare_domain_unless_a_route_names_that_already() -> None:
    login = Login(("/.account/enter",), gate=True, optional=True)
    home = Service(
        "home", Path(), Place("x", 1), routes=Routes(http=(NamedRoute("home", 6070, Place("x", 1)),)), login=login
    )
    found = redirects(Collective(Path(), "Dark Peak", "peak.test"), home)
    assert found == ("https://home.peak.test:7443/.account/enter", "https://peak.test:7443/.account/enter")


def test_a_service_becomes_a_client_before_it_starts(files: Collective) -> None:
    assert planned(files)[:5] == [
        "wiki",
        "  webserver: it does not exist yet",
        "  1. build webserver",
        "  2. make it a client of the login page",
        "  3. start its containers and wait until healthy",
    ]


def test_the_login_page_comes_first(files: Collective) -> None:
    wiki = next(item for item in files.services if item.name == "wiki")
    assert files.depends_on(wiki) == ("account", "directory")


def test_a_client_that_the_login_page_does_not_know_starts_again(files: Collective) -> None:
    assert planned(files, running(files)) == ["nothing to do: wiki"]
    assert planned(files, running(files), unknown="the login page does not know it") == [
        "wiki",
        "  webserver: the login page does not know it",
        "  1. make it a client of the login page",
        "  2. recreate its containers and wait until healthy",
    ]


def test_members_come_back_to_each_path_of_each_host(tmp_path: Path, files: Collective) -> None:
    wiki = next(item for item in files.services if item.name == "wiki")
    assert redirects(files, wiki) == BACK
    edit(tmp_path, COMPOSE, "login: oidc", "login: {oidc: [/in, /out]}")
    edit(tmp_path, COMPOSE, "http: 6010", "http: {wiki: 6010, www.shop.example: 6010}")
    changed = collective.read(tmp_path)[0]
    hosts = ("https://wiki.localhost:7443", "https://www.shop.example:7443")
    wiki = next(item for item in changed.services if item.name == "wiki")
    assert redirects(changed, wiki) == tuple(f"{host}{path}" for host in hosts for path in ("/in", "/out"))


@pytest.mark.parametrize(
    ("client", "redirects", "files", "expected"),
    [
        (WIKI, BACK, WIKI.files, ""),
        (WIKI, BACK, {**WIKI.files, "more": b""}, ""),
        (None, BACK, WIKI.files, "the login page does not know it"),
        (WIKI, BACK, {**WIKI.files, "client_secret": b"older"}, "the login page has told it something else"),
        (WIKI, BACK, {}, "the login page has told it something else"),
        (WIKI, (*BACK, "https://other.localhost/"), WIKI.files, "its addresses or groups have changed"),
    ],
    ids=["same", "more files", "unknown", "older secret", "empty volume", "new address"],
)
def test_what_differs(
    client: Client | None, redirects: tuple[str, ...], files: dict[str, bytes], expected: str
) -> None:
    assert difference(client, redirects, (), files) == expected


def test_groups_differ_and_what_needs_no_volume_has_no_files() -> None:
    assert difference(WIKI, BACK, (), None) == ""
    assert difference(WIKI, BACK, ("cooks",), None) == "its addresses or groups have changed"


@pytest.mark.parametrize(("login", "groups"), [("members", ()), ("[cooks, admins-wiki]", ("cooks", "admins-wiki"))])
def test_the_router_lets_members_in(tmp_path: Path, files: Collective, login: str, groups: tuple[str, ...]) -> None:
    assert make_table(files, Observed((running(files),))).gate == Gate()
    edit(tmp_path, COMPOSE, "login: oidc", f"login: {login}")
    edit(tmp_path, COMPOSE, '"login:/login:ro", ', "")
    edit(tmp_path, COMPOSE, "\n  login: {}", "")
    changed = collective.read(tmp_path)[0]
    wiki = next(item for item in changed.services if item.name == "wiki")
    assert wiki.login
    assert (wiki.login.gate, wiki.login.groups) == (True, groups)
    assert redirects(changed, wiki) == ("https://wiki.localhost:7443/.account/enter",)
    keys = ("now", "next")
    assert make_table(changed, Observed((running(changed),)), keys).gate == Gate(("wiki",), keys)
    assert without_notes(lint.check(changed)) == []


def test_what_the_login_page_prints_is_read_and_its_secret_is_not_shown() -> None:
    told = {"client_id": "wiki", "issuer": WIKI.issuer, "redirect_uris": list(BACK), "client_secret": "a secret"}
    assert read_clients(json.dumps([told]).encode()) == read_clients(json.dumps(told).encode()) == [WIKI]
    assert "a secret" not in repr(WIKI)


@pytest.mark.parametrize("printed", [b"", b"wiki\n", b"[1]", b'{"client_id": "wiki"}', b"null"])
def test_what_is_no_client_is_an_error(printed: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (each way in which it is none)
        read_clients(printed)
