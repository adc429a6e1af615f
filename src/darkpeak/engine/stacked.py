"""What compose does to containers, done to the stack of a service: scripts and commands say `stop`, `restart`, `up`.

Compose itself would stop a task, and the swarm would start another one in its place.
"""

from collections.abc import Sequence
from time import monotonic, sleep

from darkpeak.collective.model import Container, Service
from darkpeak.engine.engine import Engine
from darkpeak.plan.door import name_of_door
from darkpeak.process import LONG_SECONDS
from darkpeak.result import Result
from darkpeak.vocabulary import PROJECT_LABEL

PAUSE = 0.5
GONE_SECONDS = 120
LOOKING = ("config", "exec", "images", "logs", "port", "ps", "top", "version", "build", "pull")
DONE = Result(0, b"", b"")


def call(engine: Engine, service: Service, arguments: Sequence[str]) -> Result | None:
    """Do what a compose command says to a stack; return None for one that compose itself may do."""
    command, names = arguments[0], set(arguments[1:])
    named = [item for item in service.containers if item.name in names]
    chosen = named or list(service.containers)
    match command:
        case "stop":
            return _scale(engine, service, [(item, 0) for item in chosen])
        case "start" | "up":
            return _scale(engine, service, [(item, int(item.replicas or 1)) for item in chosen])
        case "restart":
            return _renew(engine, service, chosen)
        case "down":
            failed = _remove(engine, service)
            return failed if failed.code else None  # compose removes the rest
        case command if command in LOOKING:
            return None
        case _:
            what = f"{service.name} runs as a stack, for which `docker compose {command}` does not work"
            return Result(1, b"", what.encode())


def _scale(engine: Engine, service: Service, wanted: Sequence[tuple[Container, int]]) -> Result:
    """Have so many tasks of each container run, and wait for them."""
    now = {item.container: item.wanted for item in engine.observe().stack_of(service.project)}
    numbers = [f"{_name(service, one)}={number}" for one, number in wanted if now.get(one.name, number) != number]
    return engine.docker("service", "scale", *numbers, seconds=LONG_SECONDS) if numbers else DONE


def _renew(engine: Engine, service: Service, chosen: Sequence[Container]) -> Result:
    """Put new tasks in the place of those that run, in the order of an update."""
    for container in chosen:
        done = engine.docker("service", "update", "--force", "--quiet", _name(service, container), seconds=LONG_SECONDS)
        if done.code:
            return done
    return DONE


def _remove(engine: Engine, service: Service) -> Result:
    """Remove the door and the stack, and wait until its containers on this node are gone; volumes stay."""
    if not engine.observe().stack_of(service.project):
        return DONE
    engine.docker("rm", "--force", "--volumes", name_of_door(service.project))
    done = engine.docker("stack", "rm", service.project, seconds=LONG_SECONDS)
    end = monotonic() + GONE_SECONDS
    while not done.code and engine.containers(f"{PROJECT_LABEL}={service.project}") and monotonic() < end:
        sleep(PAUSE)
    return done


def _name(service: Service, container: Container) -> str:
    return f"{service.project}_{container.name}"


def make_logs(service: Service, arguments: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the docker commands for the logs of a stack's containers on all nodes, with compose's options."""
    known = {item.name for item in service.containers}
    options = [word for word in arguments if word not in known]
    named = [item for item in service.containers if item.name in arguments] or service.containers
    return [("docker", "service", "logs", *options, _name(service, item)) for item in named]
