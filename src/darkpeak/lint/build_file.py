"""Read a Dockerfile as its instructions, each with its line. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from darkpeak.collective.model import Container, Place, Service

ESCAPE = re.compile(r"#\s*escape\s*=\s*`", re.IGNORECASE)
HEREDOC = re.compile(r"<<-?\s*([\"']?)([A-Za-z_][A-Za-z0-9_]*)\1")
DEBIAN = re.compile(r"(docker\.io/)?(library/)?(debian|ubuntu)(:[\w.-]+)?")
VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)\}?")


@dataclass(frozen=True)
class Instruction:
    """One instruction: its line, its name in capitals, and what follows the name, with continued lines joined."""

    line: int
    name: str
    rest: str

    @property
    def words(self) -> list[str]:
        """Its words; those of a list in brackets without quotes."""
        flags, _, listed = self.rest.partition("[")
        if listed and all(flag.startswith("--") for flag in flags.split()):
            return [*flags.split(), *re.findall(r'"([^"]*)"', listed)]
        return self.rest.split()


@dataclass(frozen=True)
class BuildFile:
    """The Dockerfile of a container."""

    container: Container
    folder: Path  # from which it is built
    file: str  # from the collective's root; of a text in the compose file, that
    text: str
    above: int = 0  # the lines of the file above the first one of the text

    def at(self, line: int) -> Place:
        """Return the place of a line of the text."""
        return Place(self.file, self.above + line)

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """All instructions, in their order."""
        return read_all(self.text)

    def named(self, *names: str) -> Iterator[Instruction]:
        """Yield the instructions with one of these names."""
        return (item for item in self.instructions if item.name in names)

    def bases(self) -> Iterator[tuple[int, str]]:
        """Yield the line and the image of each FROM that does not name an earlier stage; ARGs have their defaults."""
        stages: set[str] = set()
        defaults = dict(item.rest.split("=", 1) for item in self.named("ARG") if "=" in item.rest)
        for item in self.named("FROM"):
            image = next((word for word in item.words if not word.startswith("--")), "")
            image = VARIABLE.sub(lambda found: defaults.get(found[1], found[0]).strip("\"'"), image)
            if image and image.lower() not in stages and image != "scratch":
                yield item.line, image
            stages.update(after.lower() for word, after in pairwise(item.words) if word.upper() == "AS")

    @property
    def is_debian(self) -> bool:
        """Whether all of it is built from Debian, so that nothing is inherited that the file does not say."""
        return all(DEBIAN.fullmatch(image.partition("@")[0]) for _, image in self.bases())

    def volumes(self) -> dict[str, int]:
        """Return the folders after VOLUME, with their lines."""
        return {(word.rstrip("/") or "/"): item.line for item in self.named("VOLUME") for word in item.words}


def build_files(service: Service) -> Iterator[BuildFile]:
    """Yield the Dockerfile of each container of a service; one that cannot be read is empty."""
    for container in service.containers:
        if container.build:
            made = container.dockerfile
            file = f"{service.at.file.rpartition('/')[0]}/{made.file}"
            yield BuildFile(container, service.folder / container.build, file, made.text, made.above)


@lru_cache(maxsize=4096)
def read_all(text: str) -> tuple[Instruction, ...]:
    """Return the instructions of a Dockerfile."""
    lines = text.splitlines()
    return tuple(
        Instruction(number, word.upper(), _joined(lines, number).partition(word)[2].strip())
        for number, word in read_instructions(text)
    )


def _joined(lines: list[str], number: int) -> str:
    """Return the line with this number and those that continue it, as one; comments between them are left out."""
    joined, at = lines[number - 1].rstrip(), number
    while joined.endswith("\\") and at < len(lines):
        following = "" if lines[at].lstrip().startswith("#") else lines[at].strip()
        joined, at = joined[:-1] + " " + (following or "\\"), at + 1
    return joined


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
