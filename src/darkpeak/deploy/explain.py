"""Say who has what compose could not get: a port of the host, a subnet."""

import re

from darkpeak.engine.engine import Engine

PORT = re.compile(r":(\d+)(?:/\w+)?(?: failed)?: (?:bind: )?(?:port is already allocated|address already in use)")
ALLOCATED = "port is already allocated"  # what the engine itself says, of a port in its own list
RESTART = "run the same again; if that fails too, restart the engine on its machine: systemctl restart docker"
OVERLAPS = "Pool overlaps with other one"


def explain(engine: Engine, message: str) -> str:
    """Return an error message of compose, with who has the port or the subnet that it names."""
    if OVERLAPS in message:
        return f"{message}; the network that overlaps is shown by: darkpeak doctor"
    port = port_of(message)
    if not port:
        return message
    found = engine.docker("ps", "--filter", f"publish={port}", "--format", "{{.Names}}").text.split()
    return f"{who_has(port, found[0] if found else '', message)} ({message})"


def who_has(port: str, container: str, message: str) -> str:
    """Return who has a port for which an engine gave an error, and what to do if nobody has it.

    An engine that was killed takes its list of ports from its files, also those of containers that were removed since.
    """
    if container:
        return f"port {port} is in use by the container {container}"
    if ALLOCATED in message:
        return f"no container has port {port}, but the engine keeps it, as it can after a crash: {RESTART}"
    return f"port {port} is in use by a program on the engine's machine, see there: ss -tlnp"


def port_of(message: str) -> str:
    """Return the port that is in use according to an error message of compose; empty if it is about something else."""
    found = PORT.search(message)
    return found[1] if found else ""
