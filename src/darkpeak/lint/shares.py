"""A rule about what a container takes from all others on the machine: processor time, memory, priority. Pure."""

from collections.abc import Iterator

from darkpeak.collective.model import Finding
from darkpeak.collective.tree import Tree
from darkpeak.lint.rule import ERROR, Rule
from darkpeak.lint.written import Written, child, is_on, items

RULE = "before-others"
REMOVE = "remove it: give it mem_limit and cpus, and the others theirs"
# With these, a program changes its own priority, or the limits that the engine gave it.
CAPABILITIES = {"SYS_NICE", "SYS_RESOURCE"}
PRIORITIES = {"rtprio": "real-time priority", "nice": "a higher priority"}
NOTHING = {"", "0"}


def before_others(written: Written) -> Iterator[Finding]:
    """No container lives on where others are killed, and none runs before all others."""
    for name, container in written.containers():
        score = child(container, "oom_score_adj").text()
        if score.startswith("-") or "$" in score:
            what = f"{name} is spared when memory ends, so that the kernel kills others"
            yield written.finding(container.key_line("oom_score_adj"), RULE, what, REMOVE)
        if is_on(container, "oom_kill_disable"):
            what = f"{name} is never killed, so that it stands still when its memory ends"
            yield written.finding(container.key_line("oom_kill_disable"), RULE, what, REMOVE)
        for key in ("cpu_rt_runtime", "cpu_rt_period"):
            if child(container, key).text() not in NOTHING:
                what = f"{name} has real-time processor time, for which all others wait"
                yield written.finding(container.key_line(key), RULE, what, REMOVE)
        for entry in items(container, "cap_add"):
            capability = entry.text().upper().removeprefix("CAP_")
            if capability in CAPABILITIES:
                what = f"{name} has the capability {capability}, and can raise its own priority or limits"
                yield written.finding(entry.line, RULE, what, REMOVE)
        yield from _limits(written, name, container)


def _limits(written: Written, name: str, container: Tree) -> Iterator[Finding]:
    limits = child(container, "ulimits")
    for key, what in PRIORITIES.items():
        limit = child(limits, key)
        if {limit.text(), child(limit, "soft").text(), child(limit, "hard").text()} - NOTHING:
            yield written.finding(limits.key_line(key), RULE, f"{name} may take {what}", REMOVE)


RULES = (
    Rule(
        RULE,
        ERROR,
        "When memory or processor time ends, a container with such a key has all of it, and the other services are "
        "killed or wait.",
        "remove it; mem_limit and cpus say what each container may have",
        file=(before_others,),
    ),
)
