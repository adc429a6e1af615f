"""A service that logs members in by OpenID Connect with Authlib, a client that nobody here wrote."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import urlencode

from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.live.portal import BASE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.collectives import Collective

VERIFIER = "a secret that only the service knows, until it has the code"
SCOPE = "openid profile email groups"


class Service:
    """A client of the login page: what the service of a collective does, without pages of its own."""

    def __init__(self, running: Collective, trusted: Path, name: str) -> None:
        """Add the client to the login page, whose certificate is verified with `trusted`."""
        self.home = f"https://{name}.localhost:7443/"
        self.callback = f"{self.home}callback"
        told = json.loads(running.execute("account", "portal", "client", "add", name, self.callback).stdout)
        self.session = OAuth2Session(
            told["client_id"],
            told["client_secret"],
            scope=SCOPE,
            redirect_uri=self.callback,
            code_challenge_method="S256",
        )
        self.session.verify, self.session.trust_env = str(trusted), False
        self.facts = self.read(f"{told['issuer']}.well-known/openid-configuration")

    def read(self, url: str) -> Any:
        """Return the JSON of an address."""
        return self.session.get(url, withhold_token=True).json()

    def ask(self, **values: str) -> str:
        """Return the path of the login page to which the service sends a member."""
        url, _ = self.session.create_authorization_url(self.facts["authorization_endpoint"], nonce="once", **values)
        return str(url).removeprefix(BASE)

    def redeem(self, back: str, verifier: str = VERIFIER) -> Any:
        """Return the tokens for the code with which a member came back."""
        return self.session.fetch_token(
            self.facts["token_endpoint"], authorization_response=back, code_verifier=verifier
        )

    def keys(self) -> Any:
        """Return the keys of the login page."""
        return self.read(self.facts["jwks_uri"])

    def verify(self, tokens: Any) -> Any:
        """Return the identity token, with its header and claims, after its signature was verified."""
        return jwt.decode(tokens["id_token"], KeySet.import_key_set(self.keys()), algorithms=["RS256"])

    def leave(self, tokens: Any, back: str) -> str:
        """Return the path with which a member logs out, and the address to which the login page should lead then."""
        fields = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": back}
        return f"/oauth2/logout?{urlencode(fields)}"


@contextmanager
def names() -> Iterator[None]:
    """Have Python resolve names below localhost, as curl and browsers do."""
    real = socket.getaddrinfo

    def resolve(host: str, *rest: Any, **options: Any) -> Any:
        return real("127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **options)

    with patch("socket.getaddrinfo", resolve):
        yield
