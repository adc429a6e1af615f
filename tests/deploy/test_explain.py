"""Error messages of engines about ports that are in use."""

import pytest

from darkpeak.deploy.explain import port_of, who_has


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


ALLOCATED = "Bind for 127.0.0.1:6910 failed: port is already allocated"
TAKEN = "listen tcp4 127.0.0.1:6910: bind: address already in use"
KEPT = (
    "no container has port 6910, but the engine keeps it, as it can after a crash: run the same again; if that fails "
    "too, restart the engine on its machine: systemctl restart docker"
)


@pytest.mark.parametrize(
    ("container", "message", "expected"),
    [
        ("darkpeak-wiki-web-1", ALLOCATED, "port 6910 is in use by the container darkpeak-wiki-web-1"),
        ("darkpeak-wiki-web-1", TAKEN, "port 6910 is in use by the container darkpeak-wiki-web-1"),
        ("", TAKEN, "port 6910 is in use by a program on the engine's machine, see there: ss -tlnp"),
        ("", ALLOCATED, KEPT),
    ],
    ids=["a container", "a container, by its proxy", "a program", "nobody: the engine was killed"],
)
def test_who_has_a_port_is_said(container: str, message: str, expected: str) -> None:
    assert who_has("6910", container, message) == expected
