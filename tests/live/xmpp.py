"""Members in the chat, with a real XMPP library, which requires STARTTLS and verifies the certificate."""

from __future__ import annotations

import asyncio
import base64
import socket
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
    client.add_event_handler("failed_auth", lambda why: outcome.put_nowait(f"failed_auth: {why['condition']}"))
    for event in ("ssl_invalid_chain", "connection_failed"):
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
    """Return whether the chat accepts a member's password.

    Raises:
        RefusedError: when it was not checked: the answer is neither yes nor no.
    """

    async def attempt() -> None:
        async with session(door, uid, password):
            pass

    try:
        asyncio.run(attempt())
    except RefusedError as refused:
        # An empty password is no request at all.
        if str(refused) not in {"failed_auth: not-authorized", "failed_auth: malformed-request"}:
            raise
        return False
    return True


class Guesser:
    """A stranger's connection with TLS, which can try one password after the other."""

    STREAM = "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
    STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

    def __init__(self, port: int) -> None:
        """Connect, and begin TLS."""
        self.socket: socket.socket = socket.create_connection((HERE, port), timeout=PATIENCE)
        self._ask(self.STREAM, "</stream:features>")
        self._ask(self.STARTTLS, "proceed")
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        self.socket = trusting.wrap_socket(self.socket)
        self._ask(self.STREAM, "</stream:features>")

    def guess(self, uid: str, password: str, act_as: str = "") -> str:
        """Return the answer to a login, perhaps to act as somebody else; empty if the stream is closed."""
        login = base64.b64encode(f"{act_as}\0{uid}\0{password}".encode()).decode()
        auth = f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{login}</auth>"
        try:
            return self._ask(auth, "failure>", "<success")
        except OSError:
            return ""

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()

    def _ask(self, said: str, *ends: str) -> str:
        self.socket.sendall(said.encode())
        answer = ""
        while not any(end in answer for end in ends):
            part = self.socket.recv(4096)
            if not part:
                return ""
            answer += part.decode()
        return answer


def login(door: Door, uid: str, password: str) -> str:
    """Return the answer to one login, on a connection of its own."""
    member = Guesser(door.port)
    try:
        return member.guess(uid, password)
    finally:
        member.close()
