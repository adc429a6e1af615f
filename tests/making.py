"""Make collectives for tests: a valid one in a folder, which a test can then change."""

from collections.abc import Iterable
from pathlib import Path

from darkpeak import lint
from darkpeak.collective.model import Finding
from darkpeak.lint.rule import NOTE

COLLECTIVE = """\
name = "Test"
domain = "localhost"

[admins.ada]
mail = "ada@darkpeak.test"

[admins.grace]
name = "Grace"
"""

WIKI = """\
name: darkpeak-wiki
x-darkpeak:
  about: The members' wiki
  block: 6010
  routes:
    http: 6010
  admins: [ada, grace]
  kind: user
  level: alpha
services:
  webserver:
    build: webserver
    ports: ["127.0.0.1:6010-6011:80"]
    volumes: ["data:/var/lib/wiki"]
    networks: [default, directory]
    restart: unless-stopped
networks:
  default: {ipam: {config: [{subnet: 10.60.10.0/24}]}}
  directory: {name: darkpeak-directory, external: true}
volumes:
  data: {}
"""

DIRECTORY = """\
name: darkpeak-directory
x-darkpeak:
  about: The members
  block: 6020
  admins: [ada, grace]
  kind: infrastructure
  level: alpha
services:
  slapd:
    build: slapd
    ports: ["127.0.0.1:6020:389"]
    networks: [directory]
    restart: unless-stopped
networks:
  directory: {name: darkpeak-directory, ipam: {config: [{subnet: 10.60.20.0/24}]}}
"""

DOCKERFILE = """\
FROM debian:trixie
EXPOSE 80 389
HEALTHCHECK CMD true
RUN apt-get update && apt-get dist-upgrade -y
"""


def write_service(root: Path, name: str, compose: str, container: str, folders: tuple[str, ...] = ()) -> None:
    """Write a service with all its files; its Dockerfile has VOLUME with these folders."""
    folder = root / "services" / name
    (folder / "scripts").mkdir(parents=True)
    (folder / container).mkdir()
    (folder / "docker-compose.yml").write_text(compose)
    (folder / "README.md").write_text(f"# {name}\n\n## Use it\n\n## Run it\n")
    (folder / container / "Dockerfile").write_text(DOCKERFILE + f"VOLUME {' '.join(folders)}\n" * bool(folders))
    for script in ("backup", "restore", "updates"):
        path = folder / "scripts" / script
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)


def write_collective(root: Path) -> Path:
    """Write a valid collective of two services."""
    (root / "collective.toml").write_text(COLLECTIVE)
    write_service(root, "wiki", WIKI, "webserver", ("/var/lib/wiki",))
    write_service(root, "directory", DIRECTORY, "slapd")
    return root


def without_notes(findings: Iterable[Finding]) -> list[Finding]:
    """Return the errors and warnings, sorted: the small collective has no limits, which lint notes."""
    return sorted({item for item in findings if lint.severity_of(item) is not NOTE})


def edit(root: Path, file: str, old: str, new: str) -> None:
    """Replace a text that must be in a file; an empty `old` replaces the whole file."""
    path = root / file
    text = path.read_text()
    assert old in text, f"{old!r} is not in {file}"
    path.write_text(text.replace(old, new, 1) if old else new)
