"""Certificates from a CA by ACME: obtained through the running router, renewed under load, refused, kept, proven."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.live import toy
from tests.live.commands import run, wait_for
from tests.live.pebble import DIRECTORY, Pebble
from tests.live.routed import HTTPS, Routed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.live.collectives import Collective

DOMAIN = "peak.test"
NAME = f"hello.{DOMAIN}"
SETTINGS = f'\n[certificates]\nacme = "{DIRECTORY}"\ncontact = "admins@{DOMAIN}"\ntrust = "root.pem"\n'


@pytest.fixture(scope="module")
def pebble(collective: Collective, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    """Return a CA."""
    pebble = Pebble(collective.host, tmp_path_factory.mktemp("pebble"))
    pebble.build()
    pebble.start()
    yield pebble
    pebble.stop()


@pytest.fixture(scope="module")
def certified(collective: Collective, pebble: Pebble) -> Iterator[Routed]:
    """Return a router which asks that CA, with one service behind it."""
    collective.host.forget()
    pebble.start()
    toy.add(collective)
    file = collective.top / "collective.toml"
    before = file.read_text()
    file.write_text(before.replace('"localhost"', f'"{DOMAIN}"') + SETTINGS)
    (collective.top / "root.pem").write_text(pebble.root)
    collective.darkpeak("up", toy.NAME, timeout=600)
    routed = Routed(collective)
    wait_for("the first certificate", lambda: "Pebble" in issuer(NAME), timeout=30)
    yield routed
    collective.darkpeak("down", toy.NAME, "router", "--volumes", "--yes", timeout=120)
    file.write_text(before)
    (collective.top / "root.pem").unlink()
    run(["rm", "-rf", str(collective.folder(toy.NAME))])


def served(name: str) -> str:
    """Return the certificate that the router shows for a name, in PEM."""
    said = run(["openssl", "s_client", "-connect", f"127.0.0.1:{HTTPS}", "-servername", name], check=False).stdout
    found = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", said, re.DOTALL)
    assert found, said
    return found[0]


def look(pem: str, *options: str) -> str:
    """Return what openssl reads in a certificate."""
    return run(["openssl", "x509", "-noout", *options], stdin=pem).stdout.strip()


def issuer(name: str) -> str:
    """Return who vouches for a name."""
    return look(served(name), "-issuer")


@pytest.mark.usefixtures("certified")
def test_a_name_is_certified_through_the_running_router(pebble: Pebble, tmp_path: Path) -> None:
    anchor = tmp_path / "anchor.pem"
    anchor.write_text(pebble.anchor())
    assert look(served(NAME), "-ext", "subjectAltName").splitlines()[-1].strip() == f"DNS:{NAME}"
    answer = run(
        ["curl", "-sS", "--cacert", str(anchor), "--resolve", f"{NAME}:{HTTPS}:127.0.0.1", f"https://{NAME}:{HTTPS}/"]
    )
    assert answer.stdout == "first"
