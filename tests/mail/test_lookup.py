"""The records are asked for over the wire, from a small DNS server that answers from a table."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from darkpeak.errors import SystemFailure, UsageError
from darkpeak.mail.lookup import ask_all
from darkpeak.mail.queue import Described
from darkpeak.mail.records import Answers

MAIL = Described("example.org", "direct", "darkpeak", "MIIB")
ZONE = {
    ("example.org.", "TXT"): '"v=spf1 a:mail." "example.org -all"',
    ("darkpeak._domainkey.example.org.", "TXT"): '"v=DKIM1; p=MIIB"',
    ("mail.example.org.", "A"): "192.0.2.5",
    ("mail.example.org.", "AAAA"): "2001:db8::5",
    ("5.2.0.192.in-addr.arpa.", "PTR"): "Mail.example.org.",
}


@contextmanager
def served(rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> Iterator[str]:
    """Answer from the table; yield the server as `--server` takes it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = Thread(target=answer, args=(server, rcode))
        thread.start()
        try:
            yield f"127.0.0.1#{server.getsockname()[1]}"
        finally:
            server.sendto(b"", server.getsockname())
            thread.join(10)


def answer(server: socket.socket, rcode: dns.rcode.Rcode) -> None:
    while True:
        packet, client = server.recvfrom(4096)
        if not packet:
            return
        asked = dns.message.from_wire(packet)
        [question] = asked.question
        name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        reply = dns.message.make_response(asked)
        known = any(name == one for one, _ in ZONE)
        reply.set_rcode(rcode if known else dns.rcode.NXDOMAIN)
        if (name, kind) in ZONE and rcode == dns.rcode.NOERROR:
            reply.answer.append(dns.rrset.from_text(name, 60, "IN", kind, ZONE[name, kind]))
        server.sendto(reply.to_wire(), client)


def test_texts_are_joined_and_what_is_missing_is_missing() -> None:
    with served() as server:
        found = ask_all(MAIL, server)
    assert found == Answers(
        {"example.org": ["v=spf1 a:mail.example.org -all"], "darkpeak._domainkey.example.org": ["v=DKIM1; p=MIIB"]},
        {"mail.example.org": ["192.0.2.5", "2001:db8::5"]},
        {"192.0.2.5": ["mail.example.org"]},
    )


def test_a_server_that_fails_is_no_missing_record() -> None:
    with (
        served(dns.rcode.SERVFAIL) as server,
        pytest.raises(SystemFailure, match="DNS does not say what"),
    ):
        ask_all(MAIL, server)


@pytest.mark.parametrize("server", ["nine", "127.0.0.1#x"])
def test_a_server_is_an_address(server: str) -> None:
    with pytest.raises(UsageError, match="is not the address of a DNS server"):
        ask_all(MAIL, server)
