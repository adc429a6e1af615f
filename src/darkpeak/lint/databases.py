"""A rule about databases: they are dumped, since a copy of a live database's files can restore to wrong data."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from darkpeak.collective.compose import dockerfile
from darkpeak.collective.model import Container, Finding, Place, Service
from darkpeak.collective.text import read_or_empty
from darkpeak.lint.rule import ERROR, Rule
from darkpeak.vocabulary import COMPOSE_FILE

COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)
FROM = re.compile(r"^\s*FROM\s+(\S+)", re.MULTILINE | re.IGNORECASE)
NO_IMAGE = re.compile(r"(?!)")  # matches nothing
COPIES = re.compile(r"\b(tar|cp|rsync|cat|cpio|scp)\b")


@dataclass(frozen=True)
class Database:
    """A database: the words of a Dockerfile that install it, and the words of a script that dump it."""

    name: str
    package: re.Pattern[str]
    image: re.Pattern[str]
    dump: re.Pattern[str]
    hint: str


KNOWN = (
    Database(
        "PostgreSQL",
        re.compile(r"postgresql(-\d+)?"),
        re.compile(r"(\S+/)?postgres(:\S+)?"),
        re.compile(r"\bpg_(dump|dumpall|basebackup)\b"),
        "dump it with pg_dump, in its own container",
    ),
    Database(
        "MariaDB",
        re.compile(r"((default-)?mysql|mariadb)-server(-\S+)?"),
        re.compile(r"(\S+/)?(mariadb|mysql)(:\S+)?"),
        re.compile(r"\b(mariadb-dump|mysqldump|mariadb-backup|mydumper)\b"),
        "dump it with mariadb-dump --single-transaction; `darkpeak new … --like web-mariadb` has an example",
    ),
    Database(
        "SQLite",
        re.compile(r"sqlite3|php[\d.]*-sqlite3"),
        NO_IMAGE,
        re.compile(r"\.(backup|dump)\b|\bVACUUM\s+INTO\b", re.IGNORECASE),
        "dump it with sqlite3 FILE '.backup …'; `darkpeak new … --like web-sqlite` has an example",
    ),
    Database("OpenLDAP", re.compile(r"slapd"), NO_IMAGE, re.compile(r"\bslapcat\b"), "dump it with slapcat"),
)


def dumped(service: Service) -> Iterator[Finding]:
    """The backup script dumps a known database, and does not copy its files."""
    script = service.folder / "scripts" / "backup"
    text = read_or_empty(script)
    if not text:
        return
    for container in service.containers:
        build = COMMENT.sub("", dockerfile(service.folder, container.build))
        if not container.mounts and not re.search(r"^\s*VOLUME\b", build, re.MULTILINE):
            continue
        programs = COMMENT.sub("", text) + "".join(_programs(service, container))
        for database in KNOWN:
            if _holds(database, build) and not database.dump.search(programs):
                what = (
                    f"the {database.name} database of {container.name} is not dumped; a copy of its files is no backup"
                )
                at = Place(f"{service.at.file.rpartition('/')[0]}/scripts/backup", _line(text, container.name))
                yield Finding(at, "no-dump", what, database.hint)


def _holds(database: Database, build: str) -> bool:
    """Return whether a Dockerfile installs a database, or starts from an image of it."""
    packages = any(database.package.fullmatch(word) for word in build.split())
    return packages or any(database.image.fullmatch(image) for image in FROM.findall(build))


def _programs(service: Service, container: Container) -> Iterator[str]:
    """Yield the programs in the container's folder, which the script may call by name."""
    for name, _ in container.parts:
        path = service.folder / name
        if path.name not in {"Dockerfile", COMPOSE_FILE}:
            yield COMMENT.sub("", read_or_empty(path))


def _line(text: str, container: str) -> int:
    """Return the first line that copies out of a container, or 1."""
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if container in line and COPIES.search(line)), 1)


RULES = (
    Rule(
        "no-dump",
        ERROR,
        "A copy of a running database's files can restore to wrong data, without an error. The database's own "
        "tool dumps one moment of it.",
        "dump it in scripts/backup; docs/templates has examples",
        ignorable=True,
        service=(dumped,),
    ),
)
