"""A service into which members write by http: each request adds a line, which is only answered when it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.collectives import KEEP_CHECKING

if TYPE_CHECKING:
    from lab.collectives import Collective

NAME = "book"
FILES = {
    "docker-compose.yml": """\
name: darkpeak-book
x-darkpeak:
  about: Lines that members have written
  block: 6950
  routes: {http: 6950}
  admins: [ada, grace]
  kind: user
  level: alpha
services:
  web:
    build: web
    init: true
    ports: ["127.0.0.1:6950:80"]
    volumes: ["data:/data"]
    healthcheck: {test: [CMD, keep-checking, wget, -q, -O, /dev/null, 'http://127.0.0.1/cgi-bin/lines'],
      interval: 300ms, timeout: 10m, retries: 20}
networks:
  default: {ipam: {config: [{subnet: 10.69.50.0/24}]}}
volumes:
  data: {}
""",
    "README.md": "# Book\n",
    "web/Dockerfile": """\
FROM debian:trixie
RUN apt-get update && apt-get install -y --no-install-recommends busybox && rm -rf /var/lib/apt/lists/* \
 && ln -s /bin/busybox /usr/local/bin/wget
VOLUME ["/data"]
EXPOSE 80
COPY --chmod=755 keep-checking /usr/local/bin/
COPY --chmod=755 write lines headers /page/cgi-bin/
CMD ["busybox", "httpd", "-f", "-p", "80", "-h", "/page"]
""",
    "web/keep-checking": KEEP_CHECKING,
    "web/write": """\
#!/bin/sh
set -eu
echo "$QUERY_STRING" >>/data/lines
printf 'Content-Type: text/plain\\r\\n\\r\\nwritten\\n'
""",
    "web/headers": """\
#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
env | grep ^HTTP_
""",
    "web/lines": """\
#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
cat /data/lines 2>/dev/null || true
""",
    "scripts/backup": """\
#!/bin/sh
set -eu
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
docker compose exec -T web sh -c 'cat /data/lines 2>/dev/null || true' </dev/null >"$folder/lines"
""",
    "scripts/restore": """\
#!/bin/sh
set -eu
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
docker compose exec -T web sh -c 'cat >/data/next; mv /data/next /data/lines' <"$folder/lines"
""",
    "scripts/verify": """\
#!/bin/sh
set -eu
cd "$(dirname "$0")/.."
docker compose exec -T web sh -c 'echo "$(wc -l </data/lines) lines"' </dev/null
""",
    "scripts/updates": "#!/bin/sh\n",
}


def add(collective: Collective) -> None:
    """Add the service to a collective."""
    for name, text in FILES.items():
        path = collective.folder(NAME) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if path.parent.name == "scripts":
            path.chmod(0o755)
