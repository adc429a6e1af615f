"""How the login page lets members in to a service, as a value."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from darkpeak.collective.model import Place


@dataclass(frozen=True)
class Login:
    """How the login page, the service `account`, logs members in to a service."""

    at: "Place"
    paths: tuple[str, ...]  # of OpenID Connect: where on each http route's host members come back
