"""A bank whose accounts sum to zero, in a database that is always written to; the templates' scripts save it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.collectives import TOP

if TYPE_CHECKING:
    from lab.collectives import Collective

SHAPES = TOP / "shapes"
COMPOSE = """\
name: darkpeak-{name}
x-darkpeak:
  about: Who has how much, in {kind}
  block: {block}
  admins: [ada, grace]
  kind: user
  level: alpha
services:
{services}networks:
  default: {{ipam: {{config: [{{subnet: 10.69.{net}.0/24}}]}}}}
volumes:
  data: {{}}
"""
APP = (
    "  app: {build: app, init: true, restart: unless-stopped, stop_grace_period: 1s, volumes: ['data:/var/lib/app']}\n"
)
APART = """\
  app: {build: app, init: true, stop_grace_period: 1s, restart: always,
    depends_on: {database: {condition: service_healthy}}}
  database: {build: database, init: true, restart: always, volumes: ['data:/var/lib/mysql']}
"""
# After each transfer's commit, its number is written to a file outside the database.
TRANSFERS = """\
import random, time
def run(begin, execute, commit, mark):
    while True:
        one, other, amount = random.sample(range(20_000), 2) + [random.randrange(1000)]
        begin()
        execute("UPDATE accounts SET balance = balance - " + mark + " WHERE id = " + mark, (amount, one))
        execute("UPDATE accounts SET balance = balance + " + mark + " WHERE id = " + mark, (amount, other))
        number = execute("INSERT INTO entries (amount) VALUES (" + mark + ")", (amount,)).lastrowid
        commit()
        with open("/run/acknowledged", "w") as file:
            file.write(str(number))
        time.sleep(0.001)
"""
SQLITE_BANK = """\
#!/usr/bin/python3
import sqlite3, transfers
bank = sqlite3.connect("/var/lib/app/app.db", timeout=60, isolation_level=None)
bank.execute("PRAGMA synchronous = OFF")
bank.execute("BEGIN IMMEDIATE")
bank.execute("CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY AUTOINCREMENT, amount INTEGER)")
bank.execute("CREATE TABLE IF NOT EXISTS accounts (id INTEGER PRIMARY KEY, balance INTEGER, about TEXT)")
bank.executemany("INSERT OR IGNORE INTO accounts VALUES (?, 0, ?)", [(n, "x" * 400) for n in range(20_000)])
bank.execute("COMMIT")
transfers.run(lambda: bank.execute("BEGIN IMMEDIATE"), bank.execute, lambda: bank.execute("COMMIT"), "?")
"""
MARIADB_BANK = """\
#!/usr/bin/python3
import pymysql, transfers
bank = pymysql.connect(host="database", user="app", password="app", database="app")
hand = bank.cursor()
hand.execute("CREATE TABLE IF NOT EXISTS entries (id INT PRIMARY KEY AUTO_INCREMENT, amount INT)")
hand.execute("CREATE TABLE IF NOT EXISTS accounts (id INT PRIMARY KEY, balance INT, about TEXT)")
hand.executemany("INSERT IGNORE INTO accounts VALUES (%s, 0, %s)", [(n, "x" * 400) for n in range(20_000)])
bank.commit()
def execute(text, values):
    hand.execute(text, values)
    return hand
transfers.run(bank.begin, execute, bank.commit, "%s")
"""
LOOK = "SELECT (SELECT SUM(balance) FROM accounts), (SELECT COUNT(*) FROM entries WHERE id <= {})"
DOCKERFILE = """\
FROM debian:trixie
RUN apt-get update && apt-get install -y --no-install-recommends {packages} && rm -rf /var/lib/apt/lists/*
COPY . /usr/local/bin/
RUN chmod 755 /usr/local/bin/*
VOLUME ["{volume}"]
HEALTHCHECK --interval=1s --retries=60 --start-period=60s CMD {health}
CMD ["{program}"]
"""
SERVER = """\
#!/bin/sh
set -eu
mkdir -p /run/mysqld && chown mysql: /run/mysqld /var/lib/mysql
[ -d /var/lib/mysql/mysql ] || mariadb-install-db --user=mysql --skip-test-db >/dev/null
echo "CREATE DATABASE IF NOT EXISTS app CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS app@'%' IDENTIFIED BY 'app';
GRANT ALL ON app.* TO app@'%';" >/run/first.sql
exec mariadbd --user=mysql --init-file=/run/first.sql --bind-address=0.0.0.0
"""


@dataclass(frozen=True)
class Bank:
    """One of the two banks: its name, its block, and its files."""

    name: str
    kind: str
    block: int
    services: str
    files: tuple[tuple[str, str], ...]


SQLITE = Bank(
    "purse",
    "sqlite",
    6920,
    APP,
    (
        ("app/bank", SQLITE_BANK),
        ("app/transfers.py", TRANSFERS),
        (
            "app/Dockerfile",
            DOCKERFILE.format(
                packages="python3 sqlite3", volume="/var/lib/app", health="test -s /run/acknowledged", program="bank"
            ),
        ),
    ),
)
MARIADB = Bank(
    "bank",
    "mariadb",
    6930,
    APART,
    (
        ("app/bank", MARIADB_BANK),
        ("app/transfers.py", TRANSFERS),
        (
            "app/Dockerfile",
            DOCKERFILE.format(
                packages="python3-pymysql", volume="/var/lib/app", health="test -s /run/acknowledged", program="bank"
            ),
        ),
        ("database/serve", SERVER),
        (
            "database/Dockerfile",
            DOCKERFILE.format(
                packages="mariadb-server", volume="/var/lib/mysql", health="mariadb -e 'SELECT 1' app", program="serve"
            ),
        ),
    ),
)


def add(collective: Collective, bank: Bank) -> None:
    """Add the service to a collective, with the scripts of the template."""
    folder = collective.folder(bank.name)
    shutil.copytree(SHAPES / f"web-{bank.kind}/scripts", folder / "scripts")
    text = COMPOSE.format(
        name=bank.name, kind=bank.kind, block=bank.block, services=bank.services, net=bank.block // 10 % 10 * 10
    )
    for name, content in (*bank.files, ("docker-compose.yml", text), ("README.md", "# Bank\n")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    (folder / "scripts/updates").write_text("#!/bin/sh\n")
    (folder / "scripts/updates").chmod(0o755)


def acknowledged(collective: Collective, bank: Bank) -> int:
    """Return the number of the last acknowledged transfer."""
    said = ""
    while not said:  # the file is just being written
        said = collective.execute(bank.name, "app", "cat", "/run/acknowledged").stdout
    return int(said)


def look(collective: Collective, bank: Bank, least: int) -> tuple[int, int]:
    """Return the sum of all accounts, and how many of the first transfers the bank has."""
    argv = ["database", "mariadb", "-BN", "app", "-e"]
    if bank.kind == "sqlite":
        argv = ["app", "sqlite3", "-cmd", ".timeout 60000", "-separator", " ", "/var/lib/app/app.db"]
    total, count = map(int, collective.execute(bank.name, *argv, LOOK.format(least)).stdout.split())
    return total, count
