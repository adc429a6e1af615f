"""Look for texts, such as a member's name, in volumes and in containers' logs; volumes are searched where they are."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from darkpeak import process
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.helper.build import ensure_image, image_name, program
from darkpeak.helper.container import VOLUMES
from darkpeak.helper.image.texts import CHUNK, Search

MEMORY = "512m"  # it reads in pieces, and keeps what it found


@dataclass(frozen=True)
class Found:
    """Texts that are in a file of a volume, or in the log of a container (`place` is empty then).

    Without texts, the file or folder could not be read; `place` says why.
    """

    where: str
    place: str
    texts: tuple[str, ...]


def search_volumes(
    engine: Engine, volumes: Sequence[str], texts: Sequence[str], on_step: Callable[[str], None]
) -> list[Found]:
    """Return in which files of volumes these texts are.

    Raises:
        SystemFailure: when a volume cannot be searched.
    """
    if not volumes:
        return []
    ensure_image(engine, on_step)
    on_step(f"searching {len(volumes)} volumes")
    stdin = json.dumps(list(texts)).encode()
    ran = engine.docker(*make_search(volumes), stdin=stdin, seconds=process.LONG_SECONDS)
    if ran.code:
        raise SystemFailure(f"the volumes were not searched: {ran.last_line()}", hint="run the same command again")
    return list(parse_found(ran.text))


def make_search(volumes: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments of docker that search volumes; the program may read all files, and do nothing else."""
    return (
        *("run", "--rm", "--interactive", "--pull=never", "--log-driver=none", "--network=none", "--read-only"),
        *("--cap-drop=ALL", "--cap-add=DAC_READ_SEARCH", "--security-opt=no-new-privileges", f"--memory={MEMORY}"),
        *(f"--volume={name}:{VOLUMES}/{name}:ro" for name in volumes),
        *(image_name(), *program("search", *(f"{VOLUMES}/{name}" for name in volumes))),
    )


def parse_found(printed: str) -> Iterator[Found]:
    """Yield what the search printed: a folder, a place in it and texts in each line."""
    for folder, place, texts in map(json.loads, printed.splitlines()):
        yield Found(folder.removeprefix(f"{VOLUMES}/"), place, tuple(texts))


def search_logs(engine: Engine, project: str, texts: Sequence[str]) -> Iterator[Found]:
    """Yield the containers of a project in whose logs these texts are, or whose logs could not be read."""
    for container in engine.containers_of(project):
        found = search_output(("docker", "logs", container.id), engine.environment, texts)
        if found is None:
            yield Found(f"the log of {container.name}", "the engine does not have all of it", ())
        elif found:
            yield Found(f"the log of {container.name}", "", tuple(sorted(found)))


def search_output(argv: Sequence[str], environment: Mapping[str, str], texts: Sequence[str]) -> set[str] | None:
    """Return the texts that are in what a program prints, of any size; None if it failed before all were found."""
    with (
        process.talk(argv, environment=environment, stderr=process.WITH_OUTPUT, interruptible=True) as child,
        process.Watchdog(child.process, process.LONG_SECONDS),
    ):
        found = Search(texts).find(iter(partial(child.stdout.read, CHUNK), b""))
        child.stdout.close()  # so that it ends, if all were found
    return found if len(found) == len(texts) or not child.process.returncode else None
