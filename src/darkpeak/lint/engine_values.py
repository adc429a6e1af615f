"""Rules about values that compose passes on as they are, and that the engine refuses. Pure."""

import re
from collections.abc import Iterator
from signal import Signals

from darkpeak.collective.model import Finding
from darkpeak.collective.tree import Tree
from darkpeak.lint.rule import ERROR, Rule
from darkpeak.lint.written import Written, child, items

RULE = "engine-refuses"
RESTART = re.compile(r"no|always|unless-stopped|on-failure(:\d+)?")
SIGNALS = {item.name.removeprefix("SIG") for item in Signals}
REAL_TIME = re.compile(r"RTM(IN(\+\d+)?|AX(-\d+)?)")
CAPABILITIES = frozenset(
    """
    ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH
    FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN
    NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT
    SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM
    """.split()  # noqa: SIM905 (a list of words)
)
UNITS = {"": 1, "b": 1, "k": 2**10, "kb": 2**10, "m": 2**20, "mb": 2**20, "g": 2**30, "gb": 2**30}
SIZE = re.compile(r"(?P<number>\d+)(?P<unit>[a-z]*)")
IMAGE = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")  # as in distribution/reference
LONGEST_IMAGE = 200  # of 255 with a registry's name
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
LEAST_MEMORY = 6 * 2**20  # of every engine
CAN_BE = "write no, always, on-failure or unless-stopped"


def values(written: Written) -> Iterator[Finding]:
    """Yield what the engine does not know or allow in a container; a value with a variable can be anything."""
    for name, container in written.containers():
        for key, right, hint in (
            ("restart", _is_restart, CAN_BE),
            ("stop_signal", _is_signal, "write SIGTERM, SIGINT, SIGQUIT or another signal of Linux"),
            ("mem_limit", _is_memory, "write at least 6m"),
        ):
            text = child(container, key).text()
            if text and "$" not in text and not right(text):
                what = f"the engine refuses {key}: {text} of {name}"
                yield written.finding(container.key_line(key), RULE, what, hint)
        for key in ("cap_add", "cap_drop"):
            for item in items(container, key):
                capability = item.text().upper().removeprefix("CAP_")
                if capability not in CAPABILITIES and "$" not in capability:
                    what = f"the engine refuses {item.text()} in {key} of {name}"
                    yield written.finding(item.line, RULE, what, "see the names: man 7 capabilities")


def names(written: Written) -> Iterator[Finding]:
    """Yield names of images, containers and volumes that no engine takes; `lower-case` finds capital letters."""
    project = written.service.project
    for name, container in written.containers():
        image = f"{project}-{name}".lower()
        if not child(container, "image").text() and (not IMAGE.fullmatch(image) or len(image) > LONGEST_IMAGE):
            what = f"the engine cannot name the image of {name[:50]}"
            line = child(written.tree, "services").key_line(name)
            yield written.finding(line, RULE, what, "use letters, digits and single dashes")
        yield from _named(written, container, "container_name")
    for _, volume in written.section("volumes"):
        yield from _named(written, volume, "name")


def _named(written: Written, entry: Tree, key: str) -> Iterator[Finding]:
    text = child(entry, key).text()
    if text and "$" not in text and not NAME.fullmatch(text):
        what = f"the engine refuses the name {text[:50]!r}"
        yield written.finding(entry.key_line(key), RULE, what, "use letters, digits, dots and dashes")


def mounts(written: Written) -> Iterator[Finding]:
    """Yield mounts that are not at an absolute path, or at the same path as another one."""
    for name, container in written.containers():
        seen: set[str] = set()
        for mount in (*items(container, "volumes"), *items(container, "tmpfs")):
            target = _target(mount, is_tmpfs=mount in items(container, "tmpfs"))
            if "$" in target or not target:
                continue
            if not target.startswith("/") or not target.strip("/"):
                what = f"the engine cannot mount something at {target} in {name}"
                yield written.finding(mount.line, RULE, what, "write a path such as /srv/data")
            elif target in seen:
                what = f"{name} has two mounts at {target}"
                yield written.finding(mount.line, RULE, what, "remove one of them")
            seen.add(target)


def _target(mount: Tree, *, is_tmpfs: bool) -> str:
    """Return where something is mounted; empty if that is not written."""
    if mount.mapping():
        return child(mount, "target").text()
    first, _, rest = mount.text().partition(":")
    return (first if is_tmpfs or not rest else rest.partition(":")[0]).rstrip("/") or mount.text()


def _is_restart(text: str) -> bool:
    return bool(RESTART.fullmatch(text))


def _is_signal(text: str) -> bool:
    name = text.upper().removeprefix("SIG")
    return text.isdecimal() or name in SIGNALS or bool(REAL_TIME.fullmatch(name))


def _is_memory(text: str) -> bool:
    """Return whether a limit is large enough; compose refuses one that it cannot read."""
    found = SIZE.fullmatch(text.lower())
    return not found or int(found["number"]) * UNITS.get(found["unit"], 2**40) >= LEAST_MEMORY


RULES = (
    Rule(
        RULE,
        ERROR,
        "Compose passes these values on without a look. The engine would refuse them in the midst of a deploy.",
        "write a value that the engine knows",
        file=(values, names, mounts),
    ),
)
