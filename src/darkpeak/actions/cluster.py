"""Take a machine into the swarm of a host, and let it go again."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep

from darkpeak.collective.content import replace_file
from darkpeak.collective.hosts_text import with_nodes
from darkpeak.collective.model import Collective
from darkpeak.collective.settings import Host
from darkpeak.deploy.stack import share
from darkpeak.engine import swarm
from darkpeak.engine.engine import Engine
from darkpeak.engine.swarm import Node
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.plan.stack import Built
from darkpeak.vocabulary import COLLECTIVE_FILE

WAIT_SECONDS = 120
PAUSE = 0.5
Step = Callable[[str], None]


@dataclass(frozen=True)
class Member:
    """A machine of a swarm, after it has joined or left."""

    host: str  # under [hosts]: the manager
    node: str  # its name in the swarm
    done: str
    written: bool  # collective.toml has changed


def find_cluster(collective: Collective, name: str) -> Host:
    """Return the host with this name, whose daemon is the manager of a swarm.

    Raises:
        UsageError: when there is none.
    """
    found = next((host for host in collective.hosts if host.name == name), None)
    if found is None or not found.swarm:
        what = f"there is no host {name} with a swarm"
        raise UsageError(what, where=COLLECTIVE_FILE, hint=f"write [hosts.{name}] with docker = … and swarm = true")
    return found


def join(collective: Collective, host: Host, uri: str, step: Step) -> Member:
    """Make the host's own daemon a manager, or take another daemon into its swarm; send it the images of stacks.

    Raises:
        UsageError: when the daemon is in another swarm.
        SystemFailure: when a daemon refuses.
    """
    manager = Engine(host.docker, swarm=True)
    if uri in (host.docker, host.name):
        return _begin(host, manager, step)
    node = Engine(uri)
    _refuse_live_restore(node)
    if not swarm.swarm_state(manager)[1]:
        hint = f"make it one: darkpeak host join {host.docker} --to {host.name}"
        raise UsageError(f"{host.name} is not the manager of a swarm", hint=hint)
    done = "already a node"
    if swarm.swarm_state(node)[0] != "active":
        step(f"{uri} joins the swarm of {host.name}")
        swarm.join(node, manager)
        done = "joined"
    found = _wait_for(manager, swarm.own_node(node))
    _send(collective, host, manager, node, step)
    return Member(host.name, found.name, done, _write(collective, host, (*host.nodes, uri)))


def _begin(host: Host, manager: Engine, step: Step) -> Member:
    _refuse_live_restore(manager)
    state, manages = swarm.swarm_state(manager)
    if state == "active" and not manages:
        raise UsageError(f"{host.name} is a node of another manager's swarm", hint="choose that one, or let it leave")
    done = "already a manager"
    if not manages:
        step(f"{host.name} begins a swarm")
        swarm.begin(manager, host.address)
        done = "manager of a new swarm"
    if not any(node.data for node in swarm.find_nodes(manager)):
        swarm.mark_data(manager)
    return Member(host.name, _wait_for(manager, swarm.own_node(manager)).name, done, written=False)


def leave(collective: Collective, uri: str, step: Step) -> Member:
    """Move the tasks of a node to the others, and let it leave; one that is off is struck off the list.

    Raises:
        UsageError: when it is no node of a host, or has the data.
        SystemFailure: when a daemon refuses.
    """
    host = next((host for host in collective.hosts if uri in host.nodes), None)
    if host is None:
        known = ", ".join(node for host in collective.hosts for node in host.nodes) or "none"
        raise UsageError(f"{uri} is no node of a host in {COLLECTIVE_FILE}", hint=f"the nodes are: {known}")
    manager, node = Engine(host.docker, swarm=True), Engine(uri)
    try:
        identity = swarm.own_node(node)
    except SystemFailure:
        return _strike_off(collective, host, manager, uri)
    found = next((item for item in swarm.find_nodes(manager) if item.id == identity), None)
    if found and found.data:
        raise UsageError(f"{found.name} has the volumes", hint="move the services with data to another host first")
    if found:
        step(f"moving the tasks of {found.name} to the other nodes")
        swarm.must(manager, "node", "update", "--availability", "drain", found.id)
        _until(lambda: not swarm.has_tasks(manager, found.id), f"{found.name} still has tasks")
        swarm.must(node, "swarm", "leave")
        _until(lambda: _state(manager, found.id) != "ready", f"{found.name} has not left")
        swarm.must(manager, "node", "rm", "--force", found.id)
    written = _write(collective, host, tuple(item for item in host.nodes if item != uri))
    return Member(host.name, found.name if found else uri, "left", written)


def _strike_off(collective: Collective, host: Host, manager: Engine, uri: str) -> Member:
    """Strike a node off that does not answer, if there is exactly one that is down.

    Raises:
        UsageError: when it is not clear which one it is.
    """
    down = [node for node in swarm.find_nodes(manager) if node.state != "ready"]
    if len(down) != 1:
        what = f"{uri} does not answer, and {len(down)} nodes are down, so it is not clear which one it is"
        hint = f"DOCKER_HOST={host.docker} docker node ls; then: docker node rm --force NODE"
        raise UsageError(what, hint=hint)
    swarm.must(manager, "node", "rm", "--force", down[0].id)
    written = _write(collective, host, tuple(item for item in host.nodes if item != uri))
    return Member(host.name, down[0].name, "struck off", written)


def _send(collective: Collective, host: Host, manager: Engine, node: Engine, step: Step) -> None:
    """Send a node the images of all stacks that run."""
    observed = manager.observe()
    for service in collective.on(host.name).services:
        running = observed.images_of(service.project) if service.stacked else {}
        named = {item.name: item.image for item in service.containers}
        images = {name: Built(image) for name, image in running.items() if named.get(name)}
        if images:
            share(service, images, manager, node, step)


def _refuse_live_restore(engine: Engine) -> None:
    if engine.info().get("LiveRestoreEnabled"):
        what = f"the engine at {engine.name} has live-restore, which a swarm refuses"
        hint = 'write "live-restore": false into its /etc/docker/daemon.json, and restart docker there'
        raise UsageError(what, hint=hint)


def _wait_for(manager: Engine, identity: str) -> Node:
    """Return a node when it is ready.

    Raises:
        SystemFailure: when that takes too long.
    """
    _until(lambda: _state(manager, identity) == "ready", "the node is not ready")
    return next(node for node in swarm.find_nodes(manager) if node.id == identity)


def _state(manager: Engine, identity: str) -> str:
    return next((node.state for node in swarm.find_nodes(manager) if node.id == identity), "")


def _until(over: Callable[[], bool], late: str) -> None:
    end = monotonic() + WAIT_SECONDS
    while not over():
        if monotonic() > end:
            raise SystemFailure(f"{late} after {WAIT_SECONDS} s", hint="run the same command again")
        sleep(PAUSE)


def _write(collective: Collective, host: Host, nodes: tuple[str, ...]) -> bool:
    """Write the nodes of a host into collective.toml; return whether that changed it."""
    if set(nodes) == set(host.nodes):
        return False
    path = collective.root / COLLECTIVE_FILE
    replace_file(path, with_nodes(path.read_bytes().decode(), host.name, nodes).encode())
    return True
