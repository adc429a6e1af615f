"""URIs of daemons: how each form is read, and which are not valid."""

import pytest

from darkpeak.collective.uri import Uri, parse_uri

READ = {
    "unix:///var/run/docker.sock": Uri("unix", path="/var/run/docker.sock"),
    "ssh://server": Uri("ssh", "server", path="/var/run/docker.sock"),
    "ssh://server/": Uri("ssh", "server", path="/var/run/docker.sock"),
    "ssh://ops@server:2222": Uri("ssh", "server", "ops", 2222, "/var/run/docker.sock"),
    "ssh://ops@server/run/user/1000/docker.sock": Uri("ssh", "server", "ops", path="/run/user/1000/docker.sock"),
    "ssh://ops@[fe80::1%eth0]:22": Uri("ssh", "fe80::1%eth0", "ops", 22, "/var/run/docker.sock"),
    "tcp://localhost:4243": Uri("tcp", "localhost", port=4243),
    "https://server.test:2376/": Uri("tcp", "server.test", port=2376),
}


@pytest.mark.parametrize(("written", "read"), READ.items(), ids=READ)
def test_a_valid_uri_is_read(written: str, read: Uri) -> None:
    assert parse_uri(written) == read


@pytest.mark.parametrize(
    "written",
    [
        "",
        "server",
        "unix://relative",
        "ssh://",
        "ssh://-oProxyCommand=id",
        "ssh://a b",
        "tcp://server",
        "ftp://a:1",
        "ssh://a:99999",
    ],
)
def test_a_wrong_uri_is_not_read(written: str) -> None:
    assert parse_uri(written) is None


def test_the_login_is_what_is_typed_after_ssh() -> None:
    assert [Uri("ssh", "server", "ops", 2222).login, Uri("ssh", "server").login] == ["ops@server -p 2222", "server"]
