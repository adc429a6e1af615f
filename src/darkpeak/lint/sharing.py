"""Rules about networks and volumes that services use from each other."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from darkpeak.collective.model import Collective, Finding
from darkpeak.lint.rule import ERROR, Rule


def defined_somewhere(collective: Collective) -> Iterator[Finding]:
    """An external network or volume is one that another service defines."""
    defined = {shared.name for service in collective.services for shared in service.shared if not shared.external}
    for service in collective.services:
        for shared in service.shared:
            if shared.external and shared.name not in defined:
                hint = "fix the name, or add the service that defines it"
                yield Finding(shared.at, "undefined-external", f"no service defines {shared.name}", hint)


def defined_once(collective: Collective) -> Iterator[Finding]:
    """One service defines a shared network or volume: otherwise it is as the one that starts first wants it."""
    owners: dict[str, str] = {}
    for service in sorted(collective.services, key=lambda one: one.name):
        for name in {shared.name for shared in service.shared if not shared.external}:
            if name not in owners or f"{name}_".startswith((f"{service.project}_", f"{service.project}-")):
                owners[name] = service.name
    for service in collective.services:
        for shared in service.shared:
            owner = owners.get(shared.name, service.name)
            if not shared.external and owner != service.name:
                what = f"{shared.name} is defined by {owner} too"
                yield Finding(shared.at, "defined-twice", what, "write external: true here")


def no_circle(collective: Collective) -> Iterator[Finding]:
    """Services do not depend on each other in a circle, so that they can be started one after another."""
    graph = {service.name: collective.depends_on(service) for service in collective.services}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = list(dict.fromkeys(error.args[1]))
        start = circle.index(min(circle))
        turned = circle[start:] + circle[:start]
        at = next(service.at for service in collective.services if service.name == turned[0])
        yield Finding(at, "circle", f"{' and '.join(turned)} depend on each other", "remove one of these dependencies")


RULES = (
    Rule(
        "undefined-external",
        ERROR,
        "An external network or volume must be one that another service defines; otherwise nothing can start.",
        "fix the name, or add the service that defines it",
        collective=(defined_somewhere,),
    ),
    Rule(
        "defined-twice",
        ERROR,
        "A shared network or volume is made by one service, which others wait for.",
        "write external: true in all services but one",
        collective=(defined_once,),
    ),
    Rule(
        "circle",
        ERROR,
        "Services that depend on each other cannot be started one after another.",
        "remove one of the dependencies",
        collective=(no_circle,),
    ),
)
