"""Names of images, and registries that limit, lie, are gone or want something else than they should."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from darkpeak.packages.container import CannotTell
from darkpeak.packages.references import NoReference, Reference, read_reference
from darkpeak.packages.registry import Challenge, find_digest, read_challenge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OLD, ZEROS = f"sha256:{'0a' * 32}", f"sha256:{'0' * 64}"
MANIFEST = b'{"schemaVersion": 2}'
NEW = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
Answer = tuple[int, dict[str, str], bytes]
HEAD: Answer = (200, {"Docker-Content-Digest": NEW}, b"")
GOOD = {"tags/1": HEAD, NEW: (200, {}, MANIFEST)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nginx", Reference("docker.io", "library/nginx", "latest")),
        ("nginx:1.27", Reference("docker.io", "library/nginx", "1.27")),
        (f"nginx:1.27@{OLD}", Reference("docker.io", "library/nginx", "1.27", OLD)),
        (f"nginx@{OLD}", Reference("docker.io", "library/nginx", "", OLD)),
        ("docker.io/library/nginx:1", Reference("docker.io", "library/nginx", "1")),
        ("index.docker.io/a/b:1", Reference("docker.io", "a/b", "1")),
        ("peak/web:1", Reference("docker.io", "peak/web", "1")),
        ("ghcr.io/peak/web_2/x--y:v1", Reference("ghcr.io", "peak/web_2/x--y", "v1")),
        ("localhost/web:1", Reference("localhost", "web", "1")),
        ("127.0.0.1:5000/web:1", Reference("127.0.0.1:5000", "web", "1")),
        ("[::1]:5000/web:1", Reference("[::1]:5000", "web", "1")),
        ("host:5000/web", Reference("host:5000", "web", "latest")),
    ],
)
def test_names_are_read_by_dockers_rules(text: str, found: Reference) -> None:
    assert read_reference(text) == found


@pytest.mark.parametrize(
    "text",
    ["", "Nginx", "a//b", "nginx:", "nginx:a/b", "nginx@sha256:12", "nginx@md5:12", "${IMAGE}", "a b", "../x",
     "ghcr.io/", "-a", "nginx:1@", "host:99/../x", "<none>@<none>", "user@host/x"],
)  # fmt: skip
def test_other_texts_are_no_names(text: str) -> None:
    with pytest.raises(NoReference):
        read_reference(text)


def test_only_this_machines_own_registry_is_asked_without_tls() -> None:
    addresses = {
        "nginx": "https://registry-1.docker.io/v2/library/nginx",
        "ghcr.io/a/b": "https://ghcr.io/v2/a/b",
        "127.0.0.1:5000/a": "http://127.0.0.1:5000/v2/a",
        "localhost/a": "http://localhost/v2/a",
        "localhost.example.org/a": "https://localhost.example.org/v2/a",
    }
    assert {text: read_reference(text).url for text in addresses} == addresses


def test_a_challenge_is_read() -> None:
    header = 'Bearer realm="https://auth.example.org/token",service="s, t",scope="repository:a:pull"'
    known = (("scope", "repository:a:pull"), ("service", "s, t"))
    assert read_challenge(header) == Challenge("bearer", "https://auth.example.org/token", known)
    assert read_challenge("") == Challenge("", "", ())


@contextmanager
def registry(answers: dict[str, Answer]) -> Iterator[Reference]:
    """Serve answers on loopback: of `tags/TAG` to HEAD, of a digest to GET, and of `token`."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(f"tags/{self.path.rpartition('/')[2]}")

        def do_GET(self) -> None:
            self.answer(self.path.rpartition("/")[2].partition("?")[0])

        def answer(self, name: str) -> None:
            code, headers, content = answers.get(name, (404, {}, b""))
            if "token" in answers and name != "token" and not self.headers.get("Authorization"):
                address = f"http://{self.headers['Host']}"
                code, headers, content = 401, {"WWW-Authenticate": f'Bearer realm="{address}/token"'}, b""
            self.send_response(code)
            for key, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Reference(f"127.0.0.1:{server.server_port}", "peak/web", "1", OLD)
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody has logged in to a registry."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))


def token(text: str) -> Answer:
    return 200, {}, text.encode()


@pytest.mark.parametrize("more", [{}, {"token": token('{"token": "abc"}')}, {"token": token('{"access_token": "b"}')}])
def test_the_digest_of_a_tag_is_the_one_that_the_registry_has(more: dict[str, Answer]) -> None:
    with registry(GOOD | more) as reference:
        assert find_digest(reference) == NEW


def test_a_digest_that_is_still_the_same_is_not_fetched() -> None:
    with registry({"tags/1": (200, {"Docker-Content-Digest": OLD}, b"")}) as reference:
        assert find_digest(reference) == OLD


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"tags/1": (429, {"Retry-After": "60"}, b"")}, "limits how often it may be asked: ask again in 60 s"),
        ({"tags/1": (429, {"Retry-After": "\x1b[1m"}, b"")}, "limits how often it may be asked$"),
        ({"tags/1": HEAD, NEW: (429, {}, b"")}, "limits"),
        ({}, "has no 127.0.0.1:[0-9]+/peak/web:1$"),
        ({"tags/1": (503, {}, b"")}, r"answers with an error \(503\)"),
        ({"tags/1": (403, {}, b"")}, "wants a login for .*: docker login 127"),
        ({"tags/1": (401, {"WWW-Authenticate": 'Basic realm="x"'}, b"")}, "wants a login: docker login 127"),
        ({"tags/1": (401, {"WWW-Authenticate": 'Bearer realm="http://example.org/t"'}, b"")}, "without TLS"),
        ({"tags/1": (401, {}, b"")}, "wants a login"),
        ({"tags/1": (200, {}, b"")}, "does not answer as a registry"),
        ({"tags/1": (200, {"Docker-Content-Digest": "sha256:1"}, b"")}, "does not answer as a registry"),
        ({"tags/1": (200, {"Docker-Content-Digest": ZEROS}, b""), ZEROS: (200, {}, MANIFEST)}, "lies"),
        ({"tags/1": HEAD, NEW: (200, {}, b" " * (5 << 20))}, "sends too much"),
        ({"tags/1": (302, {"Location": "/v2/peak/web/manifests/1"}, b"")}, "does not answer .TooManyRedirects."),
        (GOOD | {"token": token("no JSON")}, "does not answer"),
        (GOOD | {"token": token("[]")}, "gives no token"),
        (GOOD | {"token": token(json.dumps({"token": "a\r\nX: y"}))}, "gives no token"),
        (GOOD | {"token": (429, {}, b"")}, "limits"),
        (GOOD | {"token": (401, {}, b"")}, "wants a login"),
    ],
)
def test_a_registry_that_does_not_answer_well_is_never_up_to_date(answers: dict[str, Answer], why: str) -> None:
    with registry(answers) as reference, pytest.raises(CannotTell, match=why):
        find_digest(reference)


def test_a_registry_that_is_gone_is_never_up_to_date() -> None:
    with registry({}) as reference:
        pass
    with pytest.raises(CannotTell, match=f"the registry {reference.registry} does not answer"):
        find_digest(reference)
