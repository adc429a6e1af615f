"""Go back to the images of an earlier deploy; the files stay as they are."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from darkpeak.actions.up import UpResult, carry_out, ensure_base_images, lock_services
from darkpeak.collective.model import Service
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.evidence import deploys
from darkpeak.evidence.deploys import Deploy
from darkpeak.evidence.ownership import require_ours
from darkpeak.plan.plan import Plan, make_rollback
from darkpeak.progress import Progress

if TYPE_CHECKING:
    from darkpeak.plan.observed import Observed


@dataclass(frozen=True)
class RolledBack:
    """What a rollback did, and the deploy to which it went back."""

    result: UpResult
    to: Deploy


def roll_back(target: Target, number: int | None, progress: Progress) -> RolledBack:
    """Go back to the images of an earlier deploy: the one with this number, or the last different one.

    Raises:
        UsageError: when there is no such deploy, or when the engine belongs to another collective.
        SystemFailure: when its images are gone, or when the daemon fails.
    """
    require_ours(target.collective, target.engine, deploys=True)
    ensure_base_images(target, [], progress)
    service = target.service
    with ExitStack() as stack:
        compose = lock_services(stack, target, [service.name], progress)
        observed = target.engine.observe()
        to = _find_deploy(target, observed, number)
        plan = Plan((make_rollback(target.collective, service, observed, dict(to.images)),))
        return RolledBack(carry_out(target, compose, plan, f"rollback to {to.number}", progress), to)


def _find_deploy(target: Target, observed: "Observed", number: int | None) -> Deploy:
    service = target.service
    good = [deploy for deploy in deploys.read(target.engine, service.name) if deploy.good]
    now = observed.images_of(service.project)
    found = next(
        (deploy for deploy in good if number == deploy.number or (number is None and dict(deploy.images) != now)), None
    )
    if found is None:
        which = f"deploy {number}" if number else "earlier version"
        hint = f"list the deploys: darkpeak history {service.name}"
        raise UsageError(f"there is no {which} of {service.name} to go back to", hint=hint)
    require_containers(service, found)
    gone = [name for name, image in found.images if not target.engine.has_image(image)]
    if gone:
        what = f"the daemon no longer has the image of {gone[0]} in deploy {found.number}"
        raise SystemFailure(what, hint=f"check out commit {found.commit}, then build it: darkpeak up {service.name}")
    return found


def require_containers(service: Service, deploy: Deploy) -> None:
    """Raise an error if a deploy had a container that the files do not have: a rollback changes images, and no files.

    Raises:
        UsageError: with the containers, and what to do.
    """
    lost = sorted(dict(deploy.images).keys() - {container.name for container in service.containers})
    if lost:
        what = f"deploy {deploy.number} of {service.name} had {', '.join(lost)}, which the compose file no longer has"
        hint = f"a rollback changes only images: check out commit {deploy.commit}, then: darkpeak up {service.name}"
        raise UsageError(what, hint=hint)
