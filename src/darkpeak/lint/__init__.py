"""The rules: each is a value with its reason, and small functions that yield findings. Pure."""

from collections.abc import Iterator, Mapping
from itertools import chain

from darkpeak.collective.model import Collective, Finding, Service
from darkpeak.lint import (
    anatomy,
    backups,
    blocks,
    databases,
    dockerfiles,
    engine_values,
    features,
    foreign,
    hosts,
    ignores,
    limits,
    login,
    names,
    outside,
    people,
    reading,
    readme,
    rights,
    routes,
    secrets,
    shares,
    sharing,
    shell,
    stacks,
    volumes,
)
from darkpeak.lint.rule import Rule, Severity
from darkpeak.lint.written import Written, written_by

FAMILIES = (
    *(reading, people, hosts, stacks, backups, blocks, routes, login, sharing, foreign, names, anatomy),
    *(
        rights,
        shares,
        features,
        engine_values,
        shell,
        dockerfiles,
        volumes,
        secrets,
        databases,
        limits,
        readme,
        outside,
        ignores,
    ),
)
RULES: Mapping[str, Rule] = {rule.id: rule for family in FAMILIES for rule in family.RULES}

# One function can check several rules.
OF_COLLECTIVE = tuple(dict.fromkeys(chain.from_iterable(rule.collective for rule in RULES.values())))
OF_SERVICE = tuple(dict.fromkeys(chain.from_iterable(rule.service for rule in RULES.values())))
OF_FILE = tuple(dict.fromkeys(chain.from_iterable(rule.file for rule in RULES.values())))
OF_WHOLE = tuple(dict.fromkeys(chain.from_iterable(rule.whole for rule in RULES.values())))


def check(collective: Collective) -> list[Finding]:
    """Return the findings of all rules about the collective and its services, sorted by place."""
    own = chain.from_iterable(check_service(service) for service in collective.services)
    return sorted({*check_together(collective), *own})


def check_together(collective: Collective) -> Iterator[Finding]:
    """Yield the findings of the rules about collective.toml, and about what the services have in common."""
    for of_collective in OF_COLLECTIVE:
        yield from of_collective(collective)


def check_service(service: Service, *, whole: bool = True) -> Iterator[Finding]:
    """Yield the findings of the rules that need nothing but one service's folder.

    `whole`: also of those that `check_whole` has; they take docker-compose.yml for all that compose reads.
    """
    for of_service in OF_SERVICE:
        yield from of_service(service)
    for written in written_by(service):
        yield from check_written(written)
        if whole and written.is_main:
            yield from check_whole(written)


def check_written(written: Written) -> list[Finding]:
    """Return the findings about the keys of one compose file, or of what compose made of all of them."""
    return [finding for of_file in OF_FILE for finding in of_file(written)]


def check_whole(written: Written) -> list[Finding]:
    """Return the findings about what no file of a service has, by what compose made of all of them."""
    return [finding for of_whole in OF_WHOLE for finding in of_whole(written)]


def severity_of(finding: Finding) -> Severity:
    """Return how bad a finding is."""
    return RULES[finding.rule].severity


def stops(finding: Finding) -> bool:
    """Return whether a finding stops the deploy of the service in whose folder it is."""
    return severity_of(finding) is Severity.ERROR
