"""The overview for admins: what is wrong stands on top with the command that helps; and metrics for programs."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from darkpeak.site.facts import Card, Proofs, Site
from darkpeak.site.metrics import FAMILIES, make_metrics
from darkpeak.site.overview import Certificate, Machine, Overview, Row, find_troubles, make_overview
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
        'darkpeak_service_measured_days{service="wiki"} 4',
        'darkpeak_service_outages{service="wiki"} 1',
        'darkpeak_service_backup_seconds{service="wiki"} 1782820800',
        'darkpeak_service_backup_bytes{service="wiki"} 41300000',
        'darkpeak_service_security_updates{service="wiki"} 2',
    ]


def test_a_hostile_name_is_one_label() -> None:
    found = make_metrics(replace(OVERVIEW.site, services=(replace(WIKI, name='a"} 1\nb\\'),)))
    assert 'darkpeak_service_up{service="a\\"} 1\\nb\\\\"} 1' in found.splitlines()


def test_the_dashboard_shows_only_metrics_that_exist() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    used = {
        name for panel in panels for target in panel["targets"] for name in re.findall(r"darkpeak_\w+", target["expr"])
    }
    assert used <= {name for name, _ in FAMILIES}
    assert len(used) > len(FAMILIES) / 2
