"""The overview for admins: what is wrong stands on top with the command that helps; and metrics for programs."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from darkpeak.site.facts import Card, Proofs, Site
from darkpeak.site.metrics import FAMILIES, make_metrics
from darkpeak.site.overview import (
    Certificate,
    Machine,
    Need,
    Overview,
    Past,
    Row,
    Use,
    find_troubles,
    make_overview,
)
from darkpeak.site.plots import Point, plot
from darkpeak.uptime.measure import DAY_SECONDS, Outage, Uptime

AT = datetime(2026, 6, 30, 12, tzinfo=UTC)
WIKI = Card(
    "wiki",
    "Pages",
    (),
    "member",
    "beta",
    "live",
    ("Ada",),
    "healthy",
    uptime=Uptime(DAY_SECONDS * 3, DAY_SECONDS, outages=(Outage(1, 2, 1, ""),)),
    days=(Uptime(DAY_SECONDS),) * 3 + (Uptime(0, DAY_SECONDS),),
    proofs=Proofs(1_782_820_800.0, 41_300_000, None, 2),
)
ROW = Row("wiki", "", "live", "live", "healthy", ("Ada",), saved="wiki-3 9 h ago", drilled="wiki-2 4 d ago")
OVERVIEW = Overview(Site("Dark Peak", "peak.test", AT, (WIKI,)), (ROW,))
DASHBOARD = Path(__file__).parents[2] / "docs/grafana.json"


@pytest.mark.parametrize(
    ("changes", "what", "command"),
    [
        ({"state": "web unhealthy"}, "wiki does not work: web unhealthy.", "darkpeak logs wiki"),
        ({"late": ("backup", "drill"), "saved": "NEVER"}, "wiki is not backed up: NEVER.", "darkpeak backup wiki"),
        ({"late": ("drill",), "drilled": "NEVER"}, "No restore of wiki is proved: NEVER.", "darkpeak drill wiki"),
        ({"security": 2}, "wiki lacks security updates: 2.", "darkpeak updates wiki"),
    ],
)
def test_what_is_wrong_with_a_service_names_the_command_that_helps(
    changes: dict[str, object], what: str, command: str
) -> None:
    overview = replace(OVERVIEW, rows=(replace(ROW, **changes),))  # type: ignore[arg-type] # any field
    assert [(one.what, one.command) for one in find_troubles(overview)] == [(what, command)]
    shown = make_overview(overview)["overview.html"]
    assert f"<li>{what} <code>{command}</code></li>" in shown


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"machines": (Machine("far", 1, 100, 1),)}, "The disk of far is 99% full."),
        (
            {"certificates": (Certificate(("a.peak.test",), "", "refused"),)},
            "The certificate of a.peak.test fails: refused.",
        ),
        ({"nightly": "NEVER", "nightly_late": True}, "The nightly jobs: NEVER."),
        ({"site": replace(OVERVIEW.site, unknown=("no answer",))}, "An engine does not answer: no answer."),
    ],
)
def test_what_is_wrong_elsewhere(changes: dict[str, object], what: str) -> None:
    assert [one.what for one in find_troubles(replace(OVERVIEW, **changes))] == [what]  # type: ignore[arg-type]


@pytest.mark.parametrize("state", ["healthy", "idea", "absent", ""])
def test_nothing_is_wrong(state: str) -> None:
    overview = replace(OVERVIEW, rows=(replace(ROW, state=state),), machines=(Machine("", 50, 100, 1),))
    assert "Nothing needs attention." in make_overview(overview)["overview.html"]


def nights(*data: int | None) -> tuple[Use, ...]:
    """Return what a service used in nights, with so much data."""
    return tuple(Use(AT.timestamp() + number * DAY_SECONDS, 50 << 20, 0.01, size) for number, size in enumerate(data))


@pytest.mark.parametrize(
    ("data", "growth"),
    [
        ((), None),
        ((10,), None),
        ((10, 20), None),
        ((10, 20, 30), 70),
        ((30, 20, 10), -70),
        ((None, None, 10, 10, 24), 49),
        ((10, 10, 10), 0),
    ],
)
def test_growth_is_bytes_a_week_and_known_after_two_days(data: tuple[int | None, ...], growth: float | None) -> None:
    assert replace(ROW, nights=nights(*data)).growth == growth


def test_a_disk_that_is_full_within_a_week_is_wrong_and_one_later_is_not() -> None:
    def found(days: int) -> list[str]:
        machine = Machine("", 50, 100, 1, 2, AT + timedelta(days=days))
        return [one.what for one in find_troubles(replace(OVERVIEW, machines=(machine,)))]

    assert found(6) == ["The disk will be full on 2026-07-06 at this rate."]
    assert found(8) == []


def test_each_service_has_a_page_with_all_that_is_known() -> None:
    needs = (Need("beta", "restore that works", met=False, why="NEVER", next="darkpeak drill wiki"),)
    past = (Past("2026-06-12 19:40", "ada", "2f1c9ab", "up", "web did not start"),)
    used = Use(AT.timestamp(), 60 << 20, 0.0123, None)
    row = replace(ROW, now=used, nights=nights(10 << 20, 20 << 20, 30 << 20), needs=needs, deploys=past, security=1)
    files = make_overview(replace(OVERVIEW, rows=(row, replace(row, host="far"))))
    assert set(files) == {"style.css", "overview.html", "services/wiki.html", "services/wiki@far.html"}
    assert '<a href="services/wiki.html">wiki</a>' in files["overview.html"]
    assert '<a href="services/wiki%40far.html">wiki</a>' in files["overview.html"]
    shown = files["services/wiki.html"]
    for said in (
        "60.0 MiB now",
        "1.2 % of a core now",
        "+70.0 MiB a week",
        "web did not start",
        "darkpeak drill wiki",
        "75.00 %",
        "1970-01-01 00:00:01",
        "wiki lacks security updates: 1. <code>darkpeak updates wiki</code>",
        '<link rel="stylesheet" href="../style.css">',
    ):
        assert said in shown
    assert shown.count('class="plot"') == 3


def test_a_plot_goes_from_zero_to_the_greatest_value() -> None:
    drawn = plot([Point(100, 5), Point(150, 10), Point(200, 0)], 'a "plot"')
    assert 'points="0.0,14.0 60.0,2.0 120.0,26.0"' in drawn
    assert 'aria-label="a &#34;plot&#34;"' in drawn


@pytest.mark.parametrize("points", [[], [Point(1, 1)], [Point(1, 1), Point(1, 2)]])
def test_too_few_points_are_no_plot(points: list[Point]) -> None:
    assert plot(points, "x") == ""


def test_a_plot_of_nothing_but_zeros_is_a_line_at_the_bottom() -> None:
    assert 'points="0.0,26.0 120.0,26.0"' in plot([Point(1, 0), Point(2, 0)], "x")


def test_metrics_have_what_is_known_and_no_line_for_the_rest() -> None:
    idea = Card("cloud", "", (), "", "idea", "idea", (), "idea")
    found = make_metrics(replace(OVERVIEW.site, services=(WIKI, idea)))
    lines = [line for line in found.splitlines() if not line.startswith("#")]
    assert lines == [
        f"darkpeak_pages_made_seconds {int(AT.timestamp())}",
        'darkpeak_service_up{service="wiki"} 1',
        'darkpeak_service_level{service="wiki"} 2',
        'darkpeak_service_level{service="cloud"} 0',
        'darkpeak_service_level_claimed{service="wiki"} 3',
        'darkpeak_service_level_claimed{service="cloud"} 0',
        'darkpeak_service_uptime_ratio{service="wiki"} 0.75',
        'darkpeak_service_measured_seconds{service="wiki"} 345600',
        'darkpeak_service_outages{service="wiki"} 1',
        'darkpeak_service_backup_seconds{service="wiki"} 1782820800',
        'darkpeak_service_backup_bytes{service="wiki"} 41300000',
        'darkpeak_service_security_updates{service="wiki"} 2',
    ]


def test_a_hostile_name_is_one_label() -> None:
    found = make_metrics(replace(OVERVIEW.site, services=(replace(WIKI, name='a"} 1\nb\\'),)))
    assert 'darkpeak_service_up{service="a\\"} 1\\nb\\\\"} 1' in found.splitlines()


def test_the_dashboard_is_one_that_grafana_reads_and_nothing_of_it_is_lost() -> None:
    written = json.loads(DASHBOARD.read_text())
    read = Dashboard.from_json(written)
    assert has_all(json.loads(JSONEncoder().encode(read)), written)


def has_all(found: object, wanted: object) -> bool:
    """Return whether something has all values of another, at the same places; it may have more keys."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(key in found and has_all(found[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        pairs = zip(found, wanted, strict=True) if isinstance(found, list) and len(found) == len(wanted) else [(0, 1)]
        return all(has_all(*pair) for pair in pairs)
    return found == wanted


def test_the_dashboard_shows_only_metrics_that_exist() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    used = {
        name for panel in panels for target in panel["targets"] for name in re.findall(r"darkpeak_\w+", target["expr"])
    }
    assert used <= {name for name, _ in FAMILIES}
    assert len(used) > len(FAMILIES) / 2
