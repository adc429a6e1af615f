"""The router's table of certificates: wrong settings are refused, and the router's answers are read."""

from dataclasses import replace

import pytest

from darkpeak.errors import SystemFailure, UsageError
from darkpeak.router.acme import Acme, Certified, HeldCertificates, parse_acme
from darkpeak.router.control import Router
from darkpeak.router.files import render
from darkpeak.router.routes import Table
from tests.router.stand_in import StandIn

ACME = Acme("https://ca.example/dir", "a@peak.test", certificates=(("a.peak.test",), ("b.peak.test",)))


@pytest.mark.parametrize(
    ("acme", "message"),
    [
        pytest.param(
            replace(ACME, directory="http://ca.example"), "is not the address of an ACME directory", id="no TLS"
        ),
        pytest.param(
            replace(ACME, directory="https://ca.example/a b"), "is not the address of an ACME directory", id="space"
        ),
        pytest.param(replace(ACME, contact="a@b\nhook x"), "is not a mail address", id="a line in a line"),
        pytest.param(replace(ACME, hook="../renew"), "is not the name of a hook", id="a program elsewhere"),
        pytest.param(replace(ACME, trust="-----BEGIN PRIVATE KEY-----"), "contains a private key", id="a key"),
        pytest.param(replace(ACME, certificates=(("a b",),)), "'a b' is not a host name", id="no name"),
        pytest.param(replace(ACME, certificates=(("a.*.b",),)), "is not a host name", id="asterisk within"),
        pytest.param(replace(ACME, certificates=(("a",), ("a",))), "certificate of a is there twice", id="twice"),
    ],
)
def test_wrong_settings_of_certificates_are_refused(acme: Acme, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        render(Table((), acme=acme))


def test_lines_are_read_back_as_the_same_certificates() -> None:
    assert parse_acme(ACME.lines(), "") == ACME
    assert parse_acme(["certificate a.peak.test"], "") is None


def told(answer: str) -> Router:
    """Return a router that gives this answer about its certificates."""
    return Router(StandIn(certificates=answer))


def test_the_routers_answer_is_read() -> None:
    record = '{"a": {"names": ["a"], "acme": "x", "issuer": "A CA", "until": 9.5, "failed": "no", "window": []}}'
    answer = f'{{"issuer": "own CA", "until": "1970-01-02 00:00:00Z", "records": {record}}}'
    assert told(answer).certificates() == HeldCertificates(
        "own CA", 86400, (Certified(("a",), "A CA", 9.5, failed="no"),)
    )


@pytest.mark.parametrize("answer", ["", "{}", "[]", '{"issuer": "x", "until": "soon", "records": {}}'])
def test_a_wrong_answer_of_the_router_is_an_error(answer: str) -> None:
    with pytest.raises(SystemFailure, match="the router's list of certificates cannot be read"):
        told(answer).certificates()
