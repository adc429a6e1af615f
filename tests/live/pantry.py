"""A service without logins: the router lets its members in, and it shows who the router says they are."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from lab.collectives import KEEP_CHECKING, TOP

if TYPE_CHECKING:
    from lab.collectives import Collective

NAME = "pantry"
COMPOSE = """\
name: darkpeak-pantry
x-darkpeak:
  about: What is in the pantry
  block: 6930
  routes: {http: 6930}
  admins: [ada, grace]
  kind: user
  level: alpha
  login: [cooks, admins]
services:
  web:
    build: web
    restart: unless-stopped
    ports: ["127.0.0.1:6930:80"]
networks:
  default: {ipam: {config: [{subnet: 10.69.30.0/24}]}}
"""
DOCKERFILE = """\
FROM debian:trixie
RUN apt-get update && apt-get dist-upgrade -y \
 && apt-get install -y --no-install-recommends busybox && rm -rf /var/lib/apt/lists/*
COPY --chmod=755 keep-checking /usr/local/bin/
COPY --chmod=755 who /page/cgi-bin/
EXPOSE 80
HEALTHCHECK --interval=1s --timeout=10m \
 CMD ["keep-checking", "busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1/cgi-bin/who"]
CMD ["busybox", "httpd", "-f", "-p", "80", "-h", "/page"]
"""
WHO = """\
#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
echo "${HTTP_X_FORWARDED_USER:-nobody} of ${HTTP_X_FORWARDED_GROUPS:-none} with ${HTTP_COOKIE:-no cookie}"
"""
PAGE = "/cgi-bin/who"


def add(collective: Collective) -> None:
    """Add the service to a collective."""
    folder = collective.folder(NAME)
    (folder / "web").mkdir(parents=True)
    shutil.copytree(TOP / "shapes/static/scripts", folder / "scripts")
    (folder / "docker-compose.yml").write_text(COMPOSE)
    (folder / "README.md").write_text("# Pantry\n\n## Use it\n\n## Run it\n")
    for name, text in {"Dockerfile": DOCKERFILE, "who": WHO, "keep-checking": KEEP_CHECKING}.items():
        (folder / "web" / name).write_text(text)
