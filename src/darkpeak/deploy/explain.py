"""Say who has what compose could not get: a port of the host, a subnet."""

import re

from darkpeak.engine.engine import Engine

PORT = re.compile(r":(\d+)(?:/\w+)?(?: failed)?: (?:bind: )?(?:port is already allocated|address already in use)")
OVERLAPS = "Pool overlaps with other one"


def explain(engine: Engine, message: str) -> str:
    """Return an error message of compose, with who has the port or the subnet that it names."""
    if OVERLAPS in message:
        return f"{message}; the network that overlaps is shown by: darkpeak doctor"
    port = port_of(message)
    if not port:
        return message
    found = engine.docker("ps", "--filter", f"publish={port}", "--format", "{{.Names}}").text.split()
    other = "a program on the engine's machine, see there: ss -tlnp"
    return f"port {port} is in use by {f'the container {found[0]}' if found else other} ({message})"


def port_of(message: str) -> str:
    """Return the port that is in use according to an error message of compose; empty if it is about something else."""
    found = PORT.search(message)
    return found[1] if found else ""
