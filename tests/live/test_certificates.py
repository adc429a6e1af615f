"""Certificates from a CA by ACME: requested through the running router, renewed under load, refused, kept."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from darkpeak.router.routes import TlsRoute
from lab import toy
from lab.commands import Result, run, wait_for
from tests.live import wrk
from tests.live.pebble import DIRECTORY, DNS, Pebble
from tests.live.routed import HTTP, HTTPS, Routed, curl, parse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.collectives import Collective
    from tests.conftest import Campaign

DOMAIN = "peak.test"
NAME = f"hello.{DOMAIN}"
SETTINGS = f'\n[certificates]\nacme = "{DIRECTORY}"\ncontact = "admins@{DOMAIN}"\ntrust = "root.pem"\n'
PUBLIC = "/var/lib/certificates/public"
HOME = "/var/lib/certificates/acme"
CHALLENGE = "/.well-known/acme-challenge"
HOOK = f"""\
#!/bin/sh
set -eu
case $1 in
present) curl -sS --fail --data "{{\\"host\\": \\"$2.\\", \\"value\\": \\"$3\\"}}" {DNS}/set-txt ;;
cleanup) curl -sS --fail --data "{{\\"host\\": \\"$2.\\"}}" {DNS}/clear-txt ;;
esac
"""
REVOKE = f"""\
import josepy
from acme import client, messages
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
pem = open("{PUBLIC}/{NAME}.pem", "rb").read()
key = josepy.JWKEC(key=josepy.ComparableECKey(load_pem_private_key(pem, None)))
net = client.ClientNetwork(key, alg=josepy.ES256, verify_ssl="/var/lib/router/trust.pem")
acme = client.ClientV2(client.ClientV2.get_directory("{DIRECTORY}", net), net)
acme.revoke(x509.load_pem_x509_certificate(pem), 4)
"""


@dataclass(frozen=True)
class Certified:
    """A router that requests certificates from a CA, with one service behind it."""

    routed: Routed
    pebble: Pebble
    seconds: float = 0  # from `darkpeak up` to the first certificate served

    @property
    def collective(self) -> Collective:
        """The router's collective."""
        return self.routed.collective

    def listed(self) -> list[dict[str, Any]]:
        """Return the rows of `darkpeak certificates`."""
        said: list[dict[str, Any]] = json.loads(self.collective.darkpeak("certificates", "--json", check=False).stdout)
        return said

    def renew(self, *, check: bool = True) -> Result:
        """Renew the certificate now."""
        return self.collective.darkpeak("certificates", "--renew", NAME, check=check)

    def inside(self, *argv: str, stdin: str = "") -> str:
        """Run a program in the container that requests certificates, as the user who does that."""
        return self.collective.compose("router", "exec", "-T", "certificates", *argv, stdin=stdin).stdout

    def backdate(self, moment: str) -> None:
        """Set a time in the certificates' records to 0, as if it had come, and wake the program."""
        self.inside("sed", "-i", f's/"{moment}": [0-9.]*/"{moment}": 0/', f"{HOME}/records.json")
        self.inside("sh", "-c", "echo >/run/control/wake")

    def settings(self, more: str) -> None:
        """Write other [certificates] into collective.toml, and run `up` for the router."""
        file = self.collective.top / "collective.toml"
        file.write_text(file.read_text().partition("\n[certificates]")[0] + more)
        self.collective.darkpeak("up", toy.NAME, timeout=600)

    @property
    def reloads(self) -> str:
        """The list of haproxy's processes, which shows reloads."""
        said = self.routed.execute("sh", "-c", "echo show proc | socat - /run/haproxy/master.sock")
        return re.sub(r"\s\S+m\S+s\s", " ", said)  # without the uptimes


@pytest.fixture(scope="module")
def plain(collective: Collective, tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """Return a router without a CA."""
    pebble = Pebble(collective.host, tmp_path_factory.mktemp("pebble"))
    pebble.build()
    toy.add(collective)
    file = collective.top / "collective.toml"
    file.write_text(file.read_text().replace('"localhost"', f'"{DOMAIN}"'))
    (collective.top / "root.pem").write_text(pebble.root)
    collective.darkpeak("up", toy.NAME, timeout=600)
    pebble.start()
    return Certified(Routed(collective), pebble)


def test_without_a_ca_only_a_sleeping_shell_runs(plain: Certified, say: Callable[[str], None]) -> None:
    processes = plain.inside("sh", "-c", "cat /proc/[0-9]*/comm").split()
    checking = {"keep-checking", "sleep", "timeout", "health"}
    assert sorted(set(processes) - {"sh", "cat"} - checking) == ["docker-init", "serve"]
    assert processes.count("serve") == 1
    memory = plain.inside("sh", "-c", "cd /sys/fs/cgroup && cat memory.current || cat memory/memory.usage_in_bytes")
    say(f"memory without a CA: {int(memory) / 2**20:.1f} MiB")


def test_without_a_ca_nobody_is_sent_to_https(plain: Certified) -> None:
    answer = parse(https(NAME).encode())
    assert answer.status == 200
    assert "strict-transport-security" not in answer.headers
    assert [(row["names"], row["issuer"]) for row in plain.listed()] == [([f"*.{DOMAIN}"], f"{DOMAIN} collective CA")]


@pytest.fixture(scope="module")
def certified(plain: Certified) -> Certified:
    """Return the same router, after it has got a certificate from the CA."""
    before, began = (plain.routed.container, plain.reloads), time.monotonic()
    plain.settings(SETTINGS)
    wait_for("the first certificate", lambda: "Pebble" in issuer(NAME), timeout=60)
    seconds = time.monotonic() - began
    assert (plain.routed.container, plain.reloads) == before, "it needs no new container and no reload"
    wait_for("the record of it", lambda: plain.listed()[0]["until"], timeout=30)
    return replace(plain, seconds=seconds)


def test_a_name_gets_a_certificate_through_the_running_router(
    certified: Certified, tmp_path: Path, say: Callable[[str], None]
) -> None:
    say(f"from `up` to the first certificate served: {certified.seconds:.1f} s")
    anchor = tmp_path / "anchor.pem"
    anchor.write_text(certified.pebble.anchor())
    answer = parse(https(NAME, "--cacert", str(anchor)).encode())
    assert (answer.status, answer.body) == (200, b"first")
    assert answer.headers["strict-transport-security"] == "max-age=15552000"
    assert look(served(NAME), "-ext", "subjectAltName").split()[-1] == f"DNS:{NAME}"
    certified.collective.darkpeak("routes", "--check")
    rows = certified.listed()
    assert [(row["names"], row["sound"]) for row in rows] == [([NAME], True), ([f"*.{DOMAIN}"], True)]
    assert rows[0]["issuer"].startswith("Pebble Intermediate")
    assert rows[0]["until"] > rows[0]["renewal"] > f"{time.gmtime().tm_year}"


@pytest.mark.usefixtures("certified")
def test_http_leads_to_https_by_the_cas_certificate_alone() -> None:
    """So no password is sent in clear where everyone trusts the certificate, and nobody is warned elsewhere."""
    led = {name: http(name) for name in (NAME, f"other.{DOMAIN}")}
    assert led == {NAME: ("308", f"https://{NAME}:7443/login"), f"other.{DOMAIN}": ("404", "")}


def http(name: str) -> tuple[str, str]:
    """Request a page of a name by http; return the status, and the address to which the answer leads."""
    form, address = "%{http_code} %{redirect_url}", f"http://{name}:7080/login"
    said = run(["curl", "-s", "-o", "/dev/null", "-w", form, "--resolve", f"{name}:7080:127.0.0.1", address]).stdout
    status, _, target = said.partition(" ")
    return status, target


@pytest.mark.usefixtures("certified")
def test_other_names_keep_the_collectives_own_certificate() -> None:
    assert f"{DOMAIN} collective CA" in issuer(f"other.{DOMAIN}")
    assert "strict-transport-security" not in parse(https(f"other.{DOMAIN}").encode()).headers


def test_no_challenge_is_left(certified: Certified) -> None:
    tokens = re.findall(rf"{CHALLENGE}/([\w-]+)", certified.pebble.log())
    assert tokens, "the CA sent no challenge"
    assert certified.inside("cat", f"{HOME}/challenges.map") == ""
    assert certified.routed.get(NAME, f"{CHALLENGE}/{tokens[0]}").status == 404


def test_only_haproxy_can_read_the_keys(certified: Certified) -> None:
    said = certified.routed.execute("stat", "-c", "%a %u %G %n", f"{PUBLIC}/{NAME}.pem", f"{HOME}/account.key", PUBLIC)
    assert said.splitlines() == [
        f"640 6001 haproxy {PUBLIC}/{NAME}.pem",
        f"600 6001 haproxy {HOME}/account.key",
        f"2750 6001 haproxy {PUBLIC}",
    ]
    compose = certified.collective.compose
    elsewhere = compose("router", "exec", "-T", "jump", "ls", "/var/lib/certificates", "/run/control", check=False)
    assert elsewhere.returncode, elsewhere.stdout
    printed = compose("router", "logs", "--no-color").stdout + json.dumps(certified.listed())
    assert "PRIVATE KEY" not in printed + certified.routed.execute("certificates")


@pytest.fixture
def streams(tmp_path: Path) -> list[list[str]]:
    """Return requests for the page by http and https, over kept and new connections."""
    hosts = tmp_path / "hosts"
    hosts.write_text(f"127.0.0.1 {NAME}\n")
    named = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts)]
    urls = (f"http://{NAME}:{HTTP}/", f"https://{NAME}:{HTTPS}/")
    return [[*named, *wrk.stream(url, *headers)] for url in urls for headers in ((), (wrk.NEW_CONNECTIONS,))]


def test_it_is_renewed_under_load(
    certified: Certified, streams: list[list[str]], campaign: Campaign, say: Callable[[str], None]
) -> None:
    before, serials, number = certified.reloads, [serial()], campaign(20)
    with wrk.load(*streams) as seen:
        for _ in range(number):
            certified.renew()
            serials.append(serial())
    say(f"{number} renewals: {seen}")
    assert len(set(serials)) == number + 1, "each renewal gives a new certificate"
    assert seen.failed == 0
    assert min(seen.requests) > 100
    assert certified.reloads == before


def test_a_revoked_certificate_is_renewed(certified: Certified) -> None:
    before = serial()
    certified.inside("python3", "-c", REVOKE)
    certified.backdate("ask")
    wait_for("another certificate", lambda: serial() != before, timeout=60)


def test_the_old_certificate_stays_while_the_ca_refuses(certified: Certified) -> None:
    before = serial()
    certified.pebble.start()  # it has verified no name yet
    certified.pebble.refuse(NAME)
    refused = certified.renew(check=False)
    assert refused.returncode == 3
    assert f"{NAME}: no certificate:" in refused.stderr
    assert len(refused.stderr.splitlines()) <= 3
    assert serial() == before
    row = certified.listed()[0]
    assert (row["failed"][:6], row["sound"]) == ("FAILED", False)
    assert certified.collective.darkpeak("certificates", check=False).returncode == 1
    asked = certified.pebble.log().count("Added order")
    assert asked
    certified.collective.compose("router", "restart", "certificates")
    certified.backdate("renew")
    assert int(certified.inside("renew")) > 100, "the program must not try again soon"
    assert certified.pebble.log().count("Added order") == asked, "the pause must survive a restart"
    certified.pebble.refuse(NAME, refused=False)
    certified.backdate("again")
    wait_for("another certificate", lambda: serial() != before, timeout=60)
    wait_for("the record of it", lambda: certified.listed()[0]["sound"], timeout=30)


BY_HAND = f"""set -eu
file={PUBLIC}/by-hand.pem
tell() {{ socat -t 10 - /run/haproxy/sock; }}
if [ "$1" = remove ]; then
    echo "del ssl crt-list {PUBLIC} $file; del ssl cert $file" | tell
    exit
fi
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj '/CN=by hand' \\
    -addext subjectAltName=DNS:{NAME} -keyout /tmp/key -out /tmp/certificate 2>/dev/null
echo "new ssl cert $file" | tell
{{ echo "set ssl cert $file <<"; cat /tmp/certificate /tmp/key; echo; }} | tell
echo "commit ssl cert $file" | tell
echo "add ssl crt-list {PUBLIC} $file" | tell
"""


def test_a_certificate_that_is_not_served_is_removed_again(certified: Certified) -> None:
    """An older certificate that a person installed for the same name is served instead."""
    before, path = serial(), f"{PUBLIC}/{NAME}.pem"
    file = certified.routed.execute("sha256sum", path)
    certified.routed.execute("sh", "-s", "add", stdin=BY_HAND)
    assert f"{NAME} is served with another certificate" in certified.renew(check=False).stderr
    certified.routed.execute("sh", "-s", "remove", stdin=BY_HAND)
    assert (serial(), certified.routed.execute("sha256sum", path)) == (before, file)


def test_the_certificate_stays_while_the_ca_is_down(certified: Certified) -> None:
    before = serial()
    certified.pebble.stop()
    assert "no answer from the CA" in certified.renew(check=False).stderr
    assert serial() == before
    certified.pebble.start()
    certified.renew()
    assert serial() != before, "a CA that lost its data makes a new account"


def test_a_ca_that_requires_external_account_binding(certified: Certified) -> None:
    certified.pebble.start(binding=True)
    assert "externalAccountBinding" in certified.renew(check=False).stderr
    certified.inside("sh", "-c", f"umask 077; cat >{HOME}/eab", stdin=f"{certified.pebble.binding}\n")
    before = serial()
    certified.renew()
    assert serial() != before
    certified.inside("rm", f"{HOME}/eab")
    certified.pebble.start()


def test_it_is_renewed_while_there_is_a_tls_route(certified: Certified) -> None:
    router = certified.routed.router
    table, before, reloads = certified.routed.table(), serial(), certified.reloads
    assert router.apply(replace(table, tls=(TlsRoute("vault", 6915),))).reloaded
    assert certified.reloads != reloads
    assert serial() == before, "a reload keeps the certificate"
    certified.renew()
    renewed = serial()
    router.apply(table)
    assert serial() == renewed != before


def test_a_restarted_router_serves_the_same(certified: Certified) -> None:
    before = serial()
    certified.collective.compose("router", "kill", "haproxy")
    certified.collective.compose("router", "up", "-d", "--wait")
    assert serial() == before


def test_a_restored_router_serves_the_same(certified: Certified, tmp_path: Path) -> None:
    before, collective = serial(), certified.collective
    collective.script("router", "backup", str(tmp_path / "saved"))
    certified.pebble.stop()
    collective.compose("router", "down", "--volumes")
    collective.darkpeak("up", "router")
    assert "Pebble" not in issuer(NAME)
    collective.script("router", "restore", str(tmp_path / "saved"))
    assert serial() == before
    assert "1 certificates" in collective.script("router", "verify").stdout
    assert [row["sound"] for row in certified.listed()] == [True, True]


def test_a_hook_gets_one_certificate_for_all_names(certified: Certified) -> None:
    certified.pebble.start()
    hook = certified.collective.folder("router") / "certificates/hooks/challtest"
    hook.write_text(HOOK)
    hook.chmod(0o755)
    certified.settings(SETTINGS + 'dns = "challtest"\n')
    wait_for("the wildcard", lambda: "Pebble" in issuer(f"other.{DOMAIN}"), timeout=60)
    names = look(served(f"other.{DOMAIN}"), "-ext", "subjectAltName").replace(",", "").split()
    assert sorted(names[-2:]) == [f"DNS:*.{DOMAIN}", f"DNS:{DOMAIN}"]
    wait_for("the record of it", lambda: certified.listed()[0]["until"], timeout=30)
    listed = [(row["names"], row["sound"]) for row in certified.listed()]
    assert listed == [([DOMAIN, f"*.{DOMAIN}"], True), ([NAME], True), ([f"*.{DOMAIN}"], True)]
    certified.backdate("until")
    wait_for(
        "the one that nobody asks for any more to go", lambda: served(NAME) == served(f"other.{DOMAIN}"), timeout=20
    )
    hook.unlink()


def served(name: str) -> str:
    """Return the certificate that the router serves for a name, in PEM."""
    said = run(["openssl", "s_client", "-connect", f"127.0.0.1:{HTTPS}", "-servername", name], check=False).stdout
    found = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", said, re.DOTALL)
    assert found, said
    return found[0]


def look(pem: str, *options: str) -> str:
    """Return openssl's description of a certificate."""
    return run(["openssl", "x509", "-noout", *options], stdin=pem).stdout.strip()


def issuer(name: str) -> str:
    """Return the issuer of a name's certificate."""
    return look(served(name), "-issuer")


def serial() -> str:
    """Return the serial number of the service's certificate."""
    return look(served(NAME), "-serial")


def https(name: str, *options: str) -> str:
    """Request a name by https; without options, the certificate is not verified."""
    where = f"{name}:{HTTPS}:127.0.0.1"
    return curl(*(options or ("-k",)), "--resolve", where, f"https://{name}:{HTTPS}/").stdout
