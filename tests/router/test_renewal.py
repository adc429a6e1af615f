"""When the router renews what a CA has certified: its own program, read from the service's folder."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "services/router/certificates/renew"
DAY = 86400.0


def load(name: str) -> ModuleType:
    """Return a module of the program, which is none of our package."""
    spec = importlib.util.spec_from_file_location(f"renew_{name}", FOLDER / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


times, files = load("times"), load("files")


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
def test_the_cas_window_comes_first(window: tuple[float, float], dice: float, day: float) -> None:
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
def test_what_is_due(changed: dict[str, object], now: float, *, due: bool) -> None:
    sound = {"names": NAMES, "acme": CA, "begin": 0, "until": 90 * DAY, "renew": 60 * DAY}
    assert files.Record(**(sound | changed)).due(CA, NAMES, now) is due


def test_the_table_is_read_as_the_tool_writes_it(tmp_path: Path) -> None:
    assert files.read_wanted(tmp_path) == files.Wanted()
    lines = f"acme {CA}\ncertificate peak.test *.peak.test\ncontact a@peak.test\nhook nsupdate\nnonsense\n"
    (tmp_path / "certificates.lst").write_text(lines)
    assert files.read_wanted(tmp_path) == files.Wanted(
        CA, "a@peak.test", "nsupdate", {"peak.test": ["peak.test", "*.peak.test"]}
    )
    (tmp_path / "certificates.lst").write_text("certificate a.peak.test\n")
    assert files.read_wanted(tmp_path).certificates == {}, "without a CA nothing is asked for"
