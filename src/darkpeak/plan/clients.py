"""Clients of the login page: services that log members in there by OpenID Connect, as values. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from darkpeak.collective.model import Collective, Service
from darkpeak.vocabulary import HOME


@dataclass(frozen=True)
class Client:
    """A service as the login page knows it; members come back to `redirects`."""

    name: str
    issuer: str
    redirects: tuple[str, ...]
    secret: str = field(repr=False)
    groups: tuple[str, ...] = ()  # whose members may use it, if the router logs them in; empty: all members

    @property
    def files(self) -> Mapping[str, bytes]:
        """What the service finds in its volume: a file for each value, without an end of line."""
        values = {"issuer": self.issuer, "client_id": self.name, "client_secret": self.secret}
        return {name: value.encode() for name, value in values.items()}


def redirects(collective: Collective, service: Service) -> tuple[str, ...]:
    """Return the addresses to which members come back from the login page: each path, on each http route's host."""
    domain, paths = collective.domain, service.login.paths if service.login else ()
    names = {route.host(domain): None for route in service.routes.http}  # in this order, each once
    names |= {domain: None} if service.name == HOME else {}  # the router leads there, unless a route has it
    hosts = [collective.address("https", name).rstrip("/") for name in names]
    return tuple(f"{host}{path}" for host in hosts for path in paths)


def read_clients(printed: bytes) -> list[Client]:
    """Return the clients that the login page's program `client` printed.

    Raises:
        ValueError: when it printed something else.
    """
    try:
        told = json.loads(printed)
        listed = told if isinstance(told, list) else [told]
        return [
            Client(
                item["client_id"],
                item["issuer"],
                tuple(item["redirect_uris"]),
                item["client_secret"],
                tuple(item.get("groups", ())),
            )
            for item in listed
        ]
    except (LookupError, TypeError) as error:
        raise ValueError(f"{error!r}") from error


def difference(
    client: Client | None, redirects: Sequence[str], groups: Sequence[str], files: Mapping[str, bytes] | None
) -> str:
    """Return in words how the login page differs from what a service wants, and has in its volume; empty if not.

    `files` is None if it has no volume.
    """
    if client is None:
        return "the login page does not know it"
    if files is not None and {name: files.get(name) for name in client.files} != client.files:
        return "the login page has told it something else"
    same = (set(client.redirects), set(client.groups)) == (set(redirects), set(groups))
    return "" if same else "its addresses or groups have changed"
