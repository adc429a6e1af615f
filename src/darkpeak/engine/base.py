"""Get the Debian base image: pull it if a registry answers, else build it from Debian's signed archive."""

import os
import pwd
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from darkpeak import process
from darkpeak.collective.model import Service
from darkpeak.engine.base_image import Made, pack
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.vocabulary import LEFT_OUT

FROM_DEBIAN = re.compile(r"^\s*FROM\s+debian:([a-z]+)\s*(?:AS\s+\S+\s*)?$", re.MULTILINE | re.IGNORECASE)
DAY = 86400
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf"}  # of engines


def suites_of(services: Iterable[Service]) -> tuple[str, ...]:
    """Return the Debian suites in the FROM lines of the services' Dockerfiles."""
    texts = (item.dockerfile.text for service in services for item in service.containers)
    return tuple(sorted({suite for text in texts for suite in FROM_DEBIAN.findall(text)}))


def ensure(engine: Engine, suite: str, on_step: Callable[[str], None], *, rebuild: bool = False) -> bool:
    """Make sure that the engine has debian:SUITE; return whether it was pulled or built now.

    Raises:
        SystemFailure: when it can be neither pulled nor built.
    """
    image = f"debian:{suite}"
    if not rebuild:
        if engine.has_image(image):
            return False
        if _pull(engine, image, on_step):
            return True
    on_step(f"building {image} from Debian's signed archive")
    _build(engine, suite)
    return True


def refresh(engine: Engine, suite: str, on_step: Callable[[str], None]) -> None:
    """Get the newest debian:SUITE: from a registry, or, where none answers, built today from Debian's signed archive.

    Raises:
        SystemFailure: when it can be neither pulled nor built.
    """
    image = f"debian:{suite}"
    if not _pull(engine, image, on_step) and engine.age_of_image(image) > DAY:
        ensure(engine, suite, on_step, rebuild=True)


def _pull(engine: Engine, image: str, on_step: Callable[[str], None]) -> bool:
    on_step(f"pulling the image {image}")
    return not engine.docker("pull", "--quiet", image, seconds=process.LONG_SECONDS).code


def make_mmdebstrap(made: Made, target: str) -> tuple[str, ...]:
    """Return the command that makes a root file system; without sources, mmdebstrap uses its defaults."""
    return (
        *("mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates"),
        f"--architectures={made.architecture}",
        *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
        "--dpkgopt=force-unsafe-io",  # a build is repeated after a power failure, so no file need be synced
        *(made.suite, target, *made.sources),
    )


def make_sources(suite: str, listed: str) -> tuple[str, ...]:
    """Return the lines of sources.list for `suite`, on the mirrors that `apt-get indextargets` lists as LABEL|URI."""
    mirrors = dict(reversed([line.rstrip("/").split("|", 1) for line in listed.splitlines() if "|" in line]))
    pockets = (("Debian", suite), ("Debian", f"{suite}-updates"), ("Debian-Security", f"{suite}-security"))
    if "Debian" not in mirrors:
        return ()
    return tuple(f"deb {mirrors[label]} {pocket} main" for label, pocket in pockets if label in mirrors)


def find_sources(suite: str) -> tuple[str, ...]:
    """Return the lines of sources.list for `suite`, on this machine's own mirrors; none without apt."""
    listing = ("apt-get", "indextargets", "--format=$(LABEL)|$(REPO_URI)", "Identifier: Packages")
    listed = process.run(listing).text if shutil.which("apt-get") else ""
    return make_sources(suite, listed)


def _has_another_group() -> bool:
    """Return whether this shell's first group is not the login's own: mmdebstrap cannot map such a group."""
    return os.getgid() != pwd.getpwuid(os.geteuid()).pw_gid


def _build(engine: Engine, suite: str) -> None:
    if not shutil.which("mmdebstrap"):
        raise SystemFailure(
            f"the image debian:{suite} cannot be pulled, and mmdebstrap, which could build it, is not installed",
            hint="apt-get install mmdebstrap, then: darkpeak base",
        )
    # The files' dates are rounded to the day, so that the same archive gives the same image all day.
    build(engine, Made(suite, architecture(engine), int(time.time()) // DAY * DAY, find_sources(suite)))


def build(engine: Engine, made: Made) -> None:
    """Build debian:SUITE from what it is made of, and load it into an engine.

    Raises:
        SystemFailure: when it cannot be built or loaded.
    """
    name = f"debian:{made.suite}"
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(made.epoch)}
    with tempfile.TemporaryDirectory(prefix="darkpeak-base-") as folder:
        layer, image = Path(folder) / "root.tar", Path(folder) / "image.tar"
        done = process.run(make_mmdebstrap(made, str(layer)), environment=environment, seconds=process.LONG_SECONDS)
        if done.code:
            what = f"mmdebstrap could not build {name} for {made.architecture}: {done.last_line()}"
            raise SystemFailure(what, hint=_hint(made))
        try:
            pack(made, layer, image)
        except OSError as error:
            raise SystemFailure(f"the image {name} cannot be written: {error}") from error
        loaded = engine.docker("load", "--quiet", "--input", str(image), seconds=process.LONG_SECONDS)
    if loaded.code:
        raise SystemFailure(f"the engine did not load the image {name}: {loaded.last_line()}")


def architecture(engine: Engine) -> str:
    """Return the architecture of an engine's machine, as Debian calls it.

    Raises:
        SystemFailure: when it does not answer.
    """
    name = str(engine.info().get("Architecture", ""))
    return ARCHITECTURES.get(name, name)


def _hint(made: Made) -> str:
    """Return what to do when mmdebstrap failed.

    The programs of Debian's packages run while these are installed. So an image for another architecture needs an
    emulator.
    """
    if made.architecture != process.run(("dpkg", "--print-architecture")).text.strip():
        return (
            "programs of its packages run meanwhile, so install an emulator: apt-get install arch-test qemu-user-static"
        )
    return "log out and in again, since newgrp changed this shell's own group" if _has_another_group() else ""
