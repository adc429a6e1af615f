"""The helper's image, with restic and the programs of image/; it is built on the engine where it runs."""

import hashlib
from collections.abc import Callable
from importlib import resources
from importlib.resources.abc import Traversable

from darkpeak import process
from darkpeak.engine import base
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.vocabulary import SUITE

NAME = "darkpeak-helper"


def program(name: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs one of the image's own programs, inside the helper."""
    return ("python3", "-m", f"image.{name}", *arguments)


def image_name(folder: Traversable | None = None) -> str:
    """Return the image's name, which contains a hash of the files that it is built from."""
    found = (folder or _folder()).iterdir()
    files = sorted((file for file in found if file.is_file()), key=lambda file: file.name)
    digest = hashlib.sha256(b"\0".join(file.name.encode() + b"\0" + file.read_bytes() for file in files))
    return f"{NAME}:{digest.hexdigest()[:12]}"


def ensure_image(engine: Engine, on_step: Callable[[str], None]) -> None:
    """Make sure that the engine has the helper's image; it is built from Debian's archive.

    Raises:
        SystemFailure: when it cannot be built.
    """
    name = image_name()
    if engine.has_image(name):
        return
    base.ensure(engine, SUITE, on_step)
    on_step("building the backup helper")
    with resources.as_file(_folder()) as folder:
        arguments = ("build", "--quiet", "--tag", name, "--tag", NAME, str(folder))
        built = engine.docker(*arguments, seconds=process.LONG_SECONDS)
    if built.code:
        raise SystemFailure(f"the backup helper could not be built: {built.last_line()}")


def _folder() -> Traversable:
    return resources.files("darkpeak.helper") / "image"
