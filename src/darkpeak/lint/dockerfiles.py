"""A rule about Dockerfiles: a mistyped instruction is found, with its line, before anything is built."""

import re
from collections.abc import Iterator

from darkpeak.collective.compose import dockerfile
from darkpeak.collective.model import Finding, Place, Service

# docs.docker.com/reference/dockerfile
INSTRUCTIONS = {
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
    *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
}
FIRST = {"FROM", "ARG"}
ESCAPE = re.compile(r"#\s*escape\s*=\s*`", re.IGNORECASE)
HEREDOC = re.compile(r"<<-?\s*([\"']?)([A-Za-z_][A-Za-z0-9_]*)\1")


def instructions(service: Service) -> Iterator[Finding]:
    """Every line begins with an instruction of Docker, and the first is FROM."""
    for container in service.containers:
        text = dockerfile(service.folder, container.build)
        file = f"{service.at.file.rpartition('/')[0]}/{container.build}/Dockerfile"
        found = list(read_instructions(text))
        for line, word in found:
            if word.upper() not in INSTRUCTIONS:
                hint = "look for a typing error, or for a missing \\ at the end of the line above"
                yield Finding(Place(file, line), "dockerfile", f"unknown instruction {word}", hint)
        if found and found[0][1].upper() in INSTRUCTIONS - FIRST:
            what = f"the first instruction is {found[0][1]}, not FROM"
            yield Finding(Place(file, found[0][0]), "dockerfile", what, "begin with FROM debian:…")


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
