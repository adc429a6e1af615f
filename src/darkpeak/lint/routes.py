"""Rules about routes."""

from collections.abc import Iterator

from darkpeak.collective.model import Collective, Finding, Place, Service
from darkpeak.lint.rule import ERROR, Rule
from darkpeak.vocabulary import BLOCK_SIZE, BLOCKS, JUMP, LABEL, ports_of

PAIR = 2


def labels(service: Service) -> Iterator[Finding]:
    """A label is valid as the first part of a host name, or (with dots) as a whole host name."""
    for route in service.routes.named:
        if not all(LABEL.fullmatch(part) for part in route.label.split(".")):
            hint = "use lower-case letters, digits and inner hyphens"
            yield Finding(route.at, "label", f"{route.label!r} cannot be part of a host name", hint)


def one_label_each(collective: Collective) -> Iterator[Finding]:
    """A host name leads to one service."""
    taken: dict[str, str] = {}
    for service in collective.services:
        for route in service.routes.named:
            first = taken.setdefault(route.host(collective.domain), service.name)
            if first != service.name:
                what = f"the label {route.label} already belongs to {first}"
                yield Finding(route.at, "label-taken", what, "choose another label")


def _ports(service: Service) -> Iterator[tuple[str, int, Place]]:
    yield from (("http", route.port, route.at) for route in service.routes.http)
    yield from (("tcp", route.port, route.at) for route in service.routes.tcp)
    yield from (("tls", route.port, route.at) for route in service.routes.tls)
    for kind, port in (("ssh", service.routes.ssh), ("plain-ssh", service.routes.plain_ssh)):
        if port is not None:
            yield (kind, port, service.key("routes"))
    yield from (("offered", port, service.key("offers")) for _, port in service.offers)


def lead_to_a_port(service: Service) -> Iterator[Finding]:
    """A route leads to a port of the service's own block that one of its containers publishes."""
    block = service.block or 0
    published = {number for port in service.ports if port.protocol == "tcp" for number in port.published}
    for kind, port, at in _ports(service):
        if service.block is not None and service.block not in BLOCKS:
            return
        if port not in ports_of(block):
            hint = f"route to one of {block}-{block + BLOCK_SIZE - 1}" if block else "write block: first"
            yield Finding(at, "route-outside-block", f"the {kind} route's port {port} is outside the block", hint)
        elif port not in published and service.runs:
            what = f"no container publishes TCP port {port} of the {kind} route"
            yield Finding(at, "no-such-port", what, f'publish it: ports: ["127.0.0.1:{port}:80"]')


def at_most_a_pair(service: Service) -> Iterator[Finding]:
    """A route leads to a port that stays, or to a pair: the router looks for a container on two ports, not on more."""
    routed = {number for _, number, _ in _ports(service)}
    for port in service.ports:
        if len(port.published) > PAIR and len(port.target) == 1 and routed & set(port.published):
            first = port.published[0]
            what = (
                f"a route leads to the {len(port.published)} ports {first}-{port.published[-1]}, but at most two work"
            )
            hint = f'publish a pair: "{port.address}:{first}-{first + 1}:{port.target[0]}"'
            yield Finding(port.at, "more-than-a-pair", what, hint)


def public_ports(collective: Collective) -> Iterator[Finding]:
    """A public port is not one of the router's own ports, and not inside the blocks."""
    blocks = range(BLOCKS[0], BLOCKS[-1] + BLOCK_SIZE)
    for route in (route for service in collective.services for route in service.routes.tcp):
        if route.public in collective.router.all:
            what = f"the public port {route.public} of a tcp route is one of the router's own ports"
            yield Finding(route.at, "public-port", what, "use another port here, or under [router] in collective.toml")
        elif route.public in blocks:
            what = f"the public port {route.public} of a tcp route belongs to the services' blocks"
            yield Finding(route.at, "public-port", what, "use the protocol's usual port, like 5222")


def one_public_port_each(collective: Collective) -> Iterator[Finding]:
    """A public port leads to one service."""
    taken: dict[int, str] = {}
    for service in collective.services:
        for route in service.routes.tcp:
            first = taken.setdefault(route.public, service.name)
            if first != service.name:
                what = f"the public port {route.public} already belongs to {first}"
                yield Finding(route.at, "public-port-taken", what, "choose another public port")


def one_plain_ssh(collective: Collective) -> Iterator[Finding]:
    """Plain ssh leads to one service, since it does not send a host name."""
    first = ""
    for service in collective.services:
        if service.routes.plain_ssh is not None and first:
            what = f"plain ssh already leads to {first}"
            yield Finding(service.key("routes"), "plain-ssh-taken", what, "remove it here: ssh by name works for both")
        first = first or (service.name if service.routes.plain_ssh is not None else "")


def proxied(service: Service) -> Iterator[Finding]:
    """The PROXY protocol is only for tcp and tls routes; http has X-Forwarded-For."""
    able = {route.port for route in service.routes.tcp} | {route.port for route in service.routes.tls}
    for port, at in service.routes.proxy:
        if port not in able:
            what = f"no tcp or tls route leads to port {port}, which is in proxy"
            yield Finding(at, "proxy-without-route", what, "write the port of a tcp or tls route")


def jump_is_taken(service: Service) -> Iterator[Finding]:
    """A service with an ssh route is not named `jump`, since that is the router's jump server."""
    if service.routes.ssh is not None and service.name == JUMP:
        yield Finding(
            service.key("routes"), "ssh-name", f"the ssh name {JUMP} belongs to the router", "rename the service"
        )


RULES = (
    Rule(
        "label",
        ERROR,
        "A label must be valid as a part of a host name.",
        "use lower-case letters, digits and inner hyphens",
        service=(labels,),
    ),
    Rule(
        "label-taken", ERROR, "A host name leads to one service.", "choose another label", collective=(one_label_each,)
    ),
    Rule(
        "route-outside-block",
        ERROR,
        "A route leads to a port of the service's own block, and not to another service.",
        "route to a port of the block",
        service=(lead_to_a_port,),
    ),
    Rule(
        "no-such-port",
        ERROR,
        "A route must lead to a port that a container publishes.",
        "publish the port",
        service=(lead_to_a_port,),
    ),
    Rule(
        "more-than-a-pair",
        ERROR,
        "The router looks for a container on two ports, and not on more.",
        "publish a pair of ports",
        service=(at_most_a_pair,),
    ),
    Rule(
        "public-port",
        ERROR,
        "A public port cannot be one of the router's own, or one of the services' blocks.",
        "use the protocol's usual port, like 5222",
        collective=(public_ports,),
    ),
    Rule(
        "public-port-taken",
        ERROR,
        "A public port leads to one service.",
        "choose another public port",
        collective=(one_public_port_each,),
    ),
    Rule(
        "plain-ssh-taken",
        ERROR,
        "Plain ssh sends no host name, so it can lead to one service only.",
        "remove it here: ssh by name works for both",
        collective=(one_plain_ssh,),
    ),
    Rule(
        "proxy-without-route",
        ERROR,
        "The PROXY protocol is for tcp and tls routes; http has X-Forwarded-For.",
        "write the port of a tcp or tls route",
        service=(proxied,),
    ),
    Rule("ssh-name", ERROR, "The ssh name jump belongs to the router.", "rename the service", service=(jump_is_taken,)),
)
