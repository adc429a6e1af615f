"""Volumes that a deploy makes new, or leaves behind: a volume whose key was renamed begins empty. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from darkpeak.collective.model import Collective, Service
from darkpeak.plan.plan import Plan


def with_volumes(plan: Plan, collective: Collective, labels: Mapping[str, Mapping[str, str]]) -> Plan:
    """Return a plan that names these volumes; `labels` are those of the engine's volumes, by the volume's name."""
    services = {service.name: service for service in collective.services}
    return replace(
        plan,
        services=tuple(
            replace(item, volumes=_changes(services[item.service], labels)) if item.changes else item
            for item in plan.services
        ),
    )


def _changes(service: Service, labels: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """Return in words which volumes are made new and left behind; nothing if the project has no volume yet."""
    project, key = "com.docker.compose.project", "com.docker.compose.volume"
    present = {name for name, own in labels.items() if own.get(project) == service.project and own.get(key)}
    wanted = {name for _, name in service.own_volumes}
    if not present:
        return ()
    made = [f"makes the new volume {name}, which is empty" for name in sorted(wanted - labels.keys())]
    left = [f"leaves the volume {name} behind, with its data" for name in sorted(present - wanted)]
    keys = {name: key for key, name in service.own_volumes}
    pairs = [(labels[name][key], keys[new]) for name in present - wanted for new in wanted - labels.keys()]
    hint = f"to copy the data into the new volume: darkpeak rename {service.name} --volume"
    carry = [f"{hint} {old}={new}" for old, new in pairs if old != new]  # the same if only its `name:` has changed
    return (*made, *left, *(carry if len(carry) == 1 else ()))
