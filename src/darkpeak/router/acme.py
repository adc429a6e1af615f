"""The certificates that the router gets from a CA by ACME: as values, and as lines of its table. Pure."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from darkpeak.vocabulary import HOOK, HTTPS_URL, PRIVATE_KEY

WORD = re.compile(r"\S+")
WILDCARD = "*."
NO_REDIRECT = "redirect off"


@dataclass(frozen=True)
class Acme:
    """The CA of the router, and the certificates to request: for each its names, of which the first identifies it."""

    directory: str
    contact: str = ""
    hook: str = ""
    trust: str = ""  # the CA's own root certificate, in PEM; empty if Debian trusts it
    certificates: tuple[tuple[str, ...], ...] = ()
    redirect: bool = True  # whether http leads to https, for names with a certificate

    def lines(self) -> list[str]:
        """Return the lines of certificates.lst."""
        settings = (("acme", self.directory), ("contact", self.contact), ("hook", self.hook))
        return [
            *(f"{key} {value}" for key, value in settings if value),
            *(() if self.redirect else (NO_REDIRECT,)),
            *(f"certificate {' '.join(names)}" for names in self.certificates),
        ]

    def faults(self) -> Iterable[str]:
        """Yield what is wrong with these settings."""
        if not HTTPS_URL.fullmatch(self.directory):
            yield f"{self.directory!r} is not the address of an ACME directory"
        if self.contact and not WORD.fullmatch(self.contact):
            yield f"{self.contact!r} is not a mail address"
        if self.hook and not HOOK.fullmatch(self.hook):
            yield f"{self.hook!r} is not the name of a hook"
        if PRIVATE_KEY in self.trust:
            yield "the root certificate of the CA contains a private key"

    @property
    def names(self) -> list[str]:
        """All names, without the asterisks of wildcards."""
        return [name.removeprefix(WILDCARD) for names in self.certificates for name in names]


def parse_acme(lines: Iterable[str], trust: str) -> Acme | None:
    """Return the settings in the lines of certificates.lst; None if they name no CA."""
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
    redirect = settings.get("redirect") != "off"
    return Acme(settings["acme"], contact, hook, trust, tuple(sorted(certificates)), redirect)


@dataclass(frozen=True)
class Certified:
    """The state of one certificate. Times are seconds since 1970; 0 is never."""

    names: tuple[str, ...]
    issuer: str = ""
    until: float = 0
    renew: float = 0
    failed: str = ""  # why the last try failed, empty if it did not
    tried: float = 0
    again: float = 0


@dataclass(frozen=True)
class HeldCertificates:
    """The router's certificates: the one by the collective's own CA, and those of another CA."""

    issuer: str
    until: float
    certified: tuple[Certified, ...] = ()


def parse_held(text: bytes) -> HeldCertificates:
    """Return the certificates that the router's program `certificates` printed.

    Raises:
        ValueError: when it printed something else.
    """
    try:
        facts: dict[str, Any] = json.loads(text)
        known = {field.name for field in fields(Certified)} - {"names"}
        certified = (
            Certified(tuple(record["names"]), **{key: record[key] for key in known if key in record})
            for record in facts["records"].values()
        )
        return HeldCertificates(facts["issuer"], datetime.fromisoformat(facts["until"]).timestamp(), tuple(certified))
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{error!r}") from error
