"""Ask DNS, with the servers of this machine or with one that is named; only this file imports the library."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from darkpeak.errors import SystemFailure, UsageError
from darkpeak.mail.queue import Described
from darkpeak.mail.records import Answers, host_of, names_of_texts

if TYPE_CHECKING:
    from dns.resolver import Resolver

SECONDS = 10.0  # for each question


def ask_all(mail: Described, server: str = "") -> Answers:
    """Return what DNS says about a mail service's domain.

    Raises:
        UsageError: when the server is no IP address.
        SystemFailure: when DNS does not answer.
    """
    resolver = _resolver(server)
    texts = _each(names_of_texts(mail), lambda name: _ask(resolver, name, "TXT"))
    hosts = (host_of(mail), mail.domain)
    addresses = _each(hosts, lambda name: [*_ask(resolver, name, "A"), *_ask(resolver, name, "AAAA")])
    names = _each(addresses.get(host_of(mail), ()), lambda address: _reverse(resolver, address))
    return Answers(texts, addresses, names)


def _each(names: Iterable[str], ask: Callable[[str], Sequence[str]]) -> dict[str, Sequence[str]]:
    return {name: found for name in names if (found := ask(name))}


def _resolver(server: str) -> "Resolver":
    from dns.resolver import NoResolverConfiguration, Resolver

    try:
        resolver = Resolver(configure=not server)
    except NoResolverConfiguration as error:
        raise SystemFailure("this machine names no DNS server", hint="name one: --server 9.9.9.9") from error
    if server:
        host, _, port = server.rpartition("#") if "#" in server else (server, "", "53")
        try:
            resolver.nameservers, resolver.port = [host], int(port)
        except ValueError as error:
            raise UsageError(f"{server} is not the address of a DNS server", hint="write it like 9.9.9.9") from error
    return resolver


def _ask(resolver: "Resolver", name: str, kind: str) -> list[str]:
    from dns.exception import DNSException
    from dns.resolver import NXDOMAIN, NoAnswer

    try:
        answer = resolver.resolve(name, kind, search=False, lifetime=SECONDS)
    except (NXDOMAIN, NoAnswer):
        return []
    except (DNSException, OSError) as error:
        raise SystemFailure(
            f"DNS does not say what {name} is: {error}", hint="try another server: --server 9.9.9.9"
        ) from error
    if kind == "TXT":
        return sorted(b"".join(record.strings).decode(errors="replace") for record in answer)
    return sorted(record.to_text().rstrip(".") for record in answer)


def _reverse(resolver: "Resolver", address: str) -> list[str]:
    from dns.reversename import from_address

    return [name.lower() for name in _ask(resolver, from_address(address).to_text(), "PTR")]
