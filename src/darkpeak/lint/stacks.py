"""Rules about services that run as stacks on a swarm: what a stack cannot keep, and where their data is.

Docker drops some of it without a word, so it is found before anything is touched.
"""

from collections.abc import Iterator

from darkpeak.collective.hosts import stacks_of
from darkpeak.collective.model import Collective, Finding, Service
from darkpeak.collective.stacks import CHANGED, KEPT, LOST, NETWORK_KEYS, is_pinned
from darkpeak.collective.tree import Tree
from darkpeak.lint.rule import ERROR, Rule
from darkpeak.lint.written import Written, child, written_by
from darkpeak.vocabulary import LOOPBACK

PAGE = "docs/hosts.md"
OTHER_HOST = "remove it, or assign the service to a host without a swarm"
DECIDED = {"mode": ("", "replicated"), "endpoint_mode": ("", "dnsrr")}


def keys(collective: Collective) -> Iterator[Finding]:
    """Each key of a container means the same in a stack, or is written in another way there."""
    for written, name, container in _containers(collective):
        for key in container.mapping():
            line = container.key_line(key)
            if key in LOST:
                yield written.finding(line, "stack-loses", f"a stack ignores {key} of {name}", LOST[key])
            elif key not in KEPT | CHANGED and not key.startswith("x-"):
                yield written.finding(line, "stack-key", f"{name} has {key}, which a stack cannot keep", OTHER_HOST)
        for network, joined in child(container, "networks").mapping().items():
            for key in sorted(joined.mapping().keys() - NETWORK_KEYS):
                what = f"{name} has {key} in the network {network}, which a stack drops"
                yield written.finding(joined.key_line(key), "stack-key", what, OTHER_HOST)
        deploy = child(container, "deploy")
        for key, allowed in DECIDED.items():
            text = child(deploy, key).text()
            if text not in allowed:
                what = f"{name} has {key}: {text}; here it is {allowed[-1]}"
                yield written.finding(deploy.key_line(key), "stack-key", what, f"remove {key}")


def shared(collective: Collective) -> Iterator[Finding]:
    """A stack has its own networks: those of other services are on one machine."""
    for service in stacks_of(collective):
        for network in service.networks:
            what = f"{service.name} shares the network {network.name}, which is on one machine only"
            hint = "remove it; the other service can be reached through the router"
            yield Finding(network.at, "stack-network", what, hint)


def data(collective: Collective) -> Iterator[Finding]:
    """A volume is on one node, and one task at a time writes into it."""
    for service in stacks_of(collective):
        for container in service.containers:
            if is_pinned(container) and container.replicas not in ("", "0", "1"):
                what = f"{container.name} has a volume and replicas: {container.replicas}"
                hint = "write replicas: 1; a program that can share its data keeps it in another container"
                yield Finding(container.at, "stack-data", what, hint)


def published(collective: Collective) -> Iterator[Finding]:
    """Ports lead to a stack only over TCP, from loopback."""
    for service in stacks_of(collective):
        for port in service.ports:
            if port.protocol != "tcp" or port.address not in ("", LOOPBACK):
                what = f"the port {port.published[0]} is not of TCP on {LOOPBACK}, which a stack needs"
                yield Finding(port.at, "stack-port", what, f'write "{LOOPBACK}:{port.published[0]}:{port.target[0]}"')


def _containers(collective: Collective) -> Iterator[tuple[Written, str, Tree]]:
    for service in stacks_of(collective):
        for written in _files(collective, service):
            for name, container in written.containers():
                yield written, name, container


def _files(collective: Collective, service: Service) -> Iterator[Written]:
    """Yield the compose files that count on the service's host."""
    home = next(host.name for host in collective.hosts if service.name in host.services)
    others = {f"/{override.file}" for override in service.overrides if override.host != home}
    return (written for written in written_by(service) if not written.file.endswith(tuple(others) or ("\0",)))


RULES = (
    Rule(
        "stack-key",
        ERROR,
        "A stack cannot have this key, or Docker drops it without a word.",
        OTHER_HOST,
        page=PAGE,
        collective=(keys,),
    ),
    Rule(
        "stack-loses",
        ERROR,
        "A stack ignores this key. The service may work without it, but somebody must have thought of it.",
        "do without it, and ignore the finding with a comment",
        page=PAGE,
        collective=(keys,),
        ignorable=True,
    ),
    Rule(
        "stack-network",
        ERROR,
        "Networks that services share are on one machine; a stack's tasks are on several.",
        "remove it; the other service can be reached through the router",
        page=PAGE,
        collective=(shared,),
    ),
    Rule(
        "stack-data",
        ERROR,
        "A volume is on one node. Two tasks would write into it, or find different ones.",
        "write replicas: 1",
        page=PAGE,
        collective=(data,),
    ),
    Rule(
        "stack-port",
        ERROR,
        "A container on the manager leads the ports on loopback to the tasks, by TCP.",
        "publish it on 127.0.0.1, without /udp",
        page=PAGE,
        collective=(published,),
    ),
    Rule(
        "nodes-without-swarm",
        ERROR,
        "Only the manager of a swarm has nodes.",
        "write swarm = true, or remove nodes",
        page=PAGE,
    ),
)
