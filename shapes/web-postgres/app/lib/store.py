"""The notes, in the PostgreSQL of the other container."""

import psycopg

# By the socket: PostgreSQL knows this program by its user, so there is no password.
DATABASE = "host=/run/postgresql user=app dbname=app connect_timeout=5"


def make_tables() -> None:
    """Make the tables, if they are not there."""
    with psycopg.connect(DATABASE) as database:
        columns = "id serial PRIMARY KEY, writer text NOT NULL, text text NOT NULL"
        database.execute(f"CREATE TABLE IF NOT EXISTS notes ({columns})")


def add(who: str, text: str) -> None:
    """Write a note, which is on the disk afterwards."""
    with psycopg.connect(DATABASE) as database:
        database.execute("INSERT INTO notes (writer, text) VALUES (%s, %s)", (who, text))


def notes() -> list[tuple[str, str]]:
    """Return all notes, the oldest first: who wrote it, and the text."""
    with psycopg.connect(DATABASE) as database:
        return database.execute("SELECT writer, text FROM notes ORDER BY id").fetchall()
