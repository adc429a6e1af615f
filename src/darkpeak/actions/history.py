"""The recorded deploys of services."""

from darkpeak.deploy.target import Target
from darkpeak.evidence import deploys
from darkpeak.evidence.deploys import Deploy


def find_history(target: Target) -> list[Deploy]:
    """Return the recorded deploys of the target's services, the newest first.

    Raises:
        SystemFailure: when the daemon does not answer.
    """
    here = {service.name for service in target.services}
    return [deploy for deploy in deploys.read(target.engine) if deploy.service in here]
