"""The tunnel's pure parts: its target and its port. A real tunnel is in tests/live."""

import socket

import pytest

from darkpeak.collective.uri import Uri
from darkpeak.engine.tunnel import find_target
from darkpeak.errors import UsageError
from darkpeak.network import check_free

SOCKET = "/var/run/docker.sock"


@pytest.mark.parametrize(
    ("wanted", "target"),
    [
        ("ssh://ops@server:2222", Uri("ssh", "server", "ops", 2222, SOCKET)),
        ("ops@server", Uri("ssh", "server", "ops", path=SOCKET)),
        ("server", Uri("ssh", "server", path=SOCKET)),
    ],
)
def test_the_target_is_read_as_ssh_reads_it(wanted: str, target: Uri) -> None:
    assert find_target(wanted) == target


@pytest.mark.parametrize("wanted", ["tcp://server:2375", "unix:///run/docker.sock", "-oProxyCommand=id", ""])
def test_a_wrong_target_is_an_error(wanted: str) -> None:
    with pytest.raises(UsageError, match="is not an ssh host"):
        find_target(wanted)


def test_a_port_that_is_in_use_is_an_error() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"^port {port} is in use$"):
            check_free(port)
    check_free(port)
