"""The chat: what members said to each other and in rooms, under a certificate that they trust."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from slixmpp import JID

from tests.live.facts import directory, router
from tests.live.xmpp import Door, archive, join, logs_in, session

if TYPE_CHECKING:
    from slixmpp import ClientXMPP

    from tests.live.collectives import Collective

PORT = 6032
ROOM = "garden@rooms.localhost"
WHISPERED = "the analytical engine weaves ✿"
SAID = "algebraic patterns"


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
    """Let ada say something to grace, and something in a room; return when both are in the archive."""
    async with session(door, "ada", directory.MEMBERS["ada"]) as ada:
        ada.send_message(JID("grace@localhost"), WHISPERED)
        await join(ada, ROOM)
        ada.send_message(JID(ROOM), SAID, mtype="groupchat")
        # The question comes after the messages on the same stream, so they are stored when it is answered.
        assert ("ada", SAID) in await archive(ada, ROOM)


async def listen(door: Door) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return what grace has in her archive, and what the room has."""
    async with session(door, "grace", directory.MEMBERS["grace"]) as grace:
        return await archive(grace), await room_archive(grace)


async def room_archive(client: ClientXMPP) -> list[tuple[str, str]]:
    """Return who said what in the room."""
    await join(client, ROOM)
    return await archive(client, ROOM)
