"""A database whose files are copied is a finding; a database that is dumped, or that has no data, is not."""

from pathlib import Path

import pytest

from darkpeak import collective, lint
from tests.making import DOCKERFILE, write_collective

COPY = "#!/bin/sh\ncd /\ndocker compose exec -T webserver tar -c /var/lib/wiki >wiki.tar\n"
AT = "services/wiki/scripts/backup:3"
INSTALL = DOCKERFILE + "RUN apt-get install -y {}\n"

# the Dockerfile, the backup script, the database in the finding
CASES = {
    "nothing known": (INSTALL.format("lighttpd"), COPY, ""),
    "PostgreSQL": (INSTALL.format("postgresql-17 less"), COPY, "PostgreSQL"),
    "PostgreSQL's client": (INSTALL.format("postgresql-client-17"), COPY, ""),
    "PostgreSQL's image": ("FROM postgres:17\n", COPY, "PostgreSQL"),
    "PostgreSQL, dumped": (INSTALL.format("postgresql"), COPY + "docker compose exec db pg_dump x\n", ""),
    "PostgreSQL, a dump in a comment": (INSTALL.format("postgresql"), COPY + "# no pg_dump\n", "PostgreSQL"),
    "MariaDB": (INSTALL.format("mariadb-server"), COPY, "MariaDB"),
    "MariaDB's core": (INSTALL.format("mariadb-server-core"), COPY, "MariaDB"),
    "MySQL": (INSTALL.format("default-mysql-server"), COPY, "MariaDB"),
    "MySQL's image": ("FROM docker.io/library/mysql:9 AS base\n", COPY, "MariaDB"),
    "MariaDB, dumped": (INSTALL.format("mariadb-server"), COPY + "mariadb-dump\n", ""),
    "MySQL, dumped": (INSTALL.format("mysql-server-8.0"), COPY + "mysqldump\n", ""),
    "SQLite": (INSTALL.format("sqlite3"), COPY, "SQLite"),
    "PHP's SQLite": (INSTALL.format("php8.4-sqlite3"), COPY, "SQLite"),
    "SQLite, dumped": (INSTALL.format("sqlite3"), COPY + "sqlite3 x 'VACUUM INTO y'\n", ""),
    "SQLite, dumped at once": (INSTALL.format("sqlite3"), COPY + "sqlite3 x .dump\n", ""),
    "OpenLDAP": (INSTALL.format("slapd"), COPY, "OpenLDAP"),
    "OpenLDAP's tools": (INSTALL.format("ldap-utils"), COPY, ""),
    "in a comment": (DOCKERFILE + "# not slapd\n", COPY, ""),
}


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return write_collective(tmp_path)


def findings(root: Path) -> list[str]:
    """Return the place and the text of each finding."""
    found, _ = collective.read(root)
    return [f"{item.at} {item.what.split()[1]}" for item in lint.check(found) if item.rule == "no-dump"]


@pytest.mark.parametrize(("build", "script", "found"), CASES.values(), ids=CASES.keys())
def test_a_database_must_be_dumped_and_not_copied(sound: Path, build: str, script: str, found: str) -> None:
    (sound / "services/wiki/webserver/Dockerfile").write_text(build)
    (sound / "services/wiki/scripts/backup").write_text(script)
    assert findings(sound) == ([f"{AT} {found}"] if found else [])


def test_the_script_may_call_a_program_of_the_image(sound: Path) -> None:
    (sound / "services/wiki/webserver/Dockerfile").write_text(INSTALL.format("slapd"))
    (sound / "services/wiki/webserver/dump").write_text("#!/bin/sh\nslapcat\n")
    assert findings(sound) == []


def test_a_database_without_a_volume_needs_no_dump(sound: Path) -> None:
    file = sound / "services/wiki/docker-compose.yml"
    file.write_text(file.read_text().replace('    volumes: ["data:/var/lib/wiki"]\n', ""))
    (sound / "services/wiki/webserver/Dockerfile").write_text(INSTALL.format("slapd"))
    assert findings(sound) == []
    with (sound / "services/wiki/webserver/Dockerfile").open("a") as more:
        more.write('VOLUME ["/var/lib/ldap"]\n')
    assert findings(sound) == ["services/wiki/scripts/backup:1 OpenLDAP"]


DIGEST = "0" * 64
IMAGES = {
    "by digest": (f"FROM postgres@sha256:{DIGEST}\n", "PostgreSQL"),
    "by tag and digest": (f"FROM docker.io/library/postgres:17@sha256:{DIGEST}\n", "PostgreSQL"),
    "for a platform": ("FROM --platform=linux/arm64 postgres:17\n", "PostgreSQL"),
    "a registry with a port": ("FROM registry.example:5000/db/postgres:17\n", "PostgreSQL"),
    "by a default": ("ARG BASE=postgres:17\nFROM ${BASE}\n", "PostgreSQL"),
    "PostGIS": ("FROM postgis/postgis:17-3.5\n", "PostgreSQL"),
    "pgvector": ("FROM pgvector/pgvector:pg17\n", "PostgreSQL"),
    "TimescaleDB": ("FROM timescale/timescaledb-ha:pg17\n", "PostgreSQL"),
    "another's packaging": ("FROM bitnami/postgresql:17\n", "PostgreSQL"),
    "MongoDB": ("FROM mongo:8\n", "MongoDB"),
    "MongoDB's own": ("FROM mongodb/mongodb-community-server:8.0-ubi9\n", "MongoDB"),
    "Percona": ("FROM percona:8\n", "MariaDB"),
    "by its title": ('FROM example/db:1\nLABEL org.opencontainers.image.title="PostgreSQL"\n', "PostgreSQL"),
    "by its base": (
        "FROM example/db:1\nLABEL org.opencontainers.image.base.name=docker.io/library/mongo:8\n",
        "MongoDB",
    ),
    "an exporter": ("FROM prometheuscommunity/postgres-exporter:1\n", ""),
    "a client": ("FROM example/pgadmin4:9\n", ""),
}


@pytest.mark.parametrize(("build", "found"), IMAGES.values(), ids=IMAGES)
def test_a_database_is_known_by_its_image(sound: Path, build: str, found: str) -> None:
    (sound / "services/wiki/webserver/Dockerfile").write_text(build)
    (sound / "services/wiki/scripts/backup").write_text(COPY)
    assert findings(sound) == ([f"{AT} {found}"] if found else [])


def test_a_database_that_is_not_built_is_known_too(sound: Path) -> None:
    file = sound / "services/wiki/docker-compose.yml"
    file.write_text(file.read_text().replace("build: webserver", "image: pgvector/pgvector:pg17"))
    (sound / "services/wiki/scripts/backup").write_text(COPY)
    assert findings(sound) == [f"{AT} PostgreSQL"]


def test_a_dump_of_mongodb_is_one(sound: Path) -> None:
    (sound / "services/wiki/webserver/Dockerfile").write_text("FROM mongo:8\n")
    (sound / "services/wiki/scripts/backup").write_text(COPY + "docker compose exec -T webserver mongodump --archive\n")
    assert findings(sound) == []
