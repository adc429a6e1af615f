"""The command about uptime."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command

if TYPE_CHECKING:
    from darkpeak.actions.uptime import Period, ServiceUptime
    from darkpeak.uptime.measure import Outage

SHOWN = 20  # outages
NOT_MEASURED = "not measured"


@command("uptime")
@click.argument("name", metavar="[SERVICE]", required=False)
def uptime(settings: Settings, name: str | None) -> None:
    """Show how much of the time services answered.

    A program beside the router asks each service every 30 seconds, through the router. Announced maintenance counts
    for nothing, and neither does the time in which that program did not run. With SERVICE, it shows each outage.

    \b
    Example: darkpeak uptime wiki
    """
    from darkpeak import output
    from darkpeak.actions.uptime import find_uptime

    targets = settings.targets(settings.collective(), (name,) if name else ())
    rows = settings.each(targets, find_uptime, side_by_side=True)
    if settings.as_json:
        output.show_json(rows)
    elif name:
        for row in rows:
            _show_one(row)
    else:
        placed = ("host",) if any(row.host for row in rows) else ()
        columns = ("service", *placed, "30 days", "90 days", "365 days", "measured", "outages")
        output.show_table(columns, [_row(row, placed=bool(placed)) for row in rows], {NOT_MEASURED: "yellow"})
    for host, until in sorted({(row.host, row.until) for row in rows if row.late}):
        where = f" on {host}" if host else ""
        output.note(f"note: the prober{where} last asked at {until}; see why: darkpeak logs router")


def _row(row: "ServiceUptime", *, placed: bool) -> list[str]:
    named = [row.service, row.host] if placed else [row.service]
    if not row.periods:
        return [*named, NOT_MEASURED, "", "", "", ""]
    longest = row.periods[-1]
    shares = [_share(period) for period in row.periods]
    return [*named, *shares, f"{longest.measured:.1f} days", str(longest.outages)]


def _show_one(row: "ServiceUptime") -> None:
    from darkpeak import output

    if not row.periods:
        output.show_lines([f"{row.service} is {NOT_MEASURED}; start the prober: darkpeak up router"])
        return
    columns = ("last", "answered", "nines", "down", "maintenance", "measured")
    output.show_table(columns, [_period(period) for period in row.periods])
    if not row.outages:
        output.show_lines(["", "no outage"])
        return
    output.show_lines([""])
    output.show_table(("from (UTC)", "down for", "cause"), [_outage(item) for item in row.outages[:SHOWN]])
    if len(row.outages) > SHOWN:
        output.note(f"{len(row.outages) - SHOWN} older outages: darkpeak uptime {row.service} --json")


def _share(period: "Period") -> str:
    from darkpeak.uptime.measure import percent

    return percent(period.share, 3) if period.measured else NOT_MEASURED


def _period(period: "Period") -> list[str]:
    down, kept = in_words(period.down), in_words(period.maintenance)
    return [f"{period.days} days", _share(period), str(period.nines), down, kept, f"{period.measured:.1f} days"]


def _outage(outage: "Outage") -> list[str]:
    since = datetime.fromtimestamp(outage.began, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return [since, in_words(outage.seconds) + ("" if outage.ended else ", still down"), outage.cause]


def in_words(seconds: int) -> str:
    """Return a duration with its two largest units: 2 d 3 h, 5 min 10 s, 40 s."""
    sizes = (("d", 10**9, 86400), ("h", 86400, 3600), ("min", 3600, 60), ("s", 60, 1))
    counted = [(seconds % above // size, unit) for unit, above, size in sizes]
    first = next((index for index, (number, _) in enumerate(counted) if number), len(counted) - 1)
    return " ".join(f"{number} {unit}" for number, unit in counted[first : first + 2] if number) or "0 s"


COMMANDS = (uptime,)
