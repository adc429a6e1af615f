"""A web service that fails on purpose, in several ways: for the prober."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

GOOD, FAILS, CLOSES, HANGS, SLOW, STOPPED = "good", "fails", "closes", "hangs", "slow", "stopped"
FAULTS = (FAILS, CLOSES, HANGS, SLOW, STOPPED)


class Unsteady:
    """One service at a port of loopback. `mode` says what it does with the next request."""

    def __init__(self, port: int, seconds: float) -> None:
        """Begin, in good order; `seconds` is how long it is quiet if it hangs or is slow."""
        self.port, self.seconds, self.mode = port, seconds, GOOD
        self._server: socket.socket | None = None
        self.become(GOOD)

    def become(self, mode: str) -> None:
        """Change what it does."""
        self.mode = mode
        if mode == STOPPED:
            self.close()
        elif self._server is None:
            self._server = socket.create_server(("127.0.0.1", self.port))
            threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
            self._server = None

    def _accept(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                stream, _ = server.accept()
                threading.Thread(target=self._answer, args=(stream, self.mode), daemon=True).start()

    def _answer(self, stream: socket.socket, mode: str) -> None:
        with stream, suppress(OSError):
            stream.recv(4096)
            if mode in {HANGS, SLOW}:
                time.sleep(self.seconds)
            if mode in {GOOD, SLOW, FAILS}:
                status = "500 Oh" if mode == FAILS else "200 OK"
                stream.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
