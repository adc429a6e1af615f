"""A figure over some days as a small plot: an SVG that a screen reader reads as one sentence. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

WIDTH, HEIGHT, EDGE = 120, 28, 2


class Point(NamedTuple):
    """A value at a moment."""

    at: float  # seconds since 1970
    value: float


def plot(points: Sequence[Point], label: str) -> Markup:
    """Return an SVG with a line through the points, from zero to the greatest value; empty with fewer than two."""
    if len(points) < 2 or points[0].at == points[-1].at:  # noqa: PLR2004 (a line has two ends)
        return Markup()
    began, ended = points[0].at, points[-1].at
    most = max(*(point.value for point in points), 0.0) or 1.0
    places = (((point.at - began) / (ended - began) * WIDTH, _height(point.value / most)) for point in points)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none"'
    drawn = f'<polyline points="{line}" vector-effect="non-scaling-stroke"/>'
    return Markup(f'<svg class="plot" role="img" aria-label="{escape(label)}" {size}>{drawn}</svg>')  # noqa: S704 (escaped)


def _height(share: float) -> float:
    return HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE)
