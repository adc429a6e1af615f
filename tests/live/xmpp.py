"""Members in the chat, with a real XMPP library, which requires STARTTLS and verifies the certificate."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slixmpp import JID, ClientXMPP

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HERE = "127.0.0.1"
DOMAIN = "localhost"
PATIENCE = 20


class RefusedError(Exception):
    """The server refused a member's login, or the member did not trust the server."""


@dataclass(frozen=True)
class Door:
    """The port to which members connect, and the CA of the server's certificate."""

    authority: str
    port: int


@asynccontextmanager
async def session(door: Door, uid: str, password: str) -> AsyncIterator[ClientXMPP]:
    """Log in as a member; yield the client.

    Raises:
        RefusedError: when the login fails.
    """
    trust = ssl.create_default_context(cadata=door.authority)
    client = ClientXMPP(f"{uid}@{DOMAIN}", password, ssl_context=trust)
    client.enable_direct_tls = client.enable_plaintext = False
    for extension in ("xep_0045", "xep_0313"):
        client.register_plugin(extension)
    outcome: asyncio.Queue[str] = asyncio.Queue()
    client.add_event_handler("session_start", lambda _: outcome.put_nowait(""))
    for event in ("failed_auth", "ssl_invalid_chain", "connection_failed"):
        client.add_event_handler(event, lambda why, event=event: outcome.put_nowait(f"{event}: {why}"))
    client.connect(HERE, door.port)
    try:
        if refused := await asyncio.wait_for(outcome.get(), PATIENCE):
            raise RefusedError(refused)
        yield client
    finally:
        await client.disconnect()


async def join(client: ClientXMPP, room: str) -> None:
    """Enter a room with the member's own name."""
    await client.plugin["xep_0045"].join_muc_wait(JID(room), client.boundjid.user, timeout=PATIENCE)


async def archive(client: ClientXMPP, room: str = "") -> list[tuple[str, str]]:
    """Return the sender and the text of each message in the member's archive, or a room's, the oldest first."""
    said = []
    async for found in client.plugin["xep_0313"].iterate(jid=JID(room) if room else None):
        message = found["mam_result"]["forwarded"]["stanza"]
        speaker = message["from"].resource if room else message["from"].user
        said.append((speaker, message["body"]))
    return [one for one in said if one[1]]


def logs_in(door: Door, uid: str, password: str) -> bool:
    """Return whether the chat accepts a member's password."""

    async def attempt() -> None:
        async with session(door, uid, password):
            pass

    try:
        asyncio.run(attempt())
    except RefusedError as refused:
        if "failed_auth" not in str(refused):
            raise
        return False
    return True
