"""Rules about Dockerfiles: mistakes are found, with their lines, before anything is built."""

import os
import re
from collections.abc import Iterator
from glob import glob
from pathlib import Path

from darkpeak.collective.model import Finding, Service
from darkpeak.collective.text import Missing, NotReadable, read
from darkpeak.lint.build_file import DEBIAN, build_files, read_instructions
from darkpeak.lint.rule import ERROR, WARNING, Rule
from darkpeak.vocabulary import SUITE

# docs.docker.com/reference/dockerfile
INSTRUCTIONS = {
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
    *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
}
FIRST = {"FROM", "ARG"}
UPGRADE = re.compile(r"\bapt(-get)?\s+(-\S+\s+)*(dist-|full-)?upgrade\b")


def instructions(service: Service) -> Iterator[Finding]:
    """Every line begins with an instruction of Docker, and the first is FROM."""
    for built in build_files(service):
        made = built.container.dockerfile
        try:
            text = made.text if made.inline or made.outside else read(service.folder / made.file)
        except Missing:
            continue  # anatomy.containers finds that
        except NotReadable as error:
            yield Finding(built.at(error.line), "dockerfile", str(error), error.hint)
            continue
        found = list(read_instructions(text))
        for line, word in found:
            if word.upper() not in INSTRUCTIONS:
                hint = "look for a typing error, or for a missing \\ at the end of the line above"
                yield Finding(built.at(line), "dockerfile", f"unknown instruction {word}", hint)
        if found and found[0][1].upper() in INSTRUCTIONS - FIRST:
            what = f"the first instruction is {found[0][1]}, not FROM"
            yield Finding(built.at(found[0][0]), "dockerfile", what, "begin with FROM debian:…")


def bases(service: Service) -> Iterator[Finding]:
    """An image is built from Debian, whose packages `scripts/updates` knows, or from one image that never changes."""
    for built in build_files(service):
        for line, image in built.bases():
            at = built.at(line)
            if "$" not in image and "@sha256:" not in image and not DEBIAN.fullmatch(image):
                name = image.partition(":")[0]
                hint = f"use FROM debian:{SUITE}; or, for what others built, FROM {name}:TAG@sha256:…"
                yield Finding(at, "base-image", f"the base {image} is not Debian, and not pinned", hint)
            elif "$" not in image and "@" not in image and (":" not in image or image.endswith(":latest")):
                what = f"the base {image} is another one with each release"
                yield Finding(at, "latest", what, f"write the release: FROM {image.partition(':')[0]}:{SUITE}")


def upgraded(service: Service) -> Iterator[Finding]:
    """A build without cache upgrades Debian's packages, so that `scripts/updates` is empty after it."""
    for built in build_files(service):
        debian = [line for line, image in built.bases() if DEBIAN.fullmatch(image)]
        if debian and not any(UPGRADE.search(item.rest) for item in built.named("RUN")):
            what = f"the packages of {built.container.name} are not upgraded in the build"
            hint = "write RUN apt-get update && apt-get dist-upgrade -y, before the packages are installed"
            yield Finding(built.at(debian[-1]), "no-upgrade", what, hint)


def exec_form(service: Service) -> Iterator[Finding]:
    """CMD and ENTRYPOINT are lists, so that the program itself gets the signal to stop, and not a shell."""
    for built in build_files(service):
        for item in built.named("CMD", "ENTRYPOINT"):
            if item.rest and not item.rest.startswith(("[", "exec ")):
                first = item.rest.split()[0].replace('"', "")
                what = f"{item.name} starts a shell, which does not pass on the signal to stop"
                hint = f'write a list: {item.name} ["{first}", …]; or a script that ends with exec'
                yield Finding(built.at(item.line), "shell-form", what, hint)


def copies(service: Service) -> Iterator[Finding]:
    """What COPY and ADD copy into an image is there."""
    for built in build_files(service):
        for item in built.named("COPY", "ADD"):
            if any(word.startswith("--from") for word in item.words) or "<<" in item.rest:
                continue
            for source in [word for word in item.words if not word.startswith("--")][:-1]:
                if not _is_there(built.folder, source):
                    hint = f"write it, or fix the line; the paths begin in {built.folder.name}/"
                    what = f"{item.name} of {source}, which does not exist"
                    yield Finding(built.at(item.line), "copy-of-nothing", what, hint)


def _is_there(folder: Path, source: str) -> bool:
    """Return whether a path of COPY or ADD exists; one that only Docker can read counts as existing."""
    if "$" in source or "://" in source or source.startswith("git@"):
        return True
    path = os.path.normpath(f"/{source}").lstrip("/")  # Docker does not leave the folder by .. either
    return os.path.lexists(folder / path) or bool(glob(path, root_dir=folder, include_hidden=True))  # noqa: PTH207 (pathlib refuses some patterns)


RULES = (
    Rule(
        "no-upgrade",
        WARNING,
        "The base image is older than Debian's last security updates. A build without cache must give a service "
        "without outdated packages.",
        "write RUN apt-get update && apt-get dist-upgrade -y",
        service=(upgraded,),
    ),
    Rule(
        "latest",
        WARNING,
        "Without a release, the same Dockerfile builds another system some day, without a change in git.",
        "write the release: FROM debian:trixie",
        service=(bases,),
    ),
    Rule(
        "shell-form",
        WARNING,
        "A shell between the engine and the program does not pass on the signal to stop. So the program is killed "
        "after ten seconds, in the middle of its work.",
        'write a list: CMD ["serve"]',
        service=(exec_form,),
    ),
    Rule("dockerfile", ERROR, "Docker must be able to read the Dockerfile.", "fix the line", service=(instructions,)),
    Rule(
        "base-image",
        WARNING,
        "Debian is the base of all images, so that one command finds all updates. An image of others must at "
        "least be one that never changes.",
        "use FROM debian:trixie; or, for what others built, FROM NAME:TAG@sha256:…",
        service=(bases,),
    ),
    Rule(
        "copy-of-nothing",
        ERROR,
        "A build that copies a missing file fails.",
        "write the file, or fix the line",
        ignorable=True,
        service=(copies,),
    ),
)
