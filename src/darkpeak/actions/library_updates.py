"""Find outdated Python and npm packages in the images of running containers."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from darkpeak.actions.updates import AT_ONCE, Found, Unknown, Update, Updates, list_containers
from darkpeak.collective import count
from darkpeak.deploy.target import Target
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.packages.container import CannotTell
from darkpeak.packages.image import find_libraries
from darkpeak.packages.libraries import Library
from darkpeak.packages.newest import Answers, find_newer
from darkpeak.progress import Progress

Read = tuple[Library, ...] | CannotTell


def find_library_updates(targets: Sequence[Target], progress: Progress) -> Updates:
    """Return the outdated Python and npm packages of all running containers, and where they are unknown."""
    updates: list[Update] = []
    unknown: list[Unknown] = []
    read: list[tuple[Found, tuple[Library, ...]]] = []
    for target in targets:
        try:
            listed = [item for item in list_containers(target) if item.running]
        except SystemFailure as error:
            unknown += [Unknown(service.name, "", error.message) for service in target.running]
            continue
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for found, libraries in zip(listed, pool.map(partial(read_one, target.engine), listed), strict=True):
                if isinstance(libraries, CannotTell):
                    unknown.append(Unknown(found.service, found.container, str(libraries)))
                else:
                    read.append((found, libraries))
    wanted = {item for _, libraries in read for item in libraries}
    if wanted:
        progress.step("packages", f"asking pip and npm about {count(len(wanted), 'package')}")
    answers = find_newer(wanted)
    for found, libraries in read:
        updates += _make(found, libraries, answers)
        unknown += _unknown(found, libraries, answers)
    return Updates(tuple(sorted(set(updates))), tuple(sorted(unknown)))


def read_one(engine: Engine, found: Found) -> Read:
    """Return the Python and npm packages of a running container."""
    try:
        return find_libraries(engine, found.running.image) if found.running else ()
    except CannotTell as error:
        return error
    except SystemFailure as error:
        return CannotTell(error.message)


def _make(found: Found, libraries: Sequence[Library], answers: Answers) -> Iterator[Update]:
    for item in libraries:
        newer = answers[item]
        if isinstance(newer, str) and newer:
            yield Update(found.service, found.container, item.name, item.version, newer, security=False, kind=item.kind)


def _unknown(
    found: Found, libraries: Sequence[Library], answers: Mapping[Library, str | CannotTell]
) -> Iterator[Unknown]:
    """Yield one reason for each kind of package; that of the first one stands for the others."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for item in libraries:
        answer = answers[item]
        if isinstance(answer, CannotTell):
            reasons[item.kind].append(str(answer))
    for first, *others in reasons.values():
        more = f" (and {count(len(others), 'package')} more)" if others else ""
        yield Unknown(found.service, found.container, f"{first}{more}")
