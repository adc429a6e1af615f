"""Make, renew and remove the stand-ins of an engine: containers that answer for services which live on other hosts.

A stand-in has the router's image, and leads to the router of its host, which leads to that of the service's host.
"""

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from darkpeak.collective.model import Collective
from darkpeak.collective.stand_ins import StandIn, find_stand_ins
from darkpeak.deploy.routing import find_router
from darkpeak.engine.engine import NETWORK_LABEL, Engine
from darkpeak.errors import SystemFailure
from darkpeak.plan.observed import Observed
from darkpeak.vocabulary import HAPROXY, PROJECT, PROJECT_LABEL, ROUTER

LABEL, PORTS_LABEL = "darkpeak.stand-in", "darkpeak.stand-in.ports"
SOCKETS = "sockets"  # the key of the router's volume with its sockets
FOLDER = "/run/sockets"
HARMLESS = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--user=haproxy")
LIMITS = ("--memory=64m", "--pids-limit=50", "--log-driver=local", "--log-opt=max-size=10m", "--log-opt=max-file=3")
_making = threading.Lock()  # several services that start at the same time may need the same one


@dataclass(frozen=True)
class Change:
    """A stand-in that must be made, and why; or one that is removed, by its container's name."""

    why: str
    stand_in: StandIn | None = None
    container: str = ""

    def __str__(self) -> str:
        return (
            f"{self.stand_in} will be made: {self.why}"
            if self.stand_in
            else f"{self.container} will be removed: {self.why}"
        )


def find_changes(collective: Collective, engine: Engine, observed: Observed) -> list[Change]:
    """Return how the stand-ins of an engine differ from the files."""
    wanted = {name_of(item): item for item in find_stand_ins(collective, collective.here)}
    there = {item["Names"][0].lstrip("/"): item for item in engine.containers(LABEL)}
    image = observed.image_ids.get(_image(collective), "")
    found = [Change(why, item) for name, item in wanted.items() if (why := differs(item, there.get(name), image))]
    gone = sorted(there.keys() - wanted.keys())
    return [*found, *(Change("no service here needs it any more", container=name) for name in gone)]


def follow(collective: Collective, engine: Engine) -> list[str]:
    """Make the stand-ins of an engine match the files; return in words what was done.

    Raises:
        SystemFailure: when the engine refuses.
    """
    done = []
    for change in find_changes(collective, engine, engine.observe()):
        if change.stand_in:
            make(collective, engine, change.stand_in)
            done.append(f"{change.stand_in} answers on {collective.here}: {change.why}")
        else:
            _remove(engine, change.container)
            done.append(f"{change.container} was removed: {change.why}")
    return done


def make(collective: Collective, engine: Engine, stand_in: StandIn) -> None:
    """Make a stand-in, and the network in which it answers, unless it is there as it should be.

    Raises:
        SystemFailure: when the engine refuses.
    """
    name = name_of(stand_in)
    with _making:
        changes = find_changes(collective, engine, engine.observe())
        if all(item.stand_in != stand_in for item in changes):
            return
        _make_network(engine, stand_in)
        engine.docker("rm", "--force", name)
        made = engine.docker(*make_argv(collective, stand_in))
        if made.code:
            raise SystemFailure(
                f"{stand_in} was not made: {made.last_line()}", hint="start the router: darkpeak up router"
            )


def make_argv(collective: Collective, stand_in: StandIn) -> tuple[str, ...]:
    """Return the arguments with which `docker` starts a stand-in."""
    router = next(item for item in collective.services if item.name == ROUTER)
    labels = {LABEL: stand_in.service, PORTS_LABEL: _ports(stand_in), PROJECT_LABEL: ""}
    return (
        *(
            "run",
            "--detach",
            "--pull=never",
            f"--name={name_of(stand_in)}",
            "--restart=unless-stopped",
            "--no-healthcheck",
        ),
        *(f"--label={key}={value}" for key, value in labels.items()),
        *(f"--network={stand_in.network}", f"--network-alias={stand_in.service}", *HARMLESS, *LIMITS),
        *(f"--volume={dict(router.own_volumes)[SOCKETS]}:{FOLDER}", _image(collective), "stand-in"),
        *_ports(stand_in).split(),
    )


def find_unreached(collective: Collective, engine: Engine, observed: Observed) -> Mapping[str, StandIn]:
    """Return the services of an engine that are cut off from what a stand-in there stands for, each with that."""
    found = {str(port): item for item in find_stand_ins(collective, collective.here) for _, port in item.ports[:1]}
    router = find_router(collective, engine, observed) if found else None
    if router is None:
        return {}
    addresses = {host.name: host.address for host in collective.hosts}
    names = {f"{port}x0-0-0-0.{item.host}.peer.{collective.domain}": item for port, item in found.items()}
    lost = router.unreached({name: addresses[item.host] for name, item in names.items()})
    return {user: names[name] for name in lost for user in names[name].users}


def find_faults(collective: Collective, engine: Engine) -> dict[str, str]:
    """Return what is wrong with the stand-ins of an engine, by what they are; nothing if the engine does not answer."""
    with suppress(SystemFailure):
        observed = engine.observe()
        lost = find_unreached(collective, engine, observed).values()
        found = {str(item): f"{item.host} is not reached" for item in lost}
        made = ((str(item.stand_in), item.why) for item in find_changes(collective, engine, observed) if item.stand_in)
        return found | dict(made)
    return {}


def name_of(stand_in: StandIn) -> str:
    """Return the name of a stand-in's container."""
    return f"{PROJECT}stand-in-{stand_in.service}-{stand_in.key}"


def _image(collective: Collective) -> str:
    routers = (item for item in collective.services if item.name == ROUTER)
    return next((one.image for item in routers for one in item.containers if one.name == HAPROXY), "")


def _ports(stand_in: StandIn) -> str:
    return " ".join(f"{port}={own}" for port, own in stand_in.ports)


def differs(stand_in: StandIn, found: Mapping[str, Any] | None, image: str) -> str:
    """Return in words why a stand-in must be made; empty if it is as it should be."""
    if found is None:
        return "there is none yet"
    if found["State"] != "running":
        return f"it is {found['State']}"
    if found["Labels"].get(PORTS_LABEL) != _ports(stand_in):
        return "its ports have changed"
    return "the router's image has changed" if found["ImageID"] != image else ""


def _make_network(engine: Engine, stand_in: StandIn) -> None:
    """Make the service's network as compose would, so that it can come to live here."""
    if any(item["Name"] == stand_in.network for item in engine.networks()):
        return
    labels = {PROJECT_LABEL: stand_in.project, NETWORK_LABEL: stand_in.key}
    words = [f"--label={key}={value}" for key, value in labels.items()]
    words += [f"--subnet={stand_in.subnet}"] if stand_in.subnet else []
    made = engine.docker("network", "create", *words, stand_in.network)
    if made.code:
        raise SystemFailure(f"the network {stand_in.network} was not made: {made.last_line()}")


def _remove(engine: Engine, container: str) -> None:
    networks = engine.inspect(container)["NetworkSettings"]["Networks"]
    removed = engine.docker("rm", "--force", container)
    if removed.code:
        raise SystemFailure(f"{container} was not removed: {removed.last_line()}")
    for network in networks:
        if not any(network in item["NetworkSettings"]["Networks"] for item in engine.containers()):
            engine.docker("network", "rm", network)
