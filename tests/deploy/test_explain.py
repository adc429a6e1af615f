"""Error messages of engines about ports that are in use."""

import pytest

from darkpeak.deploy.explain import port_of


@pytest.mark.parametrize(
    ("message", "port"),
    [
        ("Error response from daemon: Bind for 127.0.0.1:6010 failed: port is already allocated", "6010"),
        ("Error starting userland proxy: listen tcp4 127.0.0.1:6910: bind: address already in use", "6910"),
        ("failed to bind host port 127.0.0.1:6911/tcp: address already in use", "6911"),
        ("container darkpeak-hello-web-1 is unhealthy", ""),
    ],
    ids=["allocated", "proxy", "engine 28", "another error"],
)
def test_the_port_is_found_in_the_message(message: str, port: str) -> None:
    assert port_of(message) == port
