"""The collective's one CA: only the router of its home host has the key, and signs for services and other routers.

The home is the first daemon of `place`. The others have the CA's certificate; their keys never leave them.
"""

from collections.abc import Callable

from darkpeak.collective.hosts import peers_of, place
from darkpeak.collective.model import Collective, Service
from darkpeak.deploy.routing import find_router
from darkpeak.deploy.target import Target
from darkpeak.engine import base
from darkpeak.engine.engine import VOLUME_LABEL, Engine
from darkpeak.errors import SystemFailure
from darkpeak.router.control import Router
from darkpeak.vocabulary import BASE_IMAGE, COLLECTIVE_FILE, PROJECT_LABEL, ROUTER, SUITE

CA = "ca"  # the key of the router's volume with the CA


def is_member(target: Target) -> bool:
    """Return whether a host uses the CA of another one; a host without assigned services, as for trials, does not."""
    placed = [item.host.name for item in place(target.collective, target.collective.services) if item.host]
    first = place(target.collective, target.collective.services)[0].host
    return target.host in placed and (first is None or first.name != target.host)


def home_router(collective: Collective) -> Router:
    """Return the router with the CA's key.

    Raises:
        SystemFailure: when its host does not answer, it does not run, or it has no key.
    """
    host = place(collective, collective.services)[0].host
    name = host.name if host else "the default daemon"
    engine = Engine(host.docker if host else None)
    router = find_router(collective, engine, engine.observe())
    if router is None:
        hint = f"start it first: darkpeak up router --host {host.name}" if host else "start it first: darkpeak up"
        raise SystemFailure(f"the router with the collective's CA does not run on {name}", hint=hint)
    if not router.has_key():
        hint = f"write ca = true below the [hosts.NAME] of the host that has it, in {COLLECTIVE_FILE}"
        raise SystemFailure(f"the router on {name} has not the key of the collective's CA", hint=hint)
    return router


def prepare(target: Target, on_step: Callable[[str], None]) -> None:
    """Give the CA's certificate to a host whose router never ran, so that it makes no CA of its own.

    Raises:
        SystemFailure: when the home of the CA does not answer.
    """
    router = next((item for item in target.collective.services if item.name == ROUTER), None)
    volume = dict(router.own_volumes).get(CA) if router else None
    if router is None or volume is None or not is_member(target) or volume in target.engine.volumes(PROJECT_LABEL):
        return
    on_step("getting the certificate of the collective's CA")
    authority = home_router(target.collective).authority()
    base.ensure(target.engine, SUITE, on_step)
    target.engine.create_volume(volume, {PROJECT_LABEL: router.project, VOLUME_LABEL: CA})
    options = ("--rm", "--interactive", "--pull=never", "--network=none", "--volume", f"{volume}:/ca")
    done = target.engine.docker("run", *options, BASE_IMAGE, "tee", "/ca/ca.crt", stdin=authority.encode())
    if done.code:
        target.engine.remove_volume(volume)
        raise SystemFailure(f"the CA's certificate was not written on {target.host}: {done.last_line()}")


def follow(target: Target) -> tuple[str, ...]:
    """Have another host's router use the collective's CA, and a certificate by it; return what was done, or why not."""
    if not is_member(target) and not _peer_name(target.collective):
        return ()
    try:
        return tuple(_follow(target))
    except SystemFailure as error:
        return (f"the router on {target.host} did not get its certificate: {error.message}; later: darkpeak up router",)


def _follow(target: Target) -> list[str]:
    router = find_router(target.collective, target.engine, target.engine.observe())
    if router is None:
        return []
    done = []
    if is_member(target) and router.has_key():
        router.adopt(home_router(target.collective).authority())
        done.append(f"the router on {target.host} has given up its own CA, and uses the collective's")
        for service in target.running:
            if service.certificate:
                certify(target.collective, target.engine, service, service.certificate)
    wanted = router.request()
    if wanted:
        names, request = wanted
        router.take(home_router(target.collective).sign(request, names))
    peer = _peer_name(target.collective)
    wanted = router.request(peer) if peer else None
    if wanted:
        names, request = wanted
        router.take(home_router(target.collective).sign(request, names, peer=True), peer=True)
    return done


def _peer_name(collective: Collective) -> str:
    """Return the name by which the routers of other hosts know this host's; empty if it is not their peer."""
    return f"{collective.here}.peer.{collective.domain}" if collective.here in peers_of(collective) else ""


def certify(collective: Collective, engine: Engine, service: Service, container: str) -> None:
    """Have the collective's CA sign the certificate of a service's container; nothing is done if no router runs.

    Raises:
        SystemFailure: when the service makes no request, the router with the CA does not sign it, or the service
            refuses it.
    """
    observed = engine.observe()
    router = find_router(collective, engine, observed)
    if router is None:
        return
    signer = router if router.has_key() else home_router(collective)
    hosts = {route.host(collective.domain) for route in service.routes.named}
    names = (collective.domain, *sorted(host for host in hosts if host.endswith(f".{collective.domain}")))
    for item in (found for found in observed.of(service.project, container) if found.ready):
        requested = engine.exec_in(item.id, ("certificate", "request"))
        if requested.code:
            why = requested.last_line()
            raise SystemFailure(f"{service.name} did not request its certificate: {why}", where=item.name)
        installed = engine.exec_in(item.id, ("certificate", "install"), signer.sign(requested.stdout, names))
        if installed.code:
            why = installed.last_line()
            raise SystemFailure(f"{service.name} did not install its certificate: {why}", where=item.name)
