"""Open a shell, or run a command, in a container of a service."""

from collections.abc import Sequence

from darkpeak import process
from darkpeak.collective.model import Service
from darkpeak.deploy.target import Target
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.plan.observed import Running
from darkpeak.result import Result

BASH = "/bin/bash"


def find_container(target: Target, wanted: str | None) -> Running:
    """Return the running container of the target's service: the named one, or the only one.

    Raises:
        UsageError: when there is no such container, or when there are several and none is named.
        SystemFailure: when it does not run.
    """
    service = target.service
    name = choose_container(service, wanted)
    found = target.engine.containers_of(service.project)
    running = next((item for item in found if item.container == name and item.state == "running"), None)
    if running is None:
        hint = f"start it: darkpeak up {service.name}"
        if service.stacked:
            where = f"docker service ps {service.project}_{name}"
            hint = f"it may run on another node of the swarm: {where}; then the same command with --host URI"
        raise SystemFailure(f"the container {name} of {service.name} does not run", hint=hint)
    return running


def choose_container(service: Service, wanted: str | None) -> str:
    """Return the name of the container that is meant.

    Raises:
        UsageError: when there is none with that name, or when several could be meant.
    """
    names = [container.name for container in service.containers]
    listed = ", ".join(names)
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted in names:
        return wanted
    if not names:
        raise UsageError(f"{service.name} has no containers yet", where=str(service.at))
    what = f"{service.name} has no container {wanted}" if wanted else f"{service.name} has {len(names)} containers"
    raise UsageError(what, hint=f"name one of these: {listed}")


def open_shell(engine: Engine, container: Running, command: Sequence[str], *, terminal: bool) -> int:
    """Run a command in a container, or else bash or sh, on the caller's terminal; return its exit code.

    On a terminal, the docker client passes on each key, also Ctrl-C, and each change of the window's size.
    """
    argv = tuple(command) or (_shell_of(engine, container),)
    return process.attach(make_exec(container.id, argv, terminal=terminal), environment=engine.environment)


def run_command(engine: Engine, container: Running, command: Sequence[str]) -> Result:
    """Run a command in a container without input, to its end; return its result."""
    return engine.exec_by_api(container.id, command)


def make_exec(container: str, argv: Sequence[str], *, terminal: bool) -> tuple[str, ...]:
    """Return the command that runs a program in a container, with our input and output."""
    return ("docker", "exec", "--interactive", *(("--tty",) if terminal else ()), container, *argv)


def _shell_of(engine: Engine, container: Running) -> str:
    """Return the best shell that a container has."""
    return BASH if not engine.exec_by_api(container.id, ("test", "-x", BASH)).code else "sh"
