"""Who runs it, and under which name."""

from collections.abc import Iterator

from darkpeak.collective.model import Collective, Finding, Place, Service
from darkpeak.collective.tree import toml_line
from darkpeak.vocabulary import COLLECTIVE_FILE, HOST_NAME, LEAST_ADMINS

TAKEN = {
    "dev": ".dev is a real top-level domain whose names browsers only open over public https; use .test",
    "local": ".local belongs to multicast DNS (RFC 6762), which would answer first; use .test",
}


def _line(collective: Collective, *path: str) -> Place:
    text = (collective.root / COLLECTIVE_FILE).read_text(encoding="utf-8")
    return Place(COLLECTIVE_FILE, toml_line(text, *path))


def domain(collective: Collective) -> Iterator[Finding]:
    """The domain is a host name that can work."""
    last = collective.domain.rpartition(".")[2]
    if not HOST_NAME.fullmatch(collective.domain):
        what = f"{collective.domain!r} is no domain"
        yield Finding(_line(collective, "domain"), "domain", what, "write lower case, like localhost or darkpeak.test")
    elif last in TAKEN:
        yield Finding(_line(collective, "domain"), "domain", f"the domain cannot end in .{last}", TAKEN[last])


def admin_names(collective: Collective) -> Iterator[Finding]:
    """Every admin that a service names is a person of collective.toml, named once."""
    known = {admin.name for admin in collective.admins}
    for service in collective.services:
        for name in sorted(set(service.admins)):
            if name not in known:
                hint = f"write [admins.{name}] in collective.toml, or mend the name"
                yield Finding(service.key("admins"), "unknown-admin", f"nobody is called {name or 'that'}", hint)
            if service.admins.count(name) > 1:
                yield Finding(
                    service.key("admins"), "admin-twice", f"{name} is named twice", "name two different people"
                )


def two_admins(service: Service) -> Iterator[Finding]:
    """Whoever runs a service alone cannot be ill or leave; only an idea may still be looking for the second."""
    missing = LEAST_ADMINS - len(set(service.admins))
    if missing > 0 and service.level != "idea":
        what = f"{'an admin is' if missing == 1 else 'two admins are'} missing"
        yield Finding(service.key("admins"), "missing-admin", what, "name at least two people: admins: [ada, grace]")
