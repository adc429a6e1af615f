"""`[certificates]`: how valid settings are read, and which names get a certificate."""

from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.collective.settings import Certificates
from darkpeak.plan.certificates import find_certificate, list_certificates
from darkpeak.plan.observed import Observed, Running
from darkpeak.plan.routes import make_table
from darkpeak.router.acme import Acme, Certified, HeldCertificates
from tests.making import edit, write_collective

URL = "https://ca.example/directory"
ACME = f'[certificates]\nacme = "{URL}"\n'
WIKI = "services/wiki/docker-compose.yml"
HOOKS = "services/router/certificates/hooks"
ROUTES = "http: {wiki: 6010, docs: 6010, www.shop.example: 6010, vault: 6010}\n    tls: {vault: 6010}"
UP = Observed((Running("a", "darkpeak-wiki", "webserver", 1, "w-1", "running", "healthy"),))
DAY = 86400.0


def a_collective(root: Path, more: str = "", routes: str = ROUTES) -> collective.Collective:
    """Write a collective whose names get certificates, and read it."""
    write_collective(root)
    edit(root, "collective.toml", '"localhost"\n', f'"peak.coop"\n\n{ACME}{more}')
    edit(root, WIKI, "http: 6010", routes)
    found, findings = collective.read(root)
    assert findings == []
    return found


def with_hook(root: Path) -> collective.Collective:
    """Write such a collective with a DNS hook, and read it."""
    hook = root / HOOKS / "nsupdate"
    hook.parent.mkdir(parents=True)
    hook.touch(mode=0o755)
    (root / "services/router/docker-compose.yml").write_text(
        "x-darkpeak: {about: The way in, admins: [ada, grace], kind: infrastructure, level: idea}\n"
    )
    return a_collective(root, 'dns = "nsupdate"\n')


def test_a_ca_with_its_own_root_certificate_is_read(tmp_path: Path) -> None:
    root = "-----BEGIN CERTIFICATE-----\n"
    (tmp_path / "root.pem").write_text(root)
    files = a_collective(tmp_path, 'contact = "admins@peak.coop"\ntrust = "root.pem"\n')
    assert files.certificates == Certificates(URL, "admins@peak.coop", trust=root)


def test_an_own_ca_may_certify_a_domain_that_nobody_owns(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    a_collective(tmp_path, 'trust = "root.pem"\n')
    edit(tmp_path, "collective.toml", "peak.coop", "peak.test")
    assert collective.read(tmp_path)[1] == []


def test_certificates_are_for_the_names_of_http_routes(tmp_path: Path) -> None:
    certificates = (("docs.peak.coop",), ("wiki.peak.coop",), ("www.shop.example",))
    assert make_table(a_collective(tmp_path), UP).acme == Acme(URL, certificates=certificates)


def test_with_a_hook_one_certificate_has_all_names_of_the_domain(tmp_path: Path) -> None:
    certificates = (("peak.coop", "*.peak.coop"), ("www.shop.example",))
    assert make_table(with_hook(tmp_path), UP).acme == Acme(URL, hook="nsupdate", certificates=certificates)


def test_a_service_that_is_not_on_the_daemon_needs_no_certificate(tmp_path: Path) -> None:
    assert make_table(a_collective(tmp_path), Observed()).acme == Acme(URL)


def test_without_a_ca_no_certificate_is_requested(tmp_path: Path) -> None:
    assert make_table(collective.read(write_collective(tmp_path))[0], UP).acme is None


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("wiki.peak.coop", "peak.coop"),
        ("peak.coop", "peak.coop"),
        ("www.shop.example", "www.shop.example"),
        ("a.b.peak.coop", None),
        ("elsewhere.example", None),
    ],
)
def test_a_certificate_is_found_by_each_of_its_names(tmp_path: Path, name: str, found: str | None) -> None:
    assert find_certificate(with_hook(tmp_path), UP, name) == found


def test_every_certificate_is_listed_with_its_failure(tmp_path: Path) -> None:
    certified = (
        Certified(("docs.peak.coop",), "A CA", until=90 * DAY, renew=60 * DAY),
        Certified(("wiki.peak.coop",), "A CA", 90 * DAY, 60 * DAY, "no such host", tried=61 * DAY, again=62 * DAY),
        Certified(("old.peak.coop",), "A CA", until=80 * DAY, renew=50 * DAY),
    )
    held = HeldCertificates("peak.coop collective CA", 397 * DAY, certified)
    rows = list_certificates(a_collective(tmp_path), UP, held, now=61 * DAY)
    failed = "FAILED 1970-03-03 00:00: no such host; next try 1970-03-04 00:00"
    assert [(row.names[0], row.until[:10], row.renewal[:15], row.failed, row.sound) for row in rows] == [
        ("docs.peak.coop", "1970-04-01", "1970-03-02 00:0", "", True),
        ("wiki.peak.coop", "1970-04-01", "1970-03-02 00:0", failed, False),
        ("www.shop.example", "", "being requested", "", False),
        ("old.peak.coop", "1970-03-22", "none: no route ", "", True),
        ("*.peak.coop", "1971-02-02", "from 1970-09-23", "", True),
    ]


def test_an_expired_certificate_is_not_sound(tmp_path: Path) -> None:
    held = HeldCertificates("CA", 397 * DAY, (Certified(("wiki.peak.coop",), "A CA", until=90 * DAY, renew=60 * DAY),))
    rows = list_certificates(a_collective(tmp_path, routes="http: 6010"), UP, held, now=91 * DAY)
    assert [row.sound for row in rows] == [False, True]


@pytest.mark.parametrize(
    ("failed", "until", "urgent"),
    [("no such host", 90, False), ("no such host", 70, True), ("no such host", 0, True), ("", 70, False)],
    ids=["may succeed later", "ends soon", "never had one", "not failed"],
)
def test_a_failure_shortly_before_the_end_is_urgent(tmp_path: Path, failed: str, until: int, urgent: bool) -> None:  # noqa: FBT001
    held = HeldCertificates("CA", 397 * DAY, (Certified(("wiki.peak.coop",), "A CA", until * DAY, 60 * DAY, failed),))
    rows = list_certificates(a_collective(tmp_path, routes="http: 6010"), UP, held, now=61 * DAY)
    assert [row.urgent for row in rows] == [urgent, False]


def test_the_routers_own_certificate_is_an_alarm_in_its_last_two_weeks(tmp_path: Path) -> None:
    """It is renewed when the router starts or changes; one that runs for a year without that would lose it."""
    collective, held = a_collective(tmp_path), HeldCertificates("CA", 397 * DAY, ())
    own = [list_certificates(collective, UP, held, now=day * DAY)[-1] for day in (382, 384)]
    assert [(row.urgent, row.sound) for row in own] == [(False, True), (True, True)]
    assert own[1].failed.endswith("is renewed at the router's next start: darkpeak restart router")
