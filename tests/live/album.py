"""A service with all kinds of files in a volume, which the template's scripts save."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING

from lab.collectives import KEEP_CHECKING
from lab.commands import wait_for
from tests.live.bank import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.collectives import Collective

NAME = "album"
PROJECT = "darkpeak-album"
VOLUME = f"{PROJECT}_data"
FILES = "/var/lib/app/files"
COMPOSE = """\
name: darkpeak-album
x-darkpeak:
  about: Pictures of us all
  block: 6940
  admins: [ada, grace]
  kind: user
  level: alpha
services:
  app: {build: app, init: true, restart: unless-stopped, stop_grace_period: 1s, volumes: ["data:/var/lib/app"]}
networks:
  default: {ipam: {config: [{subnet: 10.69.40.0/24}]}}
volumes:
  data: {}
"""
DOCKERFILE = """\
FROM debian:trixie
COPY add rewrite keep-checking /usr/local/bin/
RUN chmod 755 /usr/local/bin/* && mkdir -p /var/lib/app/files
VOLUME ["/var/lib/app"]
HEALTHCHECK --interval=1s --timeout=10m CMD ["keep-checking", "test", "-d", "/var/lib/app/files"]
CMD ["sleep", "infinity"]
"""
ADD = """\
#!/bin/sh
# add NAME: has a folder with files of many sizes, modes and names, of a moment without fractions of a second.
set -eu
cd /var/lib/app/files
mkdir -p "$1/deep/er" "$1/empty"
for number in 1 2 3 4 5 6 7 8 9; do
    head -c $((number * 50000)) /dev/urandom >"$1/deep/$number"
done
printf 'a line\\n' >"$1/deep/er/of two words ✿"
: >"$1/nothing"
{ head -c 3000000 /dev/zero; echo middle; head -c 2000000 /dev/zero; } >"$1/zeros"
ln -s deep/1 "$1/first"
ln -s /nowhere "$1/lost"
chmod 600 "$1/deep/1" && chmod 751 "$1/deep"
chown -Rh games:games . && find . -exec touch -h -d '2024-05-06 07:08:09' {} +
"""
REWRITE = """\
#!/bin/sh
# rewrite: changes a file ten times a second, until there is /tmp/stop.
set -eu
rm -f /tmp/stop
while [ ! -e /tmp/stop ]; do
    : >/tmp/going
    date +%N >>/var/lib/app/files/diary
    chown games:games /var/lib/app/files/diary
    sleep 0.1
done
"""
LIST = r"""cd "$0" && find . -printf '%p %y %m %U:%G %l\n' | LC_ALL=C sort
find . -type f -printf '%T@ %p\n' | LC_ALL=C sort && find . -type f -exec sha256sum {} + | LC_ALL=C sort"""


def add(collective: Collective) -> None:
    """Add the service to a collective, with the scripts of the template."""
    folder = collective.folder(NAME)
    shutil.copytree(SHAPES / "static/scripts", folder / "scripts")
    restore = folder / "scripts/restore"
    restore.write_text(restore.read_text().replace("owner=app:app ", "owner=games:games "))
    files = {"docker-compose.yml": COMPOSE, "README.md": "# Album\n", "scripts/updates": "#!/bin/sh\n"}
    files |= {"app/Dockerfile": DOCKERFILE, "app/add": ADD, "app/rewrite": REWRITE, "app/keep-checking": KEEP_CHECKING}
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "scripts/updates").chmod(0o755)


def fill(collective: Collective, seed: str) -> None:
    """Add more files."""
    collective.execute(NAME, "app", "add", seed)


def content(collective: Collective) -> str:
    """Return everything about the files: names, kinds, modes, owners, times, hashes."""
    return collective.execute(NAME, "app", "sh", "-c", LIST, FILES).stdout


@contextmanager
def rewritten(collective: Collective) -> Iterator[Callable[[], object]]:
    """Change a file all the time; yield a function that ends it."""
    stop = partial(collective.execute, NAME, "app", "touch", "/tmp/stop")  # noqa: S108 (in the container)
    writing = Thread(target=collective.execute, args=(NAME, "app", "rewrite"), kwargs={"timeout": 300})
    collective.execute(NAME, "app", "rm", "-f", "/tmp/going")  # noqa: S108
    writing.start()
    try:
        going = partial(collective.execute, NAME, "app", "test", "-e", "/tmp/going", check=False)  # noqa: S108
        wait_for("the first change", lambda: going().returncode == 0)
        yield stop
    finally:
        stop()
        writing.join()


def fill_with_much(collective: Collective) -> None:
    """Make two large files, which take a while to read, and a small one that is read after them."""
    words = "for name in 0 1; do head -c 200M /dev/urandom >$name; done; echo >2; echo >last; chown games:games *"
    collective.execute(NAME, "app", "sh", "-c", f"cd {FILES} && {words}")


def remove_last(collective: Collective) -> None:
    """Remove the file that is read last."""
    collective.execute(NAME, "app", "rm", f"{FILES}/last")


def remove_all(collective: Collective) -> None:
    """Remove all files."""
    collective.execute(NAME, "app", "sh", "-c", 'rm -rf "$0"/*', FILES)
