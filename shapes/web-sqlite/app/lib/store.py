"""The notes, in an SQLite database."""

import sqlite3
from contextlib import closing

DATABASE = "/var/lib/app/app.db"


def connect() -> sqlite3.Connection:
    """Return a connection. Each request has its own: the program uses several threads."""
    return sqlite3.connect(DATABASE, timeout=60)


def add(who: str, text: str) -> None:
    """Write a note, which is on the disk afterwards."""
    with closing(connect()) as database, database:
        database.execute("INSERT INTO notes (writer, text) VALUES (?, ?)", (who, text))


def notes() -> list[tuple[str, str]]:
    """Return all notes, the oldest first: who wrote it, and the text."""
    with closing(connect()) as database:
        return database.execute("SELECT writer, text FROM notes ORDER BY id").fetchall()
