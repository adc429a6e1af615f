"""The rows of `darkpeak certificates`. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

from darkpeak.collective.model import Collective
from darkpeak.plan.observed import Observed
from darkpeak.plan.routes import make_table
from darkpeak.router.acme import WILDCARD, Certified, HeldCertificates

URGENT = 14 * 86400  # seconds before the end; what fails earlier may succeed on a later try
LEFT_OF_LIFE = 132 * 86400  # a third; from then on the router renews its own at its next start or change


@dataclass(frozen=True)
class ListedCertificate:
    """One row of `darkpeak certificates`."""

    names: tuple[str, ...]
    issuer: str
    until: str
    renewal: str
    failed: str
    sound: bool  # there is one, it has not expired, and nothing failed
    urgent: bool = False  # a request failed, and the certificate ends within two weeks or is missing


def list_certificates(
    collective: Collective, observed: Observed, held: HeldCertificates, now: float
) -> list[ListedCertificate]:
    """Return a row for each certificate that is requested or still there, and one for the router's own."""
    acme = make_table(collective, observed).acme
    wanted = acme.certificates if acme else ()
    known = {item.names: item for item in held.certified}
    rows = [_row(known.get(names) or Certified(names), now) for names in wanted]
    rows += [_left(item) for names, item in sorted(known.items()) if names not in wanted and item.until]
    all_others = (f"*.{collective.domain}",)
    ends = bool(held.until) and held.until - now < URGENT
    failed = (
        f"it ends {_day(held.until)}, and is renewed at the router's next start: darkpeak restart router"
        if ends
        else ""
    )
    renewal = f"from {_day(held.until - LEFT_OF_LIFE)}"
    own = ListedCertificate(all_others, held.issuer, _day(held.until), renewal, failed, held.until > now, ends)
    return [*rows, own]


def find_certificate(collective: Collective, observed: Observed, name: str) -> str | None:
    """Return the first name of the certificate for a name, or None if no certificate is requested for it."""
    acme = make_table(collective, observed).acme
    above = WILDCARD + name.partition(".")[2]
    holding = [names for names in (acme.certificates if acme else ()) if {name, above} & set(names)]
    return min(holding, key=lambda names: name not in names)[0] if holding else None


def _row(item: Certified, now: float) -> ListedCertificate:
    failed = f"FAILED {_day(item.tried)}: {item.failed}; next try {_day(item.again)}" if item.failed else ""
    waiting = "" if item.until or failed else "being requested"
    renewal = waiting or (_day(item.renew) if item.until else "")
    sound = item.until > now and not failed
    urgent = bool(failed) and item.until - now < URGENT
    return ListedCertificate(item.names, item.issuer, _day(item.until), renewal, failed, sound, urgent)


def _left(item: Certified) -> ListedCertificate:
    """Return the row of a certificate that is no longer requested: it is served until it ends."""
    return ListedCertificate(item.names, item.issuer, _day(item.until), "none: no route needs it", "", sound=True)


def _day(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M}" if moment else ""
