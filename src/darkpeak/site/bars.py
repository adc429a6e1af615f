"""The last days of a service as bars: an SVG that a screen reader reads as one sentence."""

from collections.abc import Sequence

from markupsafe import Markup, escape

from darkpeak.uptime.measure import Uptime

WIDTH, GAP, HEIGHT = 6, 2, 28
GOOD = 0.99


def kind_of(day: Uptime) -> str:
    """Return what a day was like: unknown, maintenance, up, short (outages below 1 %), or down."""
    if not day.up and not day.down:
        return "maintenance" if day.maintenance else "unknown"
    if not day.down:
        return "up"
    return "short" if day.share >= GOOD else "down"


def bars(days: Sequence[Uptime], label: str) -> Markup:
    """Return an SVG with one bar for each day, the oldest first."""
    step = WIDTH + GAP
    drawn = "".join(
        f'<rect class="{kind_of(day)}" x="{number * step}" width="{WIDTH}" height="{HEIGHT}"/>'
        for number, day in enumerate(days)
    )
    size = f'viewBox="0 0 {len(days) * step - GAP} {HEIGHT}" preserveAspectRatio="none"'
    return Markup(f'<svg class="bars" role="img" aria-label="{escape(label)}" {size}>{drawn}</svg>')  # noqa: S704 (escaped)
