"""Rules about [hosts]: which service runs on which daemon."""

from collections.abc import Iterator

from darkpeak.collective.hosts import homes_of
from darkpeak.collective.model import Collective, Finding, Service
from darkpeak.collective.stand_ins import has_stand_in
from darkpeak.lint.rule import ERROR, Rule
from darkpeak.vocabulary import ACCOUNT, ROUTER

ADDRESSES = "assign both to one host, or give each of the two hosts an address, so that a stand-in can answer"


def known_services(collective: Collective) -> Iterator[Finding]:
    """The services of a host exist."""
    known = {service.name for service in collective.services}
    for host in collective.hosts:
        for name in host.services:
            if name == ROUTER:
                what, hint = (
                    "the router is assigned to a host",
                    "remove it: each host with services has its own router",
                )
                yield Finding(host.at, "placed-router", what, hint)
            elif name not in known:
                hint = f"the services are: {', '.join(sorted(known - {ROUTER}))}"
                yield Finding(host.at, "unknown-service", f"there is no service {name}", hint)


def one_place_each(collective: Collective) -> Iterator[Finding]:
    """A service is assigned to one host, since its data is in one place."""
    taken: dict[str, str] = {}
    for host in collective.hosts:
        for name in host.services:
            if name in taken:
                what = f"{name} is assigned to two hosts: {taken[name]} and {host.name}"
                yield Finding(host.at, "placed-twice", what, "remove it from one of them")
            taken.setdefault(name, host.name)


def together(collective: Collective) -> Iterator[Finding]:
    """A service is on the same daemon as those that it depends on, unless stand-ins can answer for them."""
    homes = homes_of(collective)
    known = {service.name: service for service in collective.services}
    for service in collective.services:
        for other in collective.depends_on(service):
            home, its = homes.get(service.name), homes.get(other)
            host = home or its
            if other == ROUTER or host is None or home == its:
                continue
            asks = _only_asks(service, known[other])
            if not asks or not home or not has_stand_in(collective, service, other):
                where = its.name if its else "the default daemon"
                what = f"{service.name} depends on {other}, which is assigned to {where}"
                yield Finding(host.at, "placed-apart", what, ADDRESSES if asks else "assign both to one host")


def _only_asks(service: Service, other: Service) -> bool:
    """Return whether a service uses no volume of another one, which offers something to other hosts."""
    own = {item.name for item in other.volumes if not item.external}
    shares = own & {item.name for item in service.volumes if item.external}
    return bool(other.offers) and not shares and not (service.login and other.name == ACCOUNT)


RULES = (
    Rule(
        "unknown-service",
        ERROR,
        "The services of a host must exist.",
        "fix the name in collective.toml",
        page="docs/hosts.md",
        collective=(known_services,),
    ),
    Rule(
        "placed-router",
        ERROR,
        "Each host with services has its own router.",
        "remove the router from the list",
        page="docs/hosts.md",
        collective=(known_services,),
    ),
    Rule(
        "placed-twice",
        ERROR,
        "The data of a service is in one place, so it is assigned to one host.",
        "remove it from one of the hosts",
        page="docs/hosts.md",
        collective=(one_place_each,),
    ),
    Rule(
        "placed-apart",
        ERROR,
        "Volumes do not reach from one machine to another, and networks only by what a service offers.",
        "assign both services to one host",
        page="docs/hosts.md",
        collective=(together,),
    ),
)
