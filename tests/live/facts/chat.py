"""The chat: members' messages to each other and in rooms, and a certificate that they trust."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from slixmpp import JID

from lab.commands import run
from tests.live.facts import directory, router
from tests.live.load import Load, under
from tests.live.xmpp import Door, archive, join, logs_in, session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slixmpp import ClientXMPP

    from lab.collectives import Collective

PORT = 6032
ROOM = "garden@rooms.localhost"
WHISPERED = "the analytical engine weaves ✿"
SAID = "algebraic patterns"
BANK = """
DROP TABLE IF EXISTS accounts;
CREATE TABLE accounts (id int PRIMARY KEY, balance int, about text);
INSERT INTO accounts SELECT id, 0, repeat('x', 400) FROM generate_series(1, 1000) AS id;
"""
TRANSFER = """
BEGIN;
UPDATE accounts SET balance = balance - 1 WHERE id = (SELECT 1 + floor(random() * 1000));
UPDATE accounts SET balance = balance + 1 WHERE id = (SELECT 1 + floor(random() * 1000));
COMMIT;
"""


def write(collective: Collective) -> str:
    for uid, password in directory.MEMBERS.items():
        directory.add_member(collective, uid, password)
    certify(collective)
    asyncio.run(talk(Door(router.authority(collective), PORT)))
    return collective.execute("chat", "prosody", "certificate", "show").stdout


def check(collective: Collective, written: str) -> None:
    door = Door(router.authority(collective), PORT)
    whispered, said = asyncio.run(listen(door))
    assert ("ada", WHISPERED) in whispered
    assert ("ada", SAID) in said
    assert not logs_in(door, "ada", "not hers")
    assert collective.execute("chat", "prosody", "certificate", "show").stdout == written


def certify(collective: Collective) -> None:
    """Have the collective's CA sign the chat's certificate, by hand."""
    asked = collective.execute("chat", "prosody", "certificate", "request").stdout
    signed = collective.execute("router", "haproxy", "sign", "localhost", "chat.localhost", stdin=asked).stdout
    collective.execute("chat", "prosody", "certificate", "install", stdin=signed)


async def talk(door: Door) -> None:
    """Send a message from ada to grace and one to a room; return when both are in the archive."""
    async with session(door, "ada", directory.MEMBERS["ada"]) as ada:
        ada.send_message(JID("grace@localhost"), WHISPERED)
        await join(ada, ROOM)
        ada.send_message(JID(ROOM), SAID, mtype="groupchat")
        # This request follows the messages on the same stream, so its answer shows that they are stored.
        assert ("ada", SAID) in await archive(ada, ROOM)


async def listen(door: Door) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the messages in grace's archive and in the room's."""
    async with session(door, "grace", directory.MEMBERS["grace"]) as grace:
        return await archive(grace), await room_archive(grace)


async def room_archive(client: ClientXMPP) -> list[tuple[str, str]]:
    """Return the sender and the text of each message in the room."""
    await join(client, ROOM)
    return await archive(client, ROOM)


@contextmanager
def busy(collective: Collective) -> Iterator[Load]:
    """Send messages to a room all the time, while a bank beside it gets transfers, one in each transaction."""
    door = Door(router.authority(collective), PORT)
    argv = ["docker", "compose", "exec", "-T", "database", "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-U", "prosody"]
    folder, environment = collective.folder("chat"), dict(collective.environment)
    run([*argv, "prosody"], cwd=folder, env=environment, stdin=BANK)
    transfers = ["sh", "-c", f'while echo "$0"; do sleep 0.001; done | {" ".join(argv)} prosody', TRANSFER]
    with (
        subprocess.Popen(transfers, cwd=folder, env=environment, start_new_session=True) as bank,
        asyncio.Runner() as runner,
        under(lambda number: runner.run(speak(door, number))) as load,
    ):
        yield load
        assert bank.poll() is None, "the bank's transfers ended"
        os.killpg(bank.pid, signal.SIGTERM)


async def speak(door: Door, number: int) -> str:
    """Send a message to the room; it is acknowledged when the room's archive has it."""
    said = f"word {number}"
    async with session(door, "ada", directory.MEMBERS["ada"]) as ada:
        await join(ada, ROOM)
        ada.send_message(JID(ROOM), said, mtype="groupchat")
        assert ("ada", said) in await archive(ada, ROOM)
    return said


def found(collective: Collective) -> set[str]:
    """Return the messages in the room; check that the bank's accounts sum to zero."""
    argv = ("psql", "-XAt", "-U", "prosody", "prosody", "-c", "SELECT sum(balance), count(*) FROM accounts")
    assert collective.compose("chat", "exec", "-T", "database", *argv).stdout.strip() == "0|1000"
    _, said = asyncio.run(listen(Door(router.authority(collective), PORT)))
    return {text for _, text in said}
