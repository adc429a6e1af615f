"""The jump server leads to declared ssh routes by their names, and passes the name to haproxy."""

from pathlib import Path

import pytest

from services.router.jump.jump.routes import find, proxy_header

TABLES = {"domains.lst": ".peak.test\n", "ssh.map": "git 6042\n* 6052\n"}


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Return a folder with the router's tables."""
    for name, text in TABLES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("host", "port", "name"),
    [
        pytest.param("git", 22, "git", id="a label"),
        pytest.param("GIT.Peak.Test", 22, "git", id="a host name"),
        pytest.param("git", 7022, "git", id="the router's own port"),
        pytest.param("git", 6042, None, id="a port of a service"),
        pytest.param("git.evil.example", 22, None, id="another domain"),
        pytest.param("git.peak.test.evil.example", 22, None, id="a domain that begins as ours"),
        pytest.param("git.evilpeak.test", 22, None, id="a domain that ends as ours"),
        pytest.param("wiki", 22, None, id="no ssh route"),
        pytest.param("*", 22, None, id="where plain ssh leads"),
        pytest.param("127.0.0.1", 22, None, id="an address"),
    ],
)
def test_a_client_reaches_only_ssh_routes(tables: Path, host: str, port: int, name: str | None) -> None:
    assert find(host, port, tables) == name


def test_haproxy_gets_the_name_with_the_proxy_protocol() -> None:
    """As the PROXY protocol's version 2 defines: signature, PROXY over TCP and IPv4, length, addresses, authority."""
    header = proxy_header("git")
    assert header[:12] == b"\r\n\r\n\0\r\nQUIT\n"
    assert header[12:16] == bytes([0x21, 0x11, 0, 18])
    assert header[16:28] == bytes([127, 0, 0, 1, 127, 0, 0, 1, 0, 0, 0, 22])
    assert header[28:] == b"\x02\x00\x03git"
