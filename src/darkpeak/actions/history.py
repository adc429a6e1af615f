"""The recorded deploys of services."""

from collections.abc import Sequence

from darkpeak.deploy.target import Target
from darkpeak.evidence import deploys
from darkpeak.evidence.deploys import Deploy


def find_history(targets: Sequence[Target]) -> list[Deploy]:
    """Return the recorded deploys of the targets' services, the newest first.

    Raises:
        SystemFailure: when a daemon does not answer.
    """
    found: list[Deploy] = []
    for target in targets:
        here = {service.name for service in target.services}
        found += [deploy for deploy in deploys.read(target.engine) if deploy.service in here]
    return found
