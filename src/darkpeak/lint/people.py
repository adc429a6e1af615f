"""Rules about the domain and the admins."""

from collections.abc import Iterator

from darkpeak.collective.model import Collective, Finding, Place
from darkpeak.collective.recipients import is_public_key
from darkpeak.collective.text import read_or_empty
from darkpeak.collective.tree import toml_line
from darkpeak.lint.rule import ERROR, WARNING, Rule
from darkpeak.vocabulary import COLLECTIVE_FILE, HOST_NAME, LEAST_ADMINS

TAKEN = {
    "dev": "use .test: browsers open names below .dev only by https with a public certificate",
    "local": "use .test: names below .local are resolved by multicast DNS (RFC 6762)",
}


def _line(collective: Collective, *path: str) -> Place:
    text = read_or_empty(collective.root / COLLECTIVE_FILE)
    return Place(COLLECTIVE_FILE, toml_line(text, *path))


def domain(collective: Collective) -> Iterator[Finding]:
    """The domain is a host name, and not one that cannot work."""
    last = collective.domain.rpartition(".")[2]
    if not HOST_NAME.fullmatch(collective.domain):
        what = f"{collective.domain!r} is not a domain"
        yield Finding(_line(collective, "domain"), "domain", what, "use lower case, like localhost or darkpeak.test")
    elif last in TAKEN:
        yield Finding(_line(collective, "domain"), "domain", f"the domain cannot end in .{last}", TAKEN[last])


def admin_names(collective: Collective) -> Iterator[Finding]:
    """Every admin of a service is under [admins] in collective.toml, and is named once."""
    known = {admin.name for admin in collective.admins}
    for service in collective.services:
        for name in sorted(set(service.admins)):
            if name not in known:
                hint = f"write [admins.{name}] in collective.toml, or fix the name"
                yield Finding(service.key("admins"), "unknown-admin", f"unknown admin {name!r}", hint)
            if service.admins.count(name) > 1:
                yield Finding(
                    service.key("admins"), "admin-twice", f"{name} is named twice", "name two different people"
                )


def two_admins(collective: Collective) -> Iterator[Finding]:
    """A service has at least two admins, so that one can be ill or leave; an idea may have fewer."""
    known = sorted(admin.name for admin in collective.admins)
    hint = "name at least two people of collective.toml"
    hint += f", like admins: [{', '.join(known[:LEAST_ADMINS])}]" if len(known) >= LEAST_ADMINS else "; add one there"
    for service in collective.services:
        missing = LEAST_ADMINS - len(set(service.admins))
        if missing > 0 and service.level != "idea":
            what = f"{'one admin is' if missing == 1 else 'two admins are'} missing"
            yield Finding(service.key("admins"), "missing-admin", what, hint)


def ssh_keys(collective: Collective) -> Iterator[Finding]:
    """The ssh keys of the admins are whole lines of public key files."""
    for admin in collective.admins:
        for key in admin.ssh:
            if not is_public_key(key):
                at = _line(collective, "admins", admin.name, "ssh")
                what = f"{key[:24]!r} of {admin.name} is not an ssh public key"
                yield Finding(at, "ssh-key", what, 'copy the whole line of their .pub file: "ssh-ed25519 AAAA… name"')


RULES = (
    Rule(
        "domain",
        ERROR,
        "The domain is part of every address, and some endings cannot work.",
        "use lower case, like localhost or darkpeak.test",
        page="docs/admins.md",
        collective=(domain,),
    ),
    Rule(
        "unknown-admin",
        WARNING,
        "Every admin of a service is a person in collective.toml, so that others can find them.",
        "write [admins.NAME] in collective.toml, or fix the name",
        page="docs/admins.md",
        collective=(admin_names,),
    ),
    Rule(
        "admin-twice",
        WARNING,
        "A person who is named twice is still only one admin.",
        "name two different people",
        page="docs/admins.md",
        collective=(admin_names,),
    ),
    Rule(
        "missing-admin",
        WARNING,
        "At least two people run each service, so that one can be ill or leave.",
        "name at least two people of collective.toml",
        page="docs/admins.md",
        collective=(two_admins,),
    ),
    Rule(
        "ssh-key",
        WARNING,
        "The ssh key is not complete, so it opens nothing.",
        "copy the whole line of the .pub file",
        page="docs/admins.md",
        collective=(ssh_keys,),
    ),
)
