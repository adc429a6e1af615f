"""The texts that run the nightly jobs: systemd units, a line for cron, and a crontab that keeps its other lines."""

from pathlib import Path

import pytest

from darkpeak.errors import UsageError
from darkpeak.schedule.timer import Call, change_crontab, make_line, make_units, parse_time, pick_environment

CALL = Call("Dark Peak", ("/srv/bin/darkpeak", "nightly", "--host", "ssh://a@b"), Path("/srv/our own"))
LINE = (
    "17 3 * * * cd '/srv/our own' && PATH=/usr/local/bin:/usr/bin:/bin "
    "/srv/bin/darkpeak nightly --host ssh://a@b # darkpeak-nightly-dark-peak"
)


def test_units() -> None:
    made = make_units(CALL, Path("/units"), whole=True)
    assert {str(path): text for path, text in made.items()} == {
        "/units/darkpeak-nightly-dark-peak.service": """\
[Unit]
Description=Nightly jobs of Dark Peak (darkpeak)
Wants=network-online.target
After=network-online.target docker.service

[Service]
Type=oneshot
WorkingDirectory=/srv/our own
ExecStart=/srv/bin/darkpeak nightly --host ssh://a@b
Nice=10
""",
        "/units/darkpeak-nightly-dark-peak.timer": """\
[Unit]
Description=Timer of darkpeak-nightly-dark-peak

[Timer]
OnCalendar=*-*-* 03:17:00
Persistent=true

[Install]
WantedBy=timers.target
""",
    }


def test_special_characters_are_quoted_for_systemd_and_cron() -> None:
    odd = Call("peak", ("/srv/100 %/darkpeak", "--identity", '/a "b" $c'), Path("/srv/50%"), (("DOCKER_HOST", "x y"),))
    service = next(iter(make_units(odd, Path("/u"), whole=False).values()))
    assert 'ExecStart="/srv/100 %%/darkpeak" --identity "/a \\"b\\" $$c"' in service
    assert "WorkingDirectory=/srv/50%%" in service
    assert 'Environment="DOCKER_HOST=x y"' in service
    assert "network-online" not in service
    line = make_line(odd)
    assert "cd /srv/50\\% && " in line
    assert "DOCKER_HOST='x y' '/srv/100 \\%/darkpeak' --identity '/a \"b\" $c' # darkpeak-nightly-peak" in line


def test_a_line_for_cron() -> None:
    assert make_line(CALL) == LINE


@pytest.mark.parametrize(
    ("before", "line", "after"),
    [
        ("", LINE, f"{LINE}\n"),
        ("# mine\n0 1 * * * x\n", LINE, f"# mine\n0 1 * * * x\n{LINE}\n"),
        (f"a\n{LINE}\nb\n", LINE, f"a\n{LINE}\nb\n"),
        (f"a\n{LINE.replace('17', '18')}\nb\n", LINE, f"a\n{LINE}\nb\n"),
        (f"a\n{LINE}\nb\n", "", "a\nb\n"),
        (f"{LINE}-two\n", "", f"{LINE}-two\n"),
    ],
    ids=["empty", "others", "again", "changed", "removed", "another collective's"],
)
def test_a_crontab_keeps_its_other_lines(before: str, line: str, after: str) -> None:
    assert change_crontab(before, CALL.name, line) == after


def test_variables_that_name_the_daemon_are_kept() -> None:
    assert pick_environment({"DOCKER_HOST": "ssh://a", "DOCKER_CONTEXT": "", "HOME": "/root"}) == (
        ("DOCKER_HOST", "ssh://a"),
    )


def test_times() -> None:
    assert [parse_time("3:17"), parse_time("23:59")] == [(3, 17), (23, 59)]
    with pytest.raises(UsageError):
        parse_time("24:00")
