"""What is known of the services as numbers, in Prometheus' text format. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from darkpeak.site.facts import Card, Site

LEVELS = ("idea", "alpha", "beta", "live")
FAMILIES = (
    ("darkpeak_pages_made_seconds", "When these numbers were made, in seconds since 1970."),
    ("darkpeak_service_up", "Whether the service works, as members find it; missing if it is unknown."),
    ("darkpeak_service_level", "The level that the service has: 0 idea, 1 alpha, 2 beta, 3 live."),
    ("darkpeak_service_level_claimed", "The level that it claims."),
    ("darkpeak_service_uptime_ratio", "The share of the measured time of the last 90 days in which it answered."),
    ("darkpeak_service_measured_seconds", "How much of the last 90 days was measured, without maintenance."),
    ("darkpeak_service_outages", "How many outages it had in the last 90 days."),
    (
        "darkpeak_service_backup_seconds",
        "When its newest snapshot was made, in seconds since 1970; missing if that failed.",
    ),
    ("darkpeak_service_backup_bytes", "The size of that snapshot's content."),
    (
        "darkpeak_service_drill_seconds",
        "When its last drill restored it, in seconds since 1970; missing if that failed.",
    ),
    ("darkpeak_service_security_updates", "How many security updates it lacked in the last night."),
)


def make_metrics(site: Site) -> str:
    """Return all metrics; what is not known has no line."""
    found: dict[str, list[str]] = {name: [] for name, _ in FAMILIES}
    found["darkpeak_pages_made_seconds"].append(f"{int(site.at.timestamp())}")
    for card in site.services:
        for name, value in _of(card).items():
            if value is not None:
                found[f"darkpeak_service_{name}"].append(f'{{service="{_escape(card.name)}"}} {value:.15g}')
    return "".join(f"{line}\n" for line in _lines(found))


def _lines(found: Mapping[str, Iterable[str]]) -> Iterator[str]:
    for name, about in FAMILIES:
        yield f"# HELP {name} {about}"
        yield f"# TYPE {name} gauge"
        yield from (f"{name}{line}" if line.startswith("{") else f"{name} {line}" for line in found[name])


def _of(card: Card) -> Mapping[str, float | None]:
    uptime, proofs = card.uptime, card.proofs
    return {
        "up": float(card.state == "healthy") if card.state and card.claimed != "idea" else None,
        "level": LEVELS.index(card.level),
        "level_claimed": LEVELS.index(card.claimed),
        "uptime_ratio": uptime.share if uptime and uptime.days else None,
        "measured_seconds": uptime.up + uptime.down if uptime else None,
        "outages": len(uptime.outages) if uptime else None,
        "backup_seconds": proofs.saved,
        "backup_bytes": proofs.data,
        "drill_seconds": proofs.drilled,
        "security_updates": proofs.security,
    }


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
