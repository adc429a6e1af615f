"""List the routers' certificates, and renew one now."""

import time

from darkpeak.deploy.routing import require_router
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure
from darkpeak.plan.certificates import ListedCertificate, find_certificate, list_certificates
from darkpeak.plan.observed import Observed, find_container
from darkpeak.vocabulary import CERTIFICATES, ROUTER


def find_certificates(target: Target) -> list[ListedCertificate]:
    """Return a row for each certificate of the target's router.

    Raises:
        SystemFailure: when the router is not running.
    """
    observed = target.engine.observe()
    router = require_router(target.collective, target.engine, observed)
    return list_certificates(target.collective, observed, router.certificates(), time.time())


def renew(target: Target, name: str) -> bool:
    """Have the router request the certificate of a name now; return whether it requests certificates for this name.

    Raises:
        SystemFailure: when the request fails; the certificate before is still served.
    """
    observed = target.engine.observe()
    known = find_certificate(target.collective, observed, name)
    if known:
        _renew(target, observed, known)
    return bool(known)


def _renew(target: Target, observed: Observed, name: str) -> None:
    running = find_container(target.collective, observed, ROUTER, CERTIFICATES)
    if running is None:
        what = f"the router's container {CERTIFICATES} is not running on the engine at {target.engine.name}"
        raise SystemFailure(what, hint="start it: darkpeak up router")
    renewed = target.engine.exec_in(running.id, ("renew", name))
    if renewed.code:
        what = f"the certificate of {name} was not renewed: {renewed.last_line()}"
        raise SystemFailure(what, hint="list all: darkpeak certificates")
