"""Read the Python and npm packages of an image, in a short container beside those that run.

An image never changes, so what was found is kept on this machine. Nothing is read from volumes.
"""

import json
import tarfile
from dataclasses import asdict
from importlib import resources

from darkpeak import process
from darkpeak.engine.engine import Engine
from darkpeak.engine.resolve import cache_folder, keep
from darkpeak.packages.container import CannotTell
from darkpeak.packages.libraries import Library, read_libraries
from darkpeak.packages.listed import Kind


def make_argv(image: str) -> tuple[str, ...]:
    """Return the command that runs find.sh in a short container of an image, without a network."""
    script = (resources.files("darkpeak.packages") / "find.sh").read_text()
    return (
        *("run", "--rm", "--pull=never", "--log-driver=none", "--no-healthcheck", "--user=0", "--network=none"),
        *("--security-opt=no-new-privileges", "--entrypoint=sh", image, "-c", script),
    )


def find_libraries(engine: Engine, image: str) -> tuple[Library, ...]:
    """Return the Python and npm packages of an image, by its id, except those of Debian's packages.

    Raises:
        CannotTell: when they cannot be read.
        SystemFailure: when the engine does not answer.
    """
    kept = cache_folder() / f"image-{image.removeprefix('sha256:')}.json"
    try:
        return tuple(Library(**{**item, "kind": Kind(item["kind"])}) for item in json.loads(kept.read_bytes()))
    except (OSError, ValueError, TypeError, KeyError):
        pass
    ran = engine.docker(*make_argv(image), seconds=process.LONG_SECONDS)
    if ran.code:
        raise CannotTell(f"its Python and npm packages cannot be found: {ran.last_line()}")
    try:
        found = read_libraries(ran.stdout)
    except tarfile.TarError as error:
        raise CannotTell(f"its Python and npm packages cannot be read: {error}") from error
    keep(kept, json.dumps([asdict(item) for item in found]).encode())
    return found
