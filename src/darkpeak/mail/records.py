"""Judge whether others will believe that a mail is ours: the domain's DNS records, and what they should be. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from darkpeak.mail.queue import Described
from darkpeak.result import Verdict

LOCALHOST = "localhost"
LONGEST_TEXT = 255  # characters of one text in a TXT record
SPF, DKIM, DMARC, REVERSE, RELAY = "SPF", "DKIM", "DMARC", "reverse name", "relay"


@dataclass(frozen=True)
class Check:
    """The result of one check; with a `record`, the DNS record to set."""

    check: str
    verdict: Verdict
    what: str
    hint: str = ""
    record: str = ""


@dataclass(frozen=True)
class Answers:
    """What DNS says: texts and addresses by name, and names by address, where there are any."""

    texts: Mapping[str, Sequence[str]]
    addresses: Mapping[str, Sequence[str]]
    names: Mapping[str, Sequence[str]]


def host_of(mail: Described) -> str:
    """Return the name with which the mail service greets other servers."""
    return f"mail.{mail.domain}"


def names_of_texts(mail: Described) -> tuple[str, ...]:
    """Return where the TXT records for SPF, DKIM and DMARC are; for DMARC, also those of the domains above."""
    labels = mail.domain.split(".")
    above = (".".join(labels[start:]) for start in range(max(1, len(labels) - 1)))
    return mail.domain, f"{mail.selector}._domainkey.{mail.domain}", *(f"_dmarc.{domain}" for domain in above)


def judge(mail: Described, answers: Answers) -> list[Check]:
    """Return all checks of a mail service."""
    if mail.domain.rpartition(".")[2] == LOCALHOST:
        what = f"the domain is {mail.domain}, which no other server knows: mails stay in the queue"
        return [Check(RELAY, Verdict.WARN, what, "to read them: darkpeak mail list")]
    checks = [_relay(mail), _spf(mail, answers), _dkim(mail, answers), _dmarc(mail, answers)]
    return [*checks, *([_reverse(mail, answers)] if mail.direct else [])]


def _relay(mail: Described) -> Check:
    if not mail.relay:
        hint = "write RELAY in services/mail/docker-compose.yml, as its README.md says"
        return Check(RELAY, Verdict.WARN, "none: mails stay in the queue", hint)
    where = "the recipients' own servers" if mail.direct else mail.relay
    return Check(RELAY, Verdict.OK, f"mails go to {where}")


def _spf(mail: Described, answers: Answers) -> Check:
    name = mail.domain
    found = [text for text in answers.texts.get(name, ()) if re.match(r"v=spf1(\s|$)", text, re.IGNORECASE)]
    wanted = f"a:{host_of(mail)}" if mail.direct else f"include:{mail.relay_host or 'smtp.example.org'}"
    record = f'{name}. TXT "v=spf1 {wanted} -all"'
    provider = "" if mail.direct else "; what to include, the mail provider says"
    if not found:
        return Check(SPF, Verdict.BAD, f"{name} does not say which servers send its mails", f"set it{provider}", record)
    if len(found) > 1:
        what = f"{name} has {len(found)} SPF records, so none of them counts"
        return Check(SPF, Verdict.BAD, what, "join them in one")
    if re.search(r"(^|\s)\+?all(\s|$)", found[0], re.IGNORECASE):
        return Check(
            SPF, Verdict.BAD, f"{name} lets every server send its mails: {found[0]}", "end it with -all", record
        )
    if mail.direct and not _allows(mail, found[0], answers):
        what = f"{name} does not allow {host_of(mail)}: {found[0]}"
        return Check(SPF, Verdict.BAD, what, f"add {wanted} to it", record)
    return Check(SPF, Verdict.OK, found[0])


def _allows(mail: Described, spf: str, answers: Answers) -> bool:
    """Return whether a record names this server by name or address; what other names allow is not followed."""
    terms = [term.lstrip("+").lower() for term in spf.split()[1:]]
    here = answers.addresses.get(host_of(mail), ())
    same = set(here) & set(answers.addresses.get(mail.domain, ()))
    if f"a:{host_of(mail)}".lower() in terms or ("a" in terms and same):
        return True
    if any(term.startswith(("include:", "redirect=", "exists:")) or term.partition(":")[0] == "mx" for term in terms):
        return True  # another record decides
    networks = [term.partition(":")[2] for term in terms if re.match(r"ip[46]:", term)]
    return any(_contains(network, address) for network in networks for address in here)


def _contains(network: str, address: str) -> bool:
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False


def _dkim(mail: Described, answers: Answers) -> Check:
    name = names_of_texts(mail)[1]
    wanted = f"v=DKIM1; k=rsa; p={mail.key}"
    parts = [wanted[start : start + LONGEST_TEXT] for start in range(0, len(wanted), LONGEST_TEXT)]
    record = f"{name}. TXT " + " ".join(f'"{part}"' for part in parts)
    found = answers.texts.get(name, ())
    if not found:
        return Check(DKIM, Verdict.BAD, f"{name} has no key, so nobody can verify signatures", "set it", record)
    keys = {re.sub(r"\s", "", key) for text in found for key in re.findall(r"(?:^|;)\s*p=([^;]*)", text)}
    if keys != {mail.key}:
        return Check(DKIM, Verdict.BAD, f"{name} has another key than the one that signs", "replace it", record)
    return Check(DKIM, Verdict.OK, f"{name} has the key")


def _dmarc(mail: Described, answers: Answers) -> Check:
    """Check the first record of the domain or of one above it, whose `sp` is for the domains below (RFC 7489, 6.3)."""
    own, *above = names_of_texts(mail)[2:]
    record = f'{own}. TXT "v=DMARC1; p=quarantine"'
    texts = {name: [text for text in answers.texts.get(name, ()) if _is_dmarc(text)] for name in (own, *above)}
    name = next(filter(texts.get, texts), "")
    if not name:
        return Check(DMARC, Verdict.BAD, f"{own} does not say what to do with forged mails", "set it", record)
    found = texts[name]
    policies = dict(re.findall(r";\s*(s?p)\s*=\s*(none|quarantine|reject)\b", found[0].lower()))
    policy = policies.get("p") if name == own else policies.get("sp", policies.get("p"))
    if not policy or len(found) > 1:
        return Check(DMARC, Verdict.BAD, f"{name} is not valid: {'; '.join(found)}", "replace it", record)
    if policy == "none":
        what = f"{name} lets forged mails through: {found[0]}"
        return Check(DMARC, Verdict.WARN, what, "when reports show no fault, write p=quarantine", record)
    return Check(DMARC, Verdict.OK, found[0])


def _is_dmarc(text: str) -> bool:
    return bool(re.match(r"v\s*=\s*DMARC1\s*;", text))


def _reverse(mail: Described, answers: Answers) -> Check:
    host = host_of(mail)
    addresses = answers.addresses.get(host, ())
    if not addresses:
        record = f"{host}. A (the server's address)"
        return Check(REVERSE, Verdict.BAD, f"{host} has no address", "set it", record)
    wrong = [address for address in addresses if host not in answers.names.get(address, ())]
    if wrong:
        names = ", ".join(answers.names.get(wrong[0], ())) or "no name"
        hint = f"where the server is rented, set its reverse name to {host}"
        return Check(REVERSE, Verdict.BAD, f"{wrong[0]} has {names}, and not {host}", hint)
    return Check(REVERSE, Verdict.OK, f"{', '.join(addresses)} is {host}")
