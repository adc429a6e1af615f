"""A service that starts in a second, for campaigns of deploys: `web` is replaced side by side, `store` in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.collectives import KEEP_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from lab.collectives import Collective

NAME = "hello"
BLOCK = 6010  # the first one of a service
URL = "http://hello.localhost:7080/"
WGET = "wget, -q, -O, /dev/null, 'http://127.0.0.1/'"
CHECK = f"healthcheck: {{test: [CMD, keep-checking, {WGET}], interval: 1s, timeout: 10m, retries: 2}}"
COMPOSE = f"""\
name: darkpeak-hello
x-darkpeak:
  about: Shows its version
  block: 6900
  routes: {{http: 6900}}
  admins: [ada, grace]
  kind: user
  level: alpha
services:
  web:
    build: web
    init: true
    ports: ["127.0.0.1:6900-6901:80"]
    volumes: ["data:/data"]
    {CHECK}
  store:
    build: store
    init: true
    ports: ["127.0.0.1:6905:80"]
    {CHECK}
networks:
  default: {{ipam: {{config: [{{subnet: 10.69.0.0/24}}]}}}}
volumes:
  data: {{}}
"""
DOCKERFILE = """\
FROM debian:trixie
RUN apt-get update && apt-get install -y --no-install-recommends busybox && rm -rf /var/lib/apt/lists/* \
 && ln -s /bin/busybox /usr/local/bin/wget && mkdir /page
COPY --chmod=755 keep-checking /usr/local/bin/
COPY index.html /page/
EXPOSE 80
CMD ["busybox", "httpd", "-f", "-p", "80", "-h", "/page"]
"""
SCRIPT = "#!/bin/sh\nset -eu\n"


def add(collective: Collective, version: str = "first") -> None:
    """Add the service to a collective."""
    folder = collective.folder(NAME)
    for part in ("web", "store", "scripts"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "docker-compose.yml").write_text(COMPOSE)
    (folder / "README.md").write_text("# Hello\n")
    for script in ("backup", "restore", "updates"):
        (folder / "scripts" / script).write_text(SCRIPT)
        (folder / "scripts" / script).chmod(0o755)
    for part in ("web", "store"):
        write_image(folder / part)
        write(collective, version, part)


def add_many(collective: Collective, number: int) -> list[str]:
    """Add services with only a page, which differ only in name and block; return their names."""
    names = [f"s{index:02}" for index in range(number)]
    for index, name in enumerate(names):
        block = BLOCK + index * 10
        folder = collective.folder(name)
        (folder / "web").mkdir(parents=True)
        (folder / "scripts").mkdir()
        text = COMPOSE.partition("  store:")[0] + COMPOSE[COMPOSE.index("networks:") :]
        text = text.replace("hello", name).replace("6900", str(block)).replace("6901", str(block + 1))
        text = text.replace("10.69.0.0", f"10.{block // 100}.{block % 100}.0").replace("interval: 1s", "interval: 10s")
        (folder / "docker-compose.yml").write_text(text)
        write_image(folder / "web")
        (folder / "web" / "index.html").write_text(name)
        (folder / "README.md").write_text(f"# {name}\n")
        for script in ("backup", "restore", "updates"):
            (folder / "scripts" / script).write_text(SCRIPT)
            (folder / "scripts" / script).chmod(0o755)
    return names


def write_image(folder: Path) -> None:
    """Write what its image is built from, but for the page."""
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "keep-checking").write_text(KEEP_CHECKING)


def write(collective: Collective, version: str, part: str = "web") -> None:
    """Write a new version of one of its containers."""
    (collective.folder(NAME) / part / "index.html").write_text(version)


def break_it(collective: Collective, *, check: str = "'http://127.0.0.1/nothing'") -> None:
    """Make the page's next version start and never become healthy."""
    path = collective.folder(NAME) / "docker-compose.yml"
    path.write_text(COMPOSE.replace("'http://127.0.0.1/'", check, 1))


def repair(collective: Collective) -> None:
    """Undo `break_it`."""
    (collective.folder(NAME) / "docker-compose.yml").write_text(COMPOSE)
