"""The guide's SSH tunnel: a port of this machine's loopback leads to a daemon, and again after each cut."""

import time
from collections.abc import Callable

from darkpeak.collective.uri import Uri, parse_uri
from darkpeak.engine.ssh import Connection
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.network import check_free

LOCALHOST = "localhost"  # by this name ssh listens on 127.0.0.1 and ::1, and nowhere else
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
LOOK_SECONDS = 3600.0


def find_target(wanted: str) -> Uri:
    """Return where a tunnel leads, from an ssh:// URI or from what one would type after `ssh`.

    Raises:
        UsageError: when it is neither.
    """
    uri = parse_uri(wanted if "://" in wanted else f"ssh://{wanted}")
    if uri is None or uri.scheme != "ssh":
        raise UsageError(f"no tunnel leads to {wanted}", hint="write ssh://USER@HOST, or what you would type after ssh")
    return uri


def keep_open(uri: Uri, port: int, opened: Callable[[], None], said: Callable[[str], None]) -> None:
    """Hold a tunnel open until we are interrupted; a cut is said and mended, a first failure is an error.

    Raises:
        UsageError: when the port is taken.
        SystemFailure: when there is no way in at first.
    """
    check_free(port)
    connection = _open(uri, port)
    opened()
    while True:
        try:
            while not connection.wait(LOOK_SECONDS):
                continue
        finally:
            connection.close()
        said(f"the connection to {uri.login} was cut; trying again")
        connection = _reopen(uri, port, said)
        said(f"the tunnel to {uri.login} is open again")


def _reopen(uri: Uri, port: int, said: Callable[[str], None]) -> Connection:
    pause, told = FIRST_PAUSE, ""
    while True:
        try:
            return _open(uri, port)
        except SystemFailure as error:
            if error.message != told:
                said(f"{error.message}; trying again")
                told = error.message
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
