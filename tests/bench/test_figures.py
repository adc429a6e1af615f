"""The figures of benches are compared: what got worse, whether larger or smaller is better."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.all import BENCHES
from bench.figures import compare, flat

TOP = Path(__file__).parents[2]


def test_numbers_are_found_at_any_depth_and_the_rest_is_left_out() -> None:
    printed = {"a": 1, "b": {"c": 2.5, "d": "text", "e": True, "f": None}, "g": [3]}
    assert flat("x", printed) == {"x.a": 1.0, "x.b.c": 2.5}


@pytest.mark.parametrize(
    ("name", "before", "after", "worse"),
    [
        ("deploy.deploy", 1.5, 3.0, 2.0),
        ("deploy.noop_up_60", 20.0, 10.0, 2.0),
        ("deploy.status_60", 10.0, 20.0, 0.5),
        ("deploy.status_60_processor", 10.0, 20.0, 0.5),
        ("router.over_nginx", 1.0, 0.5, 2.0),
        ("router.change_p99_ms", 10.0, 5.0, 0.5),
        ("rest.containers.home/web.mib", 2.0, 4.0, 2.0),
        ("directory.login_8.per_second", 40.0, 20.0, 2.0),
        ("directory.login_8.p99_ms", 40.0, 20.0, 0.5),
        ("updates.sequence_over_warm", 40.0, 80.0, 0.5),
        ("backup.first_over_restic", 1.0, 1.1, 1.1),
    ],
)
def test_worse_is_more_time_and_memory_and_less_speed(name: str, before: float, after: float, worse: float) -> None:
    (change,) = compare({name: before}, {name: after})
    assert change.worse == pytest.approx(worse)


def test_what_was_asked_for_and_figures_of_one_run_alone_are_not_compared() -> None:
    assert list(compare({"lint.services": 1, "a": 1, "b": 0}, {"lint.services": 9, "c": 1, "b": 5})) == []


def test_every_bench_is_run_with_options_that_it_has() -> None:
    files = {path.stem for path in (TOP / "bench").glob("*.py")} - {"all", "compare", "figures", "__init__"}
    assert set(BENCHES) == files
    for name, (options, _) in BENCHES.items():
        text = (TOP / f"bench/{name}.py").read_text()
        assert all(f'"{option}"' in text for option in ("--json", *options[::2]))


def test_the_program_says_what_got_worse(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps({"deploy.deploy": 1.5, "site.10.members": 1.0, "gone": 1}))
    new.write_text(json.dumps({"deploy.deploy": 3.0, "site.10.members": 1.05}))
    argv = [sys.executable, "-m", "bench.compare", str(old)]
    worse = subprocess.run([*argv, str(new)], cwd=TOP, capture_output=True, text=True, check=False)
    assert worse.stdout == "deploy.deploy: 1.5, now 3 (2.00 times worse)\nno longer there: gone\n"
    assert worse.returncode == 1
    same = subprocess.run([*argv, str(old)], cwd=TOP, capture_output=True, text=True, check=False)
    assert (same.returncode, same.stdout) == (0, "nothing is worse by more than a factor of 1.1\n")
