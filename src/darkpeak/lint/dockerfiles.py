"""Rules about Dockerfiles: mistakes are found, with their lines, before anything is built."""

import os
import re
from collections.abc import Iterator
from glob import glob
from itertools import pairwise
from pathlib import Path

from darkpeak.collective.compose import dockerfile
from darkpeak.collective.model import Finding, Place, Service
from darkpeak.collective.text import Missing, NotReadable, read
from darkpeak.lint.rule import ERROR, WARNING, Rule
from darkpeak.vocabulary import SUITE

# docs.docker.com/reference/dockerfile
INSTRUCTIONS = {
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
    *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
}
FIRST = {"FROM", "ARG"}
DEBIAN = re.compile(r"(docker\.io/)?(library/)?(debian|ubuntu)(:[\w.-]+)?")
ESCAPE = re.compile(r"#\s*escape\s*=\s*`", re.IGNORECASE)
HEREDOC = re.compile(r"<<-?\s*([\"']?)([A-Za-z_][A-Za-z0-9_]*)\1")


def instructions(service: Service) -> Iterator[Finding]:
    """Every line begins with an instruction of Docker, and the first is FROM."""
    for container in service.containers:
        try:
            text = read(service.folder / container.build / "Dockerfile") if container.build else ""
        except Missing:
            continue  # anatomy.containers finds that
        except NotReadable as error:
            at = Place(f"{service.at.file.rpartition('/')[0]}/{container.build}/Dockerfile", error.line)
            yield Finding(at, "dockerfile", str(error), error.hint)
            continue
        file = f"{service.at.file.rpartition('/')[0]}/{container.build}/Dockerfile"
        found = list(read_instructions(text))
        for line, word in found:
            if word.upper() not in INSTRUCTIONS:
                hint = "look for a typing error, or for a missing \\ at the end of the line above"
                yield Finding(Place(file, line), "dockerfile", f"unknown instruction {word}", hint)
        if found and found[0][1].upper() in INSTRUCTIONS - FIRST:
            what = f"the first instruction is {found[0][1]}, not FROM"
            yield Finding(Place(file, found[0][0]), "dockerfile", what, "begin with FROM debian:…")


def bases(service: Service) -> Iterator[Finding]:
    """An image is built from Debian, whose packages `scripts/updates` knows, or from one image that never changes."""
    for file, _, text in _texts(service):
        stages: set[str] = set()
        for line, words in _read_words(text, "FROM"):
            image = next((word for word in words if not word.startswith("--")), "")
            known = image.lower() in stages or image == "scratch" or "$" in image or "@sha256:" in image
            if image and not known and not DEBIAN.fullmatch(image):
                hint = (
                    f"use FROM debian:{SUITE}; or, for what others built, FROM {image.partition(':')[0]}:TAG@sha256:…"
                )
                yield Finding(Place(file, line), "base-image", f"the base {image} is not Debian, and not pinned", hint)
            stages.update(after.lower() for word, after in pairwise(words) if word.upper() == "AS")


def copies(service: Service) -> Iterator[Finding]:
    """What COPY and ADD copy into an image is there."""
    for file, folder, text in _texts(service):
        for name in ("COPY", "ADD"):
            for line, words in _read_words(text, name):
                sources = [word for word in words if not word.startswith("--")][:-1]
                if any(word.startswith("--from") for word in words) or "<<" in " ".join(words):
                    continue
                for source in sources:
                    if not _is_there(folder, source):
                        hint = f"write it, or fix the line; the paths begin in {folder.name}/"
                        what = f"{name} of {source}, which does not exist"
                        yield Finding(Place(file, line), "copy-of-nothing", what, hint)


def _is_there(folder: Path, source: str) -> bool:
    """Return whether a path of COPY or ADD exists; one that only Docker can read counts as existing."""
    if "$" in source or "://" in source or source.startswith("git@"):
        return True
    path = source.lstrip("/")
    return os.path.lexists(folder / path) or bool(glob(path, root_dir=folder, include_hidden=True))  # noqa: PTH207 (pathlib refuses some patterns)


def _texts(service: Service) -> Iterator[tuple[str, Path, str]]:
    """Yield the path, the folder and the text of each Dockerfile of a service."""
    for container in service.containers:
        if container.build:
            file = f"{service.at.file.rpartition('/')[0]}/{container.build}/Dockerfile"
            yield file, service.folder / container.build, dockerfile(service.folder, container.build)


def _read_words(text: str, instruction: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the words of each instruction of one name; continued lines are joined."""
    lines = text.splitlines()
    for number, word in read_instructions(text):
        if word.upper() == instruction:
            joined, at = lines[number - 1].rstrip(), number
            while joined.endswith("\\") and at < len(lines):
                joined, at = joined[:-1] + " " + lines[at].strip(), at + 1
            rest = joined.split(None, 1)[1] if len(joined.split()) > 1 else ""
            flags, _, listed = rest.partition("[")
            as_list = listed and all(flag.startswith("--") for flag in flags.split())
            yield number, [*flags.split(), *re.findall(r'"([^"]*)"', listed)] if as_list else rest.split()


def read_instructions(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the first word of each instruction; continued lines and here-documents are skipped."""
    escape = "`" if any(ESCAPE.match(line) for line in text.splitlines()[:2]) else "\\"
    continued, ends = False, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if ends:
            ends = ends[1:] if stripped == ends[0] else ends
        elif stripped and not stripped.startswith("#"):
            if not continued:
                yield number, stripped.split()[0]
            ends = [word for _, word in HEREDOC.findall(stripped)]
            continued = stripped.endswith(escape)


RULES = (
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
