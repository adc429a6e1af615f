"""The log of uptime: one line for each change of a route, so that a year needs little space. Pure.

A line has fields with tabs between them: seconds since 1970, the route's name, its state, and the cause.

    1764216000	wiki	down	503
    1764216090	wiki	up
    1764217000	-	off         the prober ran until here,
    1764217600	-	on          and again from here: what was between is not known

States are up, down, maintenance, and gone: there is no such route any more.
"""

from collections.abc import Iterable, Mapping

from .ask import Answer

PROBER, OFF, ON, GONE = "-", "off", "on", "gone"


def read_states(lines: Iterable[str]) -> dict[str, Answer]:
    """Return the last state of each route; of a damaged line, nothing."""
    states: dict[str, Answer] = {}
    for line in lines:
        fields = line.rstrip("\n").split("\t")
        if len(fields) < 3 or fields[1] == PROBER:  # noqa: PLR2004 (seconds, name, state)
            continue
        if fields[2] == GONE:
            states.pop(fields[1], None)
        else:
            states[fields[1]] = Answer(fields[2], fields[3] if len(fields) > 3 else "")  # noqa: PLR2004 (a cause)
    return states


def changes(at: int, before: Mapping[str, Answer], after: Mapping[str, Answer]) -> list[str]:
    """Return a line for each route whose state is another one; another cause alone is no change."""
    lines = [_line(at, name, *answer) for name, answer in sorted(after.items()) if _changed(before.get(name), answer)]
    return lines + [_line(at, name, GONE) for name in sorted(before.keys() - after.keys())]


def gap(until: int, since: int) -> list[str]:
    """Return the lines that say that the prober did not run between two moments."""
    return [_line(until, PROBER, OFF), _line(since, PROBER, ON)]


def _changed(before: Answer | None, after: Answer) -> bool:
    return before is None or before.state != after.state


def _line(at: int, name: str, state: str, cause: str = "") -> str:
    return "\t".join((str(at), name, state, *([cause] if cause else []))) + "\n"
