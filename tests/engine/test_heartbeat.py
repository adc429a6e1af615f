"""An engine that stops to answer while something waits for it: the wait is ended."""

import os
import socket
import time
from pathlib import Path
from threading import Thread

import pytest

from darkpeak import process
from darkpeak.engine import heartbeat
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure


def answer(server: socket.socket, times: int) -> None:
    """Answer some requests as an engine does, and then close the door."""
    for _ in range(times):
        client, _ = server.accept()
        with client:
            client.recv(4096)
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    server.close()


def test_a_program_that_waits_for_a_dead_engine_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "PAUSE_SECONDS", 0.05)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "docker.sock"))
    server.listen()
    Thread(target=answer, args=(server, 3), daemon=True).start()
    engine = Engine(f"unix://{tmp_path}/docker.sock")
    other = {**os.environ, "DOCKER_HOST": "unix:///other"}
    began = time.monotonic()
    with process.talk(("cat",), environment=other) as bystander, heartbeat.watched(engine):
        ended = process.run(("sleep", "60"), environment=engine.environment)
        assert bystander.process.poll() is None
    assert ended.code < 0
    assert time.monotonic() - began < 30
    with pytest.raises(SystemFailure, match="does not answer any more"):
        engine.answer()


def test_an_engine_that_answers_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(heartbeat, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(heartbeat, "engine_answers", lambda _: True)
    engine = Engine(f"unix://{tmp_path}/docker.sock")
    with heartbeat.watched(engine):
        assert process.run(("sleep", "0.3"), environment=engine.environment).code == 0
    assert engine.failure is None
