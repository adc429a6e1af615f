"""How the login page lets members in to a service, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Login:
    """How the login page, the service `account`, logs members in to a service."""

    paths: tuple[str, ...]  # of OpenID Connect: where on each http route's host members come back
