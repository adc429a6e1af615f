"""Who vouches for each name, until when; and a certificate renewed now."""

import time
from collections.abc import Sequence

from darkpeak.actions.target import Target
from darkpeak.deploy.routing import require_router
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.plan.certificates import ListedCertificate, find_certificate, list_certificates
from darkpeak.plan.observed import Observed, find_container
from darkpeak.vocabulary import CERTIFICATES, ROUTER


def find_certificates(targets: Sequence[Target]) -> list[ListedCertificate]:
    """Return a row for each certificate.

    Raises:
        SystemFailure: when a router is not running.
    """
    rows = []
    for target in targets:
        observed = target.engine.observe()
        router = require_router(target.collective, target.engine, observed)
        rows += list_certificates(target.collective, observed, router.certificates(), time.time())
    return rows


def renew(targets: Sequence[Target], name: str) -> None:
    """Have the routers ask their CA now for the certificate that holds a name.

    Raises:
        UsageError: when no certificate is asked for this name.
        SystemFailure: when it was not had; the one before is still served.
    """
    found = False
    for target in targets:
        observed = target.engine.observe()
        known = find_certificate(target.collective, observed, name)
        if known:
            _renew(target, observed, known)
            found = True
    if not found:
        raise UsageError(f"no certificate is requested for {name}", hint="darkpeak certificates lists them all")


def _renew(target: Target, observed: Observed, name: str) -> None:
    running = find_container(target.collective, observed, ROUTER, CERTIFICATES)
    if running is None:
        what = f"the router's container {CERTIFICATES} is not running on {target.engine.name}"
        raise SystemFailure(what, hint="darkpeak up router starts it")
    asked = target.engine.exec_in(running.id, ("renew", name))
    if asked.code:
        what = f"the certificate of {name} was not renewed: {asked.last_line()}"
        raise SystemFailure(what, hint="darkpeak certificates lists them all")
