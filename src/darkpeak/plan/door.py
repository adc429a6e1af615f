"""The door of a stack: one container on the manager, which leads the service's loopback ports to its tasks. Pure.

The router leads to 127.0.0.1 as for every service. The door has these ports, is in the stack's network, and asks the
engine's DNS for the addresses of the tasks (`tasks.NAME`). It reads nothing of what passes, so it does for streams too.
"""

import hashlib
from collections.abc import Iterator

from darkpeak.collective.model import Service
from darkpeak.plan.stack import led_ports

HEALTH = 5999  # the door answers here, inside, while each port leads to a task
LEAST_SLOTS = 10  # addresses of tasks; while an update starts new ones first, there are up to twice as many
HEAD = """\
global
    maxconn 4000
    log stdout format raw daemon notice

resolvers engine
    nameserver engine 127.0.0.11:53
    resolve_retries 2
    timeout resolve 500ms
    timeout retry 500ms
    accepted_payload_size 8192
    hold valid 500ms
    # A task's name goes two seconds before it is told to stop: it gets nothing new, and may end what it does.
    hold obsolete 0s
    # While the DNS does not answer, what was known stays.
    hold nx 10s
    hold timeout 1h
    hold refused 1h
    hold other 1h

defaults
    mode tcp
    log global
    timeout connect 250ms
    timeout check 1s
    timeout queue 3s
    timeout client 1h
    timeout server 1h
    retries 10
    option redispatch 1
    timeout client-fin 10s
    timeout server-fin 10s
    option clitcpka
    # A node that is off closes no connection: the kernel gives one up on which nothing is acknowledged.
    option srvtcpka
    srvtcpka-idle 3s
    srvtcpka-intvl 1s
    srvtcpka-cnt 3
    balance leastconn
    default-server check inter 1s fastinter 250ms fall 2 rise 1 tcp-ut 3s
    default-server observe layer4 error-limit 1 on-error mark-down
    default-server resolvers engine resolve-prefer ipv4 init-addr none

"""
HEALTHY = """\
frontend health
    mode http
    bind 127.0.0.1:{port}
    monitor-uri /
    monitor fail if {lacking}

"""


def make_door(service: Service) -> str:
    """Return haproxy's configuration."""
    lacking = " or ".join(f"{{ nbsrv({number}) lt 1 }}" for number in ports_of_door(service))
    return HEAD + HEALTHY.format(port=HEALTH, lacking=lacking) + "\n".join(_listen(service))


def ports_of_door(service: Service) -> tuple[int, ...]:
    """Return the ports that the door publishes on loopback; none if the service publishes none."""
    return tuple(number for number, _, _ in led_ports(service))


def name_of_door(project: str) -> str:
    """Return the name of a service's door on the engine."""
    return f"{project}-door"


def hash_door(service: Service) -> str:
    """Return what changes with the configuration of the door."""
    return hashlib.sha256(make_door(service).encode()).hexdigest()[:16]


def _listen(service: Service) -> Iterator[str]:
    for number, name, target in led_ports(service):
        replicas = next(item.replicas for item in service.containers if item.name == name)
        slots = max(LEAST_SLOTS, 3 * int(replicas) if replicas.isdigit() else 0)
        yield f"listen {number}\n    bind :{number}\n    server-template task {slots} tasks.{name}:{target}\n"
