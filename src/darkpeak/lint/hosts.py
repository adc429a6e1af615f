"""Rules about [hosts]: which service runs on which daemon."""

from collections.abc import Iterator

from darkpeak.collective.hosts import homes_of
from darkpeak.collective.model import Collective, Finding
from darkpeak.lint.rule import ERROR, Rule
from darkpeak.vocabulary import ROUTER


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
    """A service is on the same daemon as the services whose networks and volumes it uses."""
    homes = homes_of(collective)
    for service in collective.services:
        for other in collective.depends_on(service):
            home, its = homes.get(service.name), homes.get(other)
            host = home or its
            if other != ROUTER and host and home != its:
                where = its.name if its else "the default daemon"
                what = f"{service.name} depends on {other}, which is assigned to {where}"
                yield Finding(host.at, "placed-apart", what, "assign both to one host")


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
        "Networks and volumes do not reach from one machine to another.",
        "assign both services to one host",
        page="docs/hosts.md",
        collective=(together,),
    ),
)
