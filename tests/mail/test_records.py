"""Which DNS records others believe, as a table: for each changed record, one check is not ok, and shows what to set."""

from dataclasses import replace
from typing import Any

import pytest

from darkpeak.mail.queue import Described
from darkpeak.mail.records import DKIM, DMARC, RELAY, REVERSE, SPF, Answers, Check, judge, names_of_texts
from darkpeak.result import Verdict

KEY = "MIIBIjANBgkq" * 30
MAIL = Described("example.org", "direct", "darkpeak", KEY)
HOST, ADDRESS = "mail.example.org", "192.0.2.5"
TEXTS = {
    "example.org": ["v=spf1 a:mail.example.org -all", "some-site-verification=1"],
    "darkpeak._domainkey.example.org": [f"v=DKIM1; k=rsa; p={KEY}"],
    "_dmarc.example.org": ["v=DMARC1; p=quarantine"],
}
SOUND = Answers(TEXTS, {HOST: [ADDRESS]}, {ADDRESS: [HOST]})


def texts(name: str, *values: str) -> Answers:
    return replace(SOUND, texts={**TEXTS, name: values})


def not_ok(mail: Described, answers: Answers) -> list[Check]:
    return [check for check in judge(mail, answers) if check.verdict is not Verdict.OK]


def test_a_sound_domain() -> None:
    assert [check.check for check in judge(MAIL, SOUND)] == [RELAY, SPF, DKIM, DMARC, REVERSE]
    assert not_ok(MAIL, SOUND) == []


@pytest.mark.parametrize(
    "spf",
    [
        "v=spf1 ip4:192.0.2.0/24 -all",
        "v=spf1 +a:MAIL.example.org ~all",
        "V=SPF1 mx -all",
        "v=spf1 include:_spf.example.net ?all",
        "v=spf1 redirect=_spf.example.net",
    ],
)
def test_an_spf_record_that_allows_this_server_or_leaves_it_to_another_record(spf: str) -> None:
    assert not_ok(MAIL, texts("example.org", spf)) == []


def test_the_domains_own_address_counts_if_it_is_this_servers() -> None:
    same = replace(texts("example.org", "v=spf1 a -all"), addresses={HOST: [ADDRESS], "example.org": [ADDRESS]})
    assert not_ok(MAIL, same) == []


@pytest.mark.parametrize(
    ("answers", "check", "said", "record"),
    [
        (texts("example.org"), SPF, "does not say", 'example.org. TXT "v=spf1 a:mail.example.org -all"'),
        (
            texts("example.org", "v=spf10 -all"),
            SPF,
            "does not say",
            'example.org. TXT "v=spf1 a:mail.example.org -all"',
        ),
        (texts("example.org", "v=spf1 mx -all", "v=spf1 a -all"), SPF, "2 SPF records", ""),
        (texts("example.org", "v=spf1 +all"), SPF, "every server", 'example.org. TXT "v=spf1 a:mail.example.org -all"'),
        (texts("example.org", "v=spf1 ip4:198.51.100.1 ip4:x -all"), SPF, "does not allow", "a:mail.example.org"),
        (texts("darkpeak._domainkey.example.org"), DKIM, "has no key", "darkpeak._domainkey.example.org. TXT"),
        (texts("darkpeak._domainkey.example.org", "v=DKIM1; p="), DKIM, "another key", "p=MIIB"),
        (texts("_dmarc.example.org"), DMARC, "does not say", '_dmarc.example.org. TXT "v=DMARC1; p=quarantine"'),
        (texts("_dmarc.example.org", "v=DMARC1; pct=1"), DMARC, "is not valid", "p=quarantine"),
        (texts("_dmarc.example.org", "v=DMARC1; p=none"), DMARC, "lets forged mails through", "p=quarantine"),
        (replace(SOUND, names={}), REVERSE, "192.0.2.5 has no name", ""),
        (replace(SOUND, names={ADDRESS: ["host5.example.net"]}), REVERSE, "has host5.example.net", ""),
        (replace(SOUND, addresses={}), REVERSE, "has no address", "mail.example.org. A"),
    ],
)
def test_what_is_wrong_is_named_with_the_record_to_set(answers: Answers, check: str, said: str, record: str) -> None:
    [found] = not_ok(MAIL, answers)
    assert (found.check, said in found.what, bool(found.hint)) == (check, True, True), found
    assert record in found.record


def test_a_long_key_is_set_in_texts_of_255_characters() -> None:
    [found] = not_ok(MAIL, texts("darkpeak._domainkey.example.org"))
    parts = found.record.partition(" TXT ")[2].strip('"').split('" "')
    assert len(parts[0]) == 255
    assert "".join(parts) == f"v=DKIM1; k=rsa; p={KEY}"
    assert not_ok(MAIL, texts("darkpeak._domainkey.example.org", "".join(parts))) == []


@pytest.mark.parametrize(
    ("changed", "check", "verdict"),
    [
        ({"relay": ""}, RELAY, Verdict.WARN),
        ({"domain": "localhost"}, RELAY, Verdict.WARN),
        ({"domain": "village.localhost"}, RELAY, Verdict.WARN),
    ],
)
def test_a_service_that_sends_nothing_says_so(changed: dict[str, Any], check: str, verdict: Verdict) -> None:
    [found] = not_ok(replace(MAIL, **changed), SOUND)
    assert (found.check, found.verdict) == (check, verdict)


def test_with_a_mail_provider_its_own_records_and_reverse_name_count() -> None:
    mail = replace(MAIL, relay="[smtp.example.net]:587")
    checks = judge(mail, replace(texts("example.org"), names={}))
    assert [check.check for check in checks] == [RELAY, SPF, DKIM, DMARC]
    assert checks[1].record == 'example.org. TXT "v=spf1 include:smtp.example.net -all"'


@pytest.mark.parametrize(
    ("above", "verdict"),
    [
        ("v=DMARC1; p=reject", Verdict.OK),
        ("v=DMARC1; p=none; sp=quarantine", Verdict.OK),
        ("v=DMARC1;p=reject;sp=none", Verdict.WARN),
        ("v=spf1 -all", Verdict.BAD),
    ],
)
def test_a_domain_below_another_has_its_dmarc_record(above: str, verdict: Verdict) -> None:
    mail = replace(MAIL, domain="village.example.org")
    asked = names_of_texts(mail)
    assert asked[2:] == ("_dmarc.village.example.org", "_dmarc.example.org")
    [dmarc] = [check for check in judge(mail, Answers({"_dmarc.example.org": [above]}, {}, {})) if check.check == DMARC]
    assert dmarc.verdict == verdict
    assert "_dmarc.village.example.org" in dmarc.record or verdict == Verdict.OK


def test_the_domains_own_dmarc_record_comes_first() -> None:
    mail = replace(MAIL, domain="village.example.org")
    texts = {
        "_dmarc.village.example.org": ["v=DMARC1; p=none; sp=reject"],
        "_dmarc.example.org": ["v=DMARC1; p=reject"],
    }
    [dmarc] = [check for check in judge(mail, Answers(texts, {}, {})) if check.check == DMARC]
    assert dmarc.verdict == Verdict.WARN
