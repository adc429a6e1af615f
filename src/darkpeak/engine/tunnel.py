"""Forward a port of this machine's loopback to a daemon over ssh, and reconnect when the connection is lost."""

import time
from collections.abc import Callable

from darkpeak.collective.uri import Uri, parse_uri
from darkpeak.engine.ssh import Connection
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.network import check_free

LOCALHOST = "localhost"  # by this name ssh listens on 127.0.0.1 and ::1, and nowhere else
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
CHECK_SECONDS = 3600.0


def find_target(wanted: str) -> Uri:
    """Return the URI for a tunnel, from an ssh:// URI or from what you type after `ssh`.

    Raises:
        UsageError: when it is neither.
    """
    uri = parse_uri(wanted if "://" in wanted else f"ssh://{wanted}")
    if uri is None or uri.scheme != "ssh":
        raise UsageError(f"{wanted} is not an ssh host", hint="write ssh://USER@HOST, or what you type after ssh")
    return uri


def keep_open(uri: Uri, port: int, on_open: Callable[[], None], on_message: Callable[[str], None]) -> None:
    """Open a tunnel, and reconnect whenever it is lost, until this program is interrupted.

    `on_open` is called once. `on_message` gets a message when the connection is lost or open again.

    Raises:
        UsageError: when the port is in use.
        SystemFailure: when the first login fails.
    """
    check_free(port)
    connection = _open(uri, port)
    on_open()
    while True:
        try:
            while not connection.wait(CHECK_SECONDS):
                continue
        finally:
            connection.close()
        on_message(f"the connection to {uri.login} was lost; reconnecting")
        connection = _reopen(uri, port, on_message)
        on_message(f"the tunnel to {uri.login} is open again")


def _reopen(uri: Uri, port: int, on_message: Callable[[str], None]) -> Connection:
    pause, reported = FIRST_PAUSE, ""
    while True:
        try:
            return _open(uri, port)
        except SystemFailure as error:
            if error.message != reported:
                on_message(f"{error.message}; trying again")
                reported = error.message
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _open(uri: Uri, port: int) -> Connection:
    connection = Connection(uri)
    try:
        connection.open()
        connection.forward(f"{LOCALHOST}:{port}")
        connection.forward(str(connection.socket))
        connection.check()
    except BaseException:
        connection.close()
        raise
    return connection
