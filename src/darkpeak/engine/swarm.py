"""The swarm that an engine manages: its nodes, and how it is told what shall run there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.process import LONG_SECONDS
from darkpeak.result import Result
from darkpeak.vocabulary import DATA_LABEL

MANAGER_PORT, LISTEN = 2377, "0.0.0.0:2377"
# From which the swarm takes what it needs itself; its own default would be all of 10.0.0.0/8, in which the blocks are.
POOL, POOL_SIZE = "10.241.0.0/16", 24


@dataclass(frozen=True)
class Node:
    """A machine of the swarm."""

    id: str
    name: str
    state: str  # ready, down
    manager: bool = False
    data: bool = False  # it has the volumes of stacks


def find_nodes(engine: Engine) -> tuple[Node, ...]:
    """Return the nodes of the swarm that an engine manages, sorted by name."""
    with engine.errors_as("did not list its nodes", "make it a manager: darkpeak host join URI --to NAME"):
        found = engine.api.get("nodes")
    return tuple(sorted((_node(item) for item in found), key=lambda node: (node.name, node.id)))


def _node(item: Mapping[str, Any]) -> Node:
    return Node(
        id=item["ID"],
        name=item["Description"]["Hostname"],
        state=item["Status"]["State"],
        manager="ManagerStatus" in item,
        data=(item["Spec"].get("Labels") or {}).get(DATA_LABEL) == "true",
    )


def deploy(engine: Engine, project: str, stack: Mapping[str, Any]) -> Result:
    """Give a stack to the swarm, which goes on by itself. No registry is asked: each node has the images."""
    given = ("--compose-file", "-", "--prune", "--resolve-image", "never")
    written = json.dumps(stack).encode()
    return engine.docker("stack", "deploy", *given, project, stdin=written, seconds=LONG_SECONDS)


def must(engine: Engine, *arguments: str, stdin: bytes = b"") -> str:
    """Run the docker client; return what it prints.

    Raises:
        SystemFailure: when it fails.
    """
    done = engine.docker(*arguments, stdin=stdin, seconds=LONG_SECONDS)
    if done.code:
        raise SystemFailure(f"the engine at {engine.name} refused: {done.last_line()}")
    return done.text.strip()


def swarm_state(engine: Engine) -> tuple[str, bool]:
    """Return an engine's own state in its swarm (`inactive` without one), and whether it is a manager."""
    swarm = engine.info().get("Swarm") or {}
    return str(swarm.get("LocalNodeState", "inactive")), bool(swarm.get("ControlAvailable"))


def own_node(engine: Engine) -> str:
    """Return the id of an engine's own node; empty if it is in no swarm."""
    return str((engine.info().get("Swarm") or {}).get("NodeID", ""))


def image_of(engine: Engine, name: str) -> tuple[str, dict[str, str]]:
    """Return the id and the labels of an image."""
    with engine.errors_as("did not describe an image"):
        found = engine.api.get(f"images/{name}/json")
    return str(found["Id"]), dict((found.get("Config") or {}).get("Labels") or {})


def mark_data(engine: Engine) -> None:
    """Make an engine's own node the one that has the volumes of stacks."""
    must(engine, "node", "update", "--label-add", f"{DATA_LABEL}=true", own_node(engine))


def begin(engine: Engine, address: str) -> None:
    """Make an engine the manager of a new swarm; without an address, the engine chooses one of its own."""
    hint = "write the address at which the nodes reach it: address = … below its [hosts.NAME]"
    with engine.errors_as("did not begin a swarm", hint):
        given = {"ListenAddr": LISTEN, "AdvertiseAddr": address, "DefaultAddrPool": [POOL], "SubnetSize": POOL_SIZE}
        engine.api.post("swarm/init", given)


def join(node: Engine, manager: Engine) -> None:
    """Take an engine into the swarm of another. The token goes by the API, so no list of processes shows it."""
    with manager.errors_as("did not say how to join"):
        token = manager.api.get("swarm")["JoinTokens"]["Worker"]
        address = manager.info()["Swarm"]["NodeAddr"]
    hint = f"it must reach {address}:{MANAGER_PORT} by TCP, and port 7946 by TCP and UDP, and 4789 by UDP"
    with node.errors_as("did not join", hint):
        given = {"ListenAddr": LISTEN, "RemoteAddrs": [f"{address}:{MANAGER_PORT}"], "JoinToken": token}
        node.api.post("swarm/join", given)


def has_tasks(manager: Engine, node: str) -> bool:
    """Return whether a task runs on a node, or shall."""
    with manager.errors_as("did not list its tasks"):
        tasks = manager.api.get("tasks", filters={"node": [node]})
    return any(task["Status"]["State"] in ("running", "starting", "preparing") for task in tasks)
