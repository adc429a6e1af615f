"""Rules about what a container may use and gain. They are notes: a service works without them. Pure."""

import re
from collections.abc import Iterator

from darkpeak.collective.model import Finding
from darkpeak.collective.tree import Tree
from darkpeak.lint.rule import NOTE, Rule
from darkpeak.lint.written import Written, child, items

PROTECTED = re.compile(r"no-new-privileges([:=]true)?")
GROWING = {"", "json-file"}  # log drivers that keep everything, if nothing else is said
LINES = {
    "new-privileges": 'security_opt: ["no-new-privileges:true"]',
    "capabilities": "cap_drop: [ALL]",
    "no-memory-limit": "mem_limit: 1g",
    "no-pids-limit": "pids_limit: 500",
    "no-log-limit": 'logging: {driver: local, options: {max-size: 10m, max-file: "3"}}',
}
WHAT = {
    "new-privileges": "can gain rights by setuid programs",
    "capabilities": "keeps capabilities that it may not need",
    "no-memory-limit": "has no limit of memory",
    "no-pids-limit": "has no limit of processes",
    "no-log-limit": "has no limit of its log",
}


def limited(written: Written) -> Iterator[Finding]:
    """A container gains no rights, has only the capabilities that it needs, and has limits."""
    section = child(written.tree, "services")
    for name, container in written.containers():
        if not container.mapping() or "extends" in container.mapping():
            continue
        for rule in _missing(container):
            line = section.key_line(name)
            yield written.finding(line, rule, f"{name} {WHAT[rule]}", f"write {LINES[rule]}")


def _missing(container: Tree) -> Iterator[str]:
    """Yield the rules whose line a container does not have."""
    limits = child(child(child(container, "deploy"), "resources"), "limits")
    logging = child(container, "logging")
    if not any(PROTECTED.fullmatch(item.text()) for item in items(container, "security_opt")):
        yield "new-privileges"
    if not any(item.text().upper() == "ALL" for item in items(container, "cap_drop")):
        yield "capabilities"
    if not (child(container, "mem_limit").text() or child(limits, "memory").text()):
        yield "no-memory-limit"
    if not (child(container, "pids_limit").text() or child(limits, "pids").text()):
        yield "no-pids-limit"
    if child(logging, "driver").text() in GROWING and not child(child(logging, "options"), "max-size").text():
        yield "no-log-limit"


RULES = (
    Rule(
        "new-privileges",
        NOTE,
        "With this line, a program that somebody has broken into cannot become root by a setuid program.",
        f"write {LINES['new-privileges']}",
        whole=(limited,),
    ),
    Rule(
        "capabilities",
        NOTE,
        "Root in a container has fourteen capabilities, and most programs need none of them.",
        "write cap_drop: [ALL], and cap_add with those that it needs",
        whole=(limited,),
    ),
    Rule(
        "no-memory-limit",
        NOTE,
        "A container without a limit can use all memory of the machine; then the kernel kills other services.",
        f"write {LINES['no-memory-limit']}",
        whole=(limited,),
    ),
    Rule(
        "no-pids-limit",
        NOTE,
        "A container that starts processes without end stops the whole machine.",
        f"write {LINES['no-pids-limit']}",
        whole=(limited,),
    ),
    Rule(
        "no-log-limit",
        NOTE,
        "The engine keeps a container's whole log, until the disk is full.",
        f"write {LINES['no-log-limit']}",
        whole=(limited,),
    ),
)
