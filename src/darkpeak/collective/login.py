"""How the login page lets members in to a service, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Login:
    """How the login page, the service `account`, logs members in to a service."""

    paths: tuple[str, ...]  # where on each http route's host members come back
    gate: bool = False  # the router knows who is a member; otherwise the service itself asks, by OpenID Connect
    optional: bool = False  # with `gate`: it also lets in those who are not logged in
    groups: tuple[str, ...] = ()  # with `gate`: only members of one of them; empty: all members
