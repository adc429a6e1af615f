"""A rule about databases: they are dumped, since a copy of a live database's files can restore to wrong data."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from darkpeak.collective.model import Container, Finding, Place, Service
from darkpeak.collective.text import read_or_empty
from darkpeak.lint.build_file import BuildFile, build_files
from darkpeak.lint.rule import ERROR, Rule
from darkpeak.vocabulary import COMPOSE_FILE

COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)
# By these labels, an image says which one it is, or is made from.
TITLE = re.compile(r"org\.opencontainers\.image\.(?:title|base\.name)[\"']?\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|(\S+))")
NO_IMAGE = re.compile(r"(?!)")  # matches nothing
COPIES = re.compile(r"\b(tar|cp|rsync|cat|cpio|scp)\b")


@dataclass(frozen=True)
class Database:
    """A database: the words of a Dockerfile that install it, and the words of a script that dump it."""

    name: str
    package: re.Pattern[str]
    image: re.Pattern[str]  # the last part of an image's name
    dump: re.Pattern[str]
    hint: str


KNOWN = (
    Database(
        "PostgreSQL",
        re.compile(r"postgresql(-\d+)?"),
        re.compile(r"(postgres|postgresql|postgis|pgvector|pgvecto-rs|timescaledb(-ha)?|spilo(-\d+)?)"),
        re.compile(r"\bpg_(dump|dumpall|basebackup)\b"),
        "dump it with pg_dump, in its own container",
    ),
    Database(
        "MariaDB",
        re.compile(r"((default-)?mysql|mariadb)-server(-\S+)?"),
        re.compile(r"mariadb|mysql(-server)?|percona(-server)?"),
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
    Database(
        "MongoDB",
        re.compile(r"mongodb(-org)?(-server)?(-core)?"),
        re.compile(r"mongo|mongodb|mongodb-(community|enterprise)-server|percona-server-mongodb"),
        re.compile(r"\bmongodump\b"),
        "dump it with mongodump --archive, in its own container",
    ),
    Database("OpenLDAP", re.compile(r"slapd"), NO_IMAGE, re.compile(r"\bslapcat\b"), "dump it with slapcat"),
)


def dumped(service: Service) -> Iterator[Finding]:
    """The backup script dumps a known database, and does not copy its files."""
    script = service.folder / "scripts" / "backup"
    text = read_or_empty(script)
    if not text:
        return
    built = {item.container.name: item for item in build_files(service)}
    for container in service.containers:
        build = built.get(container.name)
        found = [database for database in KNOWN if _has(database, container, build)]
        if not found or (not container.mounts and not (build and build.volumes())):
            continue
        programs = COMMENT.sub("", text) + "".join(_programs(service, container))
        for database in found:
            if not database.dump.search(programs):
                what = (
                    f"the {database.name} database of {container.name} is not dumped; a copy of its files is no backup"
                )
                at = Place(f"{service.at.file.rpartition('/')[0]}/scripts/backup", _line(text, container.name))
                yield Finding(at, "no-dump", what, database.hint)


def _has(database: Database, container: Container, build: BuildFile | None) -> bool:
    """Return whether a Dockerfile installs a database, or begins from an image of it, by its name or by a label."""
    if build is None:
        return bool(database.image.fullmatch(_last_part(container.image)))
    text = COMMENT.sub("", build.text)
    labels = ("".join(found) for found in TITLE.findall(text))
    names = [*(image for _, image in build.bases()), *labels]
    packages = any(database.package.fullmatch(word) for word in text.split())
    return packages or any(database.image.fullmatch(_last_part(name)) for name in names)


def _last_part(image: str) -> str:
    """Return the last part of an image's name: `postgres` of `docker.io/library/postgres:17@sha256:…`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0].strip().lower()


def _programs(service: Service, container: Container) -> Iterator[str]:
    """Yield the programs in the container's folder, which the script may call by name."""
    for name, _ in container.parts:
        path = service.folder / name
        if name != container.dockerfile.file and path.name != COMPOSE_FILE:
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
        "dump it in scripts/backup; docs/service.md says which shape has an example",
        ignorable=True,
        service=(dumped,),
    ),
)
