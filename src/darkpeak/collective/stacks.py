"""What of a container `docker stack deploy` keeps, what we write in another way, and what is lost. Pure.

Docker itself prints one line about some of what it ignores, and goes on.
"""

from collections.abc import Mapping

from darkpeak.collective.model import Container

# Keys of a container that mean the same in a stack.
KEPT = frozenset(
    (
        *("command", "entrypoint", "environment", "hostname", "user", "group_add", "working_dir", "tty", "stdin_open"),
        *("healthcheck", "init", "stop_signal", "stop_grace_period", "ulimits", "sysctls", "logging", "volumes"),
        *("cap_add", "cap_drop", "read_only", "tmpfs", "dns", "dns_search", "extra_hosts"),
    )
)
# Keys that plan/stack.py and plan/door.py say in another way.
CHANGED = frozenset(
    (
        *("image", "build", "pull_policy", "ports", "expose", "labels", "networks", "deploy", "restart"),
        *("mem_limit", "mem_reservation", "cpus", "pids_limit"),
    )
)
# Keys that a stack ignores, without which the service can still work; a comment can say so.
LOST: Mapping[str, str] = {
    "depends_on": "containers of a stack start in any order: let the program wait for the others, and ignore this",
    "security_opt": 'write "no-new-privileges": true into /etc/docker/daemon.json of each node, and ignore this',
}
NETWORK_KEYS = frozenset(("aliases",))  # of a container in a network; Docker drops addresses without a word


def is_pinned(container: Container) -> bool:
    """Return whether a container must stay on the node with the data: it has a named volume."""
    return any(mount.source and not mount.source.startswith(("/", ".", "~")) for mount in container.mounts)
