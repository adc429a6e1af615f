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
        "circle",
        ERROR,
        "Services that depend on each other cannot be started one after another.",
        "remove one of the dependencies",
        collective=(no_circle,),
    ),
)
