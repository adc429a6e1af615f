"""A service whose whole content is known: a ledger of transfers, which must sum to zero. For backups and drills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.collectives import KEEP_CHECKING

if TYPE_CHECKING:
    from lab.collectives import Collective

NAME = "ledger"
PROJECT = "darkpeak-ledger"
FILES = {
    "docker-compose.yml": """\
name: darkpeak-ledger
x-darkpeak:
  about: Who owes whom
  block: 6910
  admins: [ada, grace]
  kind: user
  level: alpha
services:
  store:
    build: store
    init: true
    ports: ["127.0.0.1:6910:80"]
    volumes: ["data:/data"]
    healthcheck: {test: [CMD, keep-checking, test, -e, /data/ledger], interval: 300ms, timeout: 10m, retries: 20}
networks:
  default: {ipam: {config: [{subnet: 10.69.10.0/24}]}}
volumes:
  data: {}
""",
    "README.md": "# Ledger\n",
    "store/Dockerfile": """\
FROM debian:trixie
VOLUME ["/data"]
EXPOSE 80
COPY dump book verify keep-checking /usr/local/bin/
RUN mkdir -p /data && : >/data/ledger && : >/data/journal && chown -R games:games /data && chmod 755 /usr/local/bin/*
USER games
CMD ["sleep", "infinity"]
""",
    "store/book": """\
#!/bin/sh
# book N SEED: writes N transfers, each as two lines that sum to zero, and a line in the journal.
set -eu
awk -v n="$1" -v seed="$2" >/data/next 'BEGIN {
    srand(seed)
    for (i = 0; i < n; i++) { x = int(rand() * 1e9); print i, x; print i, -x }
}'
mv /data/next /data/ledger
echo "$(date --utc +%FT%T.%N) $1 $2" >>/data/journal
""",
    "store/keep-checking": KEEP_CHECKING,
    "store/dump": """\
#!/bin/sh
# Prints the ledger, and then its number of lines. It is slow, so that a test can kill it half way.
set -eu
split --number=20 --filter='cat; sleep 0.02' /data/ledger
echo "# $(wc -l </data/ledger) lines"
""",
    "store/verify": """\
#!/bin/sh
# Prints the number of lines and the time of the newest transfer; fails if the lines do not sum to zero.
set -eu
awk -v newest="$(tail -n 1 /data/journal | cut -d' ' -f1)" '
    { sum += $2 } END { print NR " lines, the newest of " newest; exit sum != 0 }' /data/ledger
""",
    "scripts/backup": """\
#!/bin/sh
set -eu
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
trap 'rm -f "$folder/partial"' EXIT
docker compose exec -T store dump </dev/null >"$folder/partial" || { echo "backup: no dump" >&2; exit 1; }
lines=$(grep -cv '^#' "$folder/partial" || true)
[ "$(tail -n 1 "$folder/partial")" = "# $lines lines" ] || { echo "backup: cut short" >&2; exit 1; }
docker compose exec -T store cat /data/journal </dev/null >"$folder/journal.txt"
mv "$folder/partial" "$folder/ledger.txt"
""",
    "scripts/restore": """\
#!/bin/sh
set -eu
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
lines=$(grep -cv '^#' "$folder/ledger.txt" || true)
[ "$(tail -n 1 "$folder/ledger.txt")" = "# $lines lines" ] || { echo "restore: cut short" >&2; exit 1; }
[ -e "$folder/journal.txt" ] || { echo "restore: no journal" >&2; exit 1; }
take='grep -v "^#" >/data/next || true; mv /data/next /data/ledger'
docker compose exec -T store sh -euc "$take" <"$folder/ledger.txt"
docker compose exec -T store sh -euc 'cat >/data/next; mv /data/next /data/journal' <"$folder/journal.txt"
docker compose restart store
""",
    "scripts/verify": """\
#!/bin/sh
set -eu
cd "$(dirname "$0")/.."
docker compose exec -T store verify </dev/null
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


def book(collective: Collective, transfers: int, seed: int) -> None:
    """Replace the transfers in the ledger; the same arguments give the same transfers."""
    collective.compose(NAME, "exec", "-T", "store", "book", str(transfers), str(seed))


def content(collective: Collective) -> str:
    """Return the ledger's content."""
    return collective.compose(NAME, "exec", "-T", "store", "cat", "/data/ledger").stdout
