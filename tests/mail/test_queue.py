"""What Postfix prints of its queue, and the mail service of itself, as values."""

import pytest

from darkpeak.errors import SystemFailure
from darkpeak.mail.queue import Described, Queued, parse_described, parse_queue

PRINTED = """\
{"queue_name": "hold", "queue_id": "4B", "arrival_time": 1795937520, "message_size": 350, "forced_expire": false, \
"sender": "", "recipients": [{"address": "bob@example.org"}]}
{"queue_name": "deferred", "queue_id": "4A", "arrival_time": 1795937000, "message_size": 350, "forced_expire": false, \
"sender": "a@localhost", "recipients": [{"address": "ada@example.org", "delay_reason": "deferred transport"}, \
{"address": "eve@example.org\\u001b[2J", "delay_reason": "deferred transport"}]}
"""
TOLD = "domain example.org\nrelay [smtp.example.net]:587\nselector darkpeak\nkey MIIB\n"


def test_the_oldest_mail_is_first_and_nothing_clears_the_terminal() -> None:
    to = "ada@example.org, eve@example.org\\x1b[2J"
    assert parse_queue(PRINTED) == [
        Queued("4A", "2026-11-29T07:23:20+00:00", "a@localhost", to, "deferred", "deferred transport"),
        Queued("4B", "2026-11-29T07:32:00+00:00", "", "bob@example.org", "hold", ""),
    ]
    assert parse_queue("") == []


@pytest.mark.parametrize("printed", ["postqueue: fatal", "[]", "{}", '{"recipients": [], "arrival_time": "x"}'])
def test_what_postfix_does_not_print_is_no_queue(printed: str) -> None:
    with pytest.raises(SystemFailure, match="not JSON"):
        parse_queue(printed)


def test_the_service_says_its_domain_relay_and_key() -> None:
    mail = parse_described(TOLD)
    assert mail == Described("example.org", "[smtp.example.net]:587", "darkpeak", "MIIB")
    assert (mail.direct, mail.relay_host) == (False, "smtp.example.net")
    alone = parse_described(TOLD.replace("[smtp.example.net]:587", ""))
    assert (alone.relay, alone.relay_host, alone.direct) == ("", "", False)
    assert parse_described(TOLD.replace("[smtp.example.net]:587", "direct")).direct
    with pytest.raises(SystemFailure, match="did not say its key"):
        parse_described("domain example.org\nrelay \nselector darkpeak\n")
