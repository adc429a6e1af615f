"""When the router renews a certificate from a CA: its own program, imported from the service's folder."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from darkpeak.router.acme import Acme
from darkpeak.router.files import render
from darkpeak.router.routes import Table
from services.router.certificates.renew import files, times

DAY = 86400.0


@pytest.mark.parametrize(("dice", "day"), [(0, 60), (0.5, 58.65), (1, 57.3)])
def test_a_certificate_is_renewed_at_two_thirds_of_its_life_or_a_little_before(dice: float, day: float) -> None:
    assert times.at_two_thirds(0, 90 * DAY, dice) / DAY == pytest.approx(day)


@pytest.mark.parametrize(
    ("window", "dice", "day"),
    [
        pytest.param((50, 52), 0.5, 51, id="within what the CA suggests"),
        pytest.param((88, 92), 1, 89, id="a day before the end at the latest"),
        pytest.param((95, 99), 1, 95, id="unless the CA wants it so"),
    ],
)
def test_the_window_that_the_ca_suggests_is_used(window: tuple[float, float], dice: float, day: float) -> None:
    assert times.in_window(window[0] * DAY, window[1] * DAY, 90 * DAY, dice) == day * DAY


def test_each_failure_doubles_the_pause_up_to_a_day() -> None:
    assert [times.pause(failures, 0.5) for failures in (1, 2, 3, 9, 500)] == [300, 600, 1200, 76800, DAY]
    assert times.pause(1, 0) < times.pause(1, 1) < times.pause(2, 0.5)


CA, NAMES = "https://ca.example", ["a.peak.test"]


@pytest.mark.parametrize(
    ("changed", "now", "due"),
    [
        pytest.param({}, 59 * DAY, False, id="in the middle of its life"),
        pytest.param({}, 60 * DAY, True, id="at its time"),
        pytest.param({"acme": "https://staging.example"}, 1, True, id="from another CA"),
        pytest.param({"names": ["a.peak.test", "b.peak.test"]}, 1, True, id="for other names"),
        pytest.param({"acme": ""}, 1, True, id="never obtained"),
        pytest.param({"failures": 1, "at": CA, "again": 62 * DAY}, 61 * DAY, False, id="backed off"),
        pytest.param({"failures": 1, "at": CA, "again": 62 * DAY}, 62 * DAY, True, id="backed off long enough"),
        pytest.param({"failures": 1, "at": "https://old.example", "again": 62 * DAY}, 61 * DAY, True, id="by another"),
    ],
)
def test_when_a_certificate_is_due(changed: dict[str, Any], now: float, *, due: bool) -> None:
    sound = files.Record(NAMES, CA, begin=0, until=90 * DAY, renew=60 * DAY)
    assert replace(sound, **changed).due(CA, NAMES, now) is due


def test_the_router_reads_the_table_that_the_tool_writes(tmp_path: Path) -> None:
    assert files.read_wanted(tmp_path) == files.Wanted(), "no table"
    acme = Acme(
        CA, "a@peak.test", "nsupdate", "a root", (("peak.test", "*.peak.test"), ("wiki.example",)), redirect=False
    )
    for name, content in render(Table(("peak.test",), acme=acme)).items():
        (tmp_path / name).write_bytes(content)
    certificates = {"peak.test": ["peak.test", "*.peak.test"], "wiki.example": ["wiki.example"]}
    wanted = files.Wanted(CA, "a@peak.test", "nsupdate", "off", certificates, str(tmp_path / "trust.pem"))
    assert files.read_wanted(tmp_path) == wanted
    for name, content in render(Table(("peak.test",))).items():
        (tmp_path / name).write_bytes(content)
    assert files.read_wanted(tmp_path) == files.Wanted()


def test_wrong_lines_of_a_table_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "certificates.lst").write_text(f"acme {CA}\nnonsense\n\ncertificate\ncertificate a.peak.test\n")
    assert files.read_wanted(tmp_path) == files.Wanted(CA, certificates={"a.peak.test": ["a.peak.test"]})
    (tmp_path / "certificates.lst").write_text("certificate a.peak.test\n")
    assert files.read_wanted(tmp_path).certificates == {}, "without a CA no certificate is requested"


def test_names_with_a_certificate_are_led_to_https_until_it_ends() -> None:
    records = {
        "b.test": files.Record(["b.test", "*.b.test"], until=2.5),
        "a.test": files.Record(["a.test"], until=9),
        "c.test": files.Record(["c.test"], failures=3),
    }
    assert files.make_trusted(files.Wanted(CA), records) == ["*.b.test 2", "a.test 9", "b.test 2"]
    assert files.make_trusted(files.Wanted(CA, redirect="off"), records) == [], "turned off"
    assert files.make_trusted(files.Wanted(), records) == [], "there is no [certificates] any more"
