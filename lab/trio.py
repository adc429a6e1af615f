"""A service for a swarm: a page with three replicas, and the ledger's store with a volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import ledger, toy

if TYPE_CHECKING:
    from lab.collectives import Collective

NAME = "trio"
HOST = "trio.localhost"
COMPOSE = f"""\
name: darkpeak-trio
x-darkpeak:
  about: Shows its version three times
  block: 6920
  routes: {{http: 6920}}
  admins: [ada, grace]
  kind: user
  level: alpha
services:
  web:
    build: web
    init: true
    ports: ["127.0.0.1:6920:80"]
    stop_grace_period: 3s
    mem_limit: 64m
    pids_limit: 50
    cap_drop: [ALL]
    cap_add: [NET_BIND_SERVICE]
    deploy: {{replicas: 3}}
    {toy.CHECK}
  store:
    build: store
    init: true
    volumes: ["data:/data"]
    healthcheck: {{test: [CMD, keep-checking, test, -e, /data/ledger], interval: 1s, timeout: 10m, retries: 20}}
networks:
  default: {{ipam: {{config: [{{subnet: 10.69.20.0/24}}]}}}}
volumes:
  data: {{}}
"""


def add(collective: Collective, version: str = "first") -> None:
    """Add the service to a collective."""
    folder = collective.folder(NAME)
    for name, text in ledger.FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if path.parent.name == "scripts" else 0o644)
    (folder / "web").mkdir()
    toy.write_image(folder / "web")
    (folder / "docker-compose.yml").write_text(COMPOSE)
    write(collective, version)


def write(collective: Collective, version: str) -> None:
    """Write a new version of the page."""
    (collective.folder(NAME) / "web" / "index.html").write_text(version)


def edit(collective: Collective, old: str, new: str) -> None:
    """Change its compose file."""
    (collective.folder(NAME) / "docker-compose.yml").write_text(COMPOSE.replace(old, new, 1))
