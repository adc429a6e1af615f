"""The chat, used as members use it: through the router, with the directory's passwords and the collective's CA."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import threading
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from slixmpp import JID

from lab.commands import run, wait_for
from tests.live.facts import directory, router
from tests.live.xmpp import Door, Guesser, RefusedError, archive, login, logs_in, session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.collectives import Collective

ADA = directory.MEMBERS["ada"]
STRANGERS = 4
STREAM = (
    "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
)
BOSH = "<body rid='1' to='localhost' wait='1' hold='1' ver='1.6' xmlns='http://jabber.org/protocol/httpbind'/>"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "xmpp",
}
# So many messages that a dump takes a while.
FILL = """INSERT INTO prosodyarchive (host, "user", store, key, "when", "with", type, value)
SELECT 'localhost', 'filler', 'archive', i::text, 1, '', 'xml', repeat(md5(i::text), 20)
FROM generate_series(1, 200000) i"""
EMPTY = """DELETE FROM prosodyarchive WHERE "user" = 'filler'"""
KILL_THE_DUMP = """until pid=$(grep -lx pg_dump /proc/[0-9]*/comm); do sleep 0.01; done
sleep 0.2
kill -9 "$(echo "$pid" | cut -d/ -f3)" """


@pytest.fixture
def door(running: Collective) -> Door:
    """Return what members connect to: the router's port."""
    for uid, password in directory.MEMBERS.items():
        directory.add_member(running, uid, password)
    return Door(router.authority(running), 5222)


def fetch(collective: Collective, url: str, *arguments: str) -> str:
    """Return what a browser that trusts the collective's CA gets: headers and body."""
    authority = collective.top / "ca.crt"
    authority.write_text(router.authority(collective))
    argv = ["curl", "-si", "--max-time", "5", "--cacert", str(authority), *arguments, url]
    return run(argv, check=False).stdout


def test_a_member_logs_in_with_the_directorys_password_and_no_other(door: Door) -> None:
    assert logs_in(door, "ada", ADA)
    for uid, password in (("ada", "wrong"), ("ada", ""), ("nobody", ADA), ("ad*", ADA), ("*)(uid=ada", ADA)):
        assert not logs_in(door, uid, password), uid


def test_a_password_is_the_same_from_every_keyboard(running: Collective, door: Door) -> None:
    """Prosody's own preparation would make three dots of the last character, which the directory does not have."""
    password = "the p\u00e9as are\u2026"  # noqa: S105
    running.darkpeak("member", "add", "abbe", "--password-stdin", stdin=f"{password}\n")
    assert "<success" in login(door, "abbe", password)
    assert "<failure" in login(door, "abbe", password.replace("\u2026", "..."))
    plain = password.replace("\u2026", "!")
    running.darkpeak("member", "passwd", "abbe", "--password-stdin", stdin=f"{plain}\n")
    assert "<success" in login(door, "abbe", unicodedata.normalize("NFD", plain))


def test_a_program_that_does_not_trust_our_ca_is_warned(door: Door, tmp_path: Path) -> None:
    make = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=another -keyout /dev/null -out ca.crt"
    )
    run(["openssl", *make.split()], cwd=tmp_path)

    async def attempt() -> None:
        async with session(Door((tmp_path / "ca.crt").read_text(), door.port), "ada", ADA):
            pass

    with pytest.raises(RefusedError, match="ssl_invalid_chain"):
        asyncio.run(attempt())


def test_no_login_is_offered_without_tls(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door.port), timeout=10) as connection:
        connection.sendall(STREAM.encode())
        said = ""
        while "</stream:features>" not in said:
            said += connection.recv(4096).decode()
    assert "<required/>" in said
    assert "PLAIN" not in said


def test_web_pages_and_websockets_go_through_the_router(running: Collective) -> None:
    assert "@localhost" in fetch(running, "http://chat.localhost:7080/")
    assert "@localhost" in fetch(running, "https://chat.localhost:7443/")
    headers = [argument for name, value in UPGRADE.items() for argument in ("-H", f"{name}: {value}")]
    answer = fetch(running, "http://chat.localhost:7080/xmpp-websocket", *headers)
    assert answer.startswith("HTTP/1.1 101 ")


def test_a_login_needs_https_and_only_the_routers_headers_are_trusted(running: Collective) -> None:
    assert "PLAIN" in fetch(running, "https://chat.localhost:7443/http-bind", "-d", BOSH)
    assert "PLAIN" not in fetch(running, "http://chat.localhost:7080/http-bind", "-d", BOSH)
    # Headers from another container are not trusted.
    liar = f"POST /http-bind HTTP/1.0\\r\\nX-Forwarded-Proto: https\\r\\nContent-Length: {len(BOSH)}\\r\\n\\r\\n{BOSH}"
    ask = f'exec 3<>/dev/tcp/prosody/5280; printf "{liar}" >&3; timeout 5 cat <&3'
    image, network = "darkpeak-chat-database", "darkpeak-chat_default"
    argv = ("docker", "run", "--rm", "--network", network, "--entrypoint", "bash", image, "-c", ask)
    answer = run(argv, env=running.environment, check=False).stdout
    assert re.search(r"<body\b", answer), answer
    assert "PLAIN" not in answer


def test_three_failed_logins_close_the_stream(door: Door) -> None:
    stranger = Guesser(door.port)
    answers = [stranger.guess("grace", f"wrong number {n}") for n in range(4)]
    stranger.close()
    assert ["<failure" in answer for answer in answers] == [True, True, True, False], answers
    assert logs_in(door, "grace", directory.MEMBERS["grace"])


@pytest.mark.parametrize(
    ("act_as", "said"),
    [
        ("", "<success"),
        ("grace@localhost", "<success"),
        ("GRACE@localhost", "<success"),
        ("ada@localhost", "<invalid-authzid"),
        ("grace@elsewhere", "<invalid-authzid"),
    ],
)
def test_a_member_logs_in_as_nobody_else(door: Door, act_as: str, said: str) -> None:
    grace = Guesser(door.port)
    assert said in grace.guess("grace", directory.MEMBERS["grace"], act_as)
    grace.close()


def test_failed_logins_stop_nobody(door: Door, say: Callable[[str], None]) -> None:
    """Four strangers guess all the time, through the router; one connected member waited seconds for each answer."""
    guesses: list[str] = []
    done = threading.Event()

    def stranger() -> None:
        while not done.is_set():
            connection = Guesser(door.port)
            while not done.is_set() and (answer := connection.guess("grace", "wrongwrong")):
                guesses.append(answer)
            connection.close()

    async def measure() -> tuple[float, float]:
        async with session(door, "ada", ADA) as ada:
            ada.register_plugin("xep_0199")
            with ThreadPoolExecutor() as pool:
                try:
                    for _ in range(STRANGERS):
                        pool.submit(stranger)
                    slowest = 0.0
                    while len(guesses) < 3 * STRANGERS:
                        took = await ada.plugin["xep_0199"].ping(JID("localhost"), timeout=20)
                        slowest = max(slowest, took)
                        await asyncio.sleep(0.05)
                    start = time.monotonic()
                    async with session(door, "grace", directory.MEMBERS["grace"]):
                        return slowest, time.monotonic() - start
                finally:
                    done.set()

    slowest, login = asyncio.run(measure())
    say(f"{len(guesses)} failed logins in the chat meanwhile: the slowest ping {slowest:.2f} s, a login {login:.2f} s")
    assert slowest < 1
    assert login < 5
    assert all("<failure" in answer for answer in guesses)


def test_a_member_who_is_removed_is_disconnected(running: Collective, door: Door) -> None:
    directory.add_member(running, "carol", "only for a while")
    directory.add_member(running, "dave", "only for a while")

    async def attempt() -> bool:
        ended = asyncio.Event()
        async with (
            session(door, "carol", "only for a while") as carol,
            session(door, "dave", "only for a while") as dave,
        ):
            carol.add_event_handler("disconnected", lambda _: ended.set())
            removed = await asyncio.to_thread(running.darkpeak, "member", "remove", "carol")
            assert "chat: connections closed: 1" in removed.stdout.splitlines()
            await asyncio.wait_for(ended.wait(), 20)
            dave.send_message(JID("ada@localhost"), "still here")
            return ("dave", "still here") in await archive(dave)

    assert asyncio.run(attempt())
    assert not logs_in(door, "carol", "only for a while")
    closed = running.darkpeak("member", "passwd", "dave", "--password-stdin", stdin="another of his\n").stdout
    assert "chat: connections closed: " in closed
    assert logs_in(door, "dave", "another of his")
    running.darkpeak("member", "remove", "dave")


def test_failed_logins_do_not_harm_later_ones(running: Collective, door: Door) -> None:
    """A connection that a failed login left open killed its worker, once the directory had ended it."""
    with ThreadPoolExecutor(STRANGERS) as pool:
        answers = list(pool.map(lambda _: login(door, "ada", "wrong"), range(2 * STRANGERS)))
    assert all("<not-authorized" in answer for answer in answers), answers
    running.compose("directory", "restart")
    wait_for("logins", lambda: "<success" in login(door, "ada", ADA))
    assert all("<success" in login(door, "ada", ADA) for _ in range(60))


def test_logins_work_again_after_the_authenticator_died(running: Collective, door: Door) -> None:
    kill = "kill -9 $(grep -lx authenticator /proc/[0-9]*/comm | cut -d/ -f3)"
    running.execute("chat", "prosody", "sh", "-c", kill)
    wait_for("logins", lambda: "<success" in login(door, "ada", ADA), timeout=60)


def test_messages_are_stored_after_a_restart_of_the_database(running: Collective, door: Door) -> None:
    async def remembers(text: str) -> bool:
        async with session(door, "ada", ADA) as ada:
            ada.send_message(JID("grace@localhost"), text)
            return ("ada", text) in await archive(ada)

    for fault in ("restart", "kill"):
        running.compose("chat", fault, "database")
        running.compose("chat", "up", "-d", "--no-recreate", "--wait")
        assert asyncio.run(remembers(f"after {fault}"))


def test_a_dump_that_is_killed_leaves_no_backup(running: Collective, tmp_path: Path) -> None:
    psql = ("exec", "-T", "database", "psql", "-qU", "prosody", "-c")
    running.compose("chat", *psql, FILL)
    try:
        script = running.folder("chat") / "scripts" / "backup"
        with subprocess.Popen(
            [str(script), str(tmp_path)], env=running.environment, stderr=subprocess.PIPE, text=True
        ) as backup:
            running.execute("chat", "database", "sh", "-c", KILL_THE_DUMP)
            _, why = backup.communicate(timeout=60)
        assert (backup.returncode, list(tmp_path.iterdir())) == (1, [])
        assert "backup: no dump from the database" in why
    finally:
        running.compose("chat", *psql, EMPTY)
    wait_for("the chat to be healthy", lambda: "healthy" in fetch(running, "http://chat.localhost:7080/health"))
