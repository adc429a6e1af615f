"""Debian's own docker-registry on loopback: open, or with tokens for who has a login."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from darkpeak.network import engine_answers, free_port
from lab.commands import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ISSUER, SERVICE = "a test", "a registry"
LOGIN = base64.b64encode(b"ada:correct horse").decode()
SECONDS = 60


class Tokens:
    """A server that gives a token to everybody, and one that opens a repository only to who has the login."""

    def __init__(self, folder: Path) -> None:
        """Make the key, and the certificate by which the registry knows it."""
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ISSUER)]), datetime.now(UTC)
        builder = x509.CertificateBuilder(name, name, self.key.public_key(), x509.random_serial_number())
        dated = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        certificate = dated.sign(self.key, SHA256())
        self.chain = [base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()]
        self.bundle = folder / "issuer.pem"
        self.bundle.write_bytes(certificate.public_bytes(Encoding.PEM))

    def sign(self, repository: str) -> str:
        """Return a token that lets its bearer pull from a repository; from none if that is empty."""
        access = [{"type": "repository", "name": repository, "actions": ["pull"]}] if repository else []
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": "", "aud": SERVICE, "nbf": now - 60, "iat": now, "exp": now + 300, "jti": "1"}
        parts = [packed({"typ": "JWT", "alg": "RS256", "x5c": self.chain}), packed({**claims, "access": access})]
        signature = self.key.sign(".".join(parts).encode(), padding.PKCS1v15(), SHA256())
        return ".".join([*parts, base64.urlsafe_b64encode(signature).decode().rstrip("=")])

    @contextmanager
    def served(self, repository: str) -> Iterator[str]:
        """Serve them on loopback; yield the address."""
        tokens = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = self.headers.get("Authorization") == f"Basic {LOGIN}"
                content = json.dumps({"token": tokens.sign(repository if known else "")}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Print nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/token"
        server.shutdown()
        server.server_close()


def packed(content: dict[str, Any]) -> str:
    """Return a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


class Registry:
    """A registry whose images stay in a folder."""

    def __init__(self, folder: Path) -> None:
        """Choose a port."""
        self.folder = folder
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"

    @contextmanager
    def serve(self, realm: str = "", bundle: Path | None = None) -> Iterator[None]:
        """Serve while the block runs; with a realm only to who brings a token from there."""
        settings: dict[str, Any] = {
            "version": "0.1",
            "log": {"accesslog": {"disabled": True}, "level": "error"},
            "storage": {"filesystem": {"rootdirectory": str(self.folder / "images")}},
            "http": {"addr": self.address},
        }
        if realm:
            wanted = {"realm": realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(bundle)}
            settings["auth"] = {"token": wanted}
        file = self.folder / "registry.yml"
        file.write_text(json.dumps(settings))  # JSON is YAML
        log = (self.folder / "registry.log").open("ab")
        with log, subprocess.Popen(["docker-registry", "serve", str(file)], stdout=log, stderr=log) as process:
            try:
                wait_for("the registry", lambda: engine_answers(("127.0.0.1", self.port)), timeout=SECONDS)
                yield
            finally:
                process.kill()
