"""The certificates that the router gets from a CA by ACME: as a value, as lines of its table, and read back. Pure."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from darkpeak.vocabulary import HOOK, HTTPS_URL, PRIVATE_KEY

WORD = re.compile(r"\S+")
WILDCARD = "*."


@dataclass(frozen=True)
class Acme:
    """Whom the router asks, and for which certificates: each the names that it holds, known by the first."""

    directory: str
    contact: str = ""
    hook: str = ""
    trust: str = ""  # in PEM, whom to trust that the CA is the CA; empty: as Debian does
    certificates: tuple[tuple[str, ...], ...] = ()

    def lines(self) -> list[str]:
        """Return the lines of certificates.lst."""
        settings = (("acme", self.directory), ("contact", self.contact), ("hook", self.hook))
        return [
            *(f"{key} {value}" for key, value in settings if value),
            *(f"certificate {' '.join(names)}" for names in self.certificates),
        ]

    def faults(self) -> Iterable[str]:
        """Yield why the router could not go by this."""
        if not HTTPS_URL.fullmatch(self.directory):
            yield f"{self.directory!r} is no CA's address"
        if self.contact and not WORD.fullmatch(self.contact):
            yield f"{self.contact!r} is no address"
        if self.hook and not HOOK.fullmatch(self.hook):
            yield f"{self.hook!r} is no hook"
        if PRIVATE_KEY in self.trust:
            yield "a private key stands in what to trust"

    @property
    def names(self) -> list[str]:
        """All names, without the asterisks of wildcards."""
        return [name.removeprefix(WILDCARD) for names in self.certificates for name in names]


def parse_acme(lines: Iterable[str], trust: str) -> Acme | None:
    """Return what the lines of certificates.lst say; None where they name no CA."""
    settings: dict[str, str] = {}
    certificates = []
    for key, *values in (line.split() for line in lines if line.strip()):
        if key == "certificate":
            certificates.append(tuple(values))
        else:
            settings[key] = " ".join(values)
    if "acme" not in settings:
        return None
    contact, hook = settings.get("contact", ""), settings.get("hook", "")
    return Acme(settings["acme"], contact, hook, trust, tuple(sorted(certificates)))


@dataclass(frozen=True)
class Certified:
    """What became of one certificate. Times are seconds since 1970; 0 is never."""

    names: tuple[str, ...]
    issuer: str = ""
    until: float = 0
    renew: float = 0
    failed: str = ""  # why the last try failed, empty if it did not
    tried: float = 0
    again: float = 0


@dataclass(frozen=True)
class HeldCertificates:
    """What the router holds: the one certificate by the collective's own CA, and those from elsewhere."""

    issuer: str
    until: float
    certified: tuple[Certified, ...] = ()


def parse_held(told: bytes) -> HeldCertificates:
    """Read what the router says of its certificates.

    Raises:
        ValueError: when it says no such thing.
    """
    try:
        said: dict[str, Any] = json.loads(told)
        known = {field.name for field in fields(Certified)} - {"names"}
        certified = (
            Certified(tuple(record["names"]), **{key: record[key] for key in known if key in record})
            for record in said["records"].values()
        )
        return HeldCertificates(said["issuer"], datetime.fromisoformat(said["until"]).timestamp(), tuple(certified))
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{error!r}") from error
