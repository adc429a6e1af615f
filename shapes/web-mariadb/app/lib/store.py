"""The notes, in the MariaDB of the other container."""

from contextlib import closing

import pymysql


def connect() -> pymysql.connections.Connection:
    """Return a connection by the socket, on which MariaDB knows this program by its user: there is no password."""
    return pymysql.connect(unix_socket="/run/mysqld/mysqld.sock", user="app", database="app", charset="utf8mb4")


def add(who: str, text: str) -> None:
    """Write a note, which is on the disk afterwards."""
    with closing(connect()) as database, database.cursor() as cursor:
        cursor.execute("INSERT INTO notes (writer, text) VALUES (%s, %s)", (who, text))
        database.commit()


def notes() -> list[tuple[str, str]]:
    """Return all notes, the oldest first: who wrote it, and the text."""
    with closing(connect()) as database, database.cursor() as cursor:
        cursor.execute("SELECT writer, text FROM notes ORDER BY id")
        return list(cursor.fetchall())
