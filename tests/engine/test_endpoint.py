"""How a daemon is reached: the order of the settings, `docker`'s environment variables, and TLS."""

import json
from pathlib import Path

import pytest

from darkpeak.engine.api import CERTIFICATES, Api, Tls
from darkpeak.engine.endpoint import how_to_reach, is_open_to_all, resolve
from darkpeak.errors import SystemFailure

HERE = "unix:///var/run/docker.sock"


def test_the_default_is_the_usual_socket(tmp_path: Path) -> None:
    surroundings = {"DOCKER_CONFIG": str(tmp_path)}
    endpoint = resolve(None, surroundings)
    assert (endpoint.uri, endpoint.environment, endpoint.api) == (HERE, surroundings, Api(HERE))


def test_a_named_host_wins_over_everything(tmp_path: Path) -> None:
    surroundings = {"DOCKER_HOST": "tcp://other:1", "DOCKER_CONTEXT": "third", "DOCKER_CONFIG": str(tmp_path)}
    endpoint = resolve("unix:///my.sock", surroundings)
    assert endpoint.uri == "unix:///my.sock"
    assert endpoint.environment == {"DOCKER_HOST": "unix:///my.sock", "DOCKER_CONFIG": str(tmp_path)}


def test_docker_host_wins_over_the_context() -> None:
    endpoint = resolve(None, {"DOCKER_HOST": "tcp://localhost:4243", "DOCKER_CONTEXT": "third"})
    assert endpoint.uri == "tcp://localhost:4243"


def test_tls_needs_its_three_files(tmp_path: Path) -> None:
    surroundings = {"DOCKER_HOST": "tcp://server:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    with pytest.raises(SystemFailure, match=r"no ca\.pem in"):
        resolve(None, surroundings)
    for name in CERTIFICATES:
        (tmp_path / name).touch()
    assert resolve(None, surroundings).tls == Tls(tmp_path, verify=True)


def test_an_unknown_context_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "third"}))
    with pytest.raises(SystemFailure, match="there is no docker context third"):
        resolve(None, {"DOCKER_CONFIG": str(tmp_path), "PATH": "/usr/local/bin:/usr/bin:/bin"})


def test_a_wrong_ssh_uri_is_an_error() -> None:
    with pytest.raises(SystemFailure, match="'ssh://a b' is not a valid Docker URI"):
        resolve("ssh://a b", {})


@pytest.mark.parametrize(
    ("uri", "tls", "is_open"),
    [
        ("tcp://server:2375", None, True),
        ("tcp://server:2376", Tls(Path("certificates")), False),
        ("tcp://localhost:4243", None, False),
        (HERE, None, False),
    ],
)
def test_a_daemon_without_tls_is_open_to_all(uri: str, tls: Tls | None, *, is_open: bool) -> None:
    assert is_open_to_all(uri, tls) == is_open


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        ("('Connection aborted.', PermissionError(13, 'Permission denied'))", "join the group docker"),
        ("Client sent an HTTP request to an HTTPS server.", "it needs TLS"),
        ("('Connection aborted.', FileNotFoundError(2, 'No such file or directory'))", "start it"),
    ],
)
def test_the_error_decides_what_to_do(error: str, hint: str) -> None:
    assert how_to_reach(error).startswith(hint)
