"""What the steps of `darkpeak test` decide."""

from pathlib import Path

import pytest

from darkpeak import collective
from darkpeak.collective.model import Service
from darkpeak.plan.trial import (
    FAILED,
    OK,
    SKIPPED,
    STEPS,
    Failed,
    Question,
    Skipped,
    compare_empty,
    images_of,
    judge_stop,
    make_build,
    make_questions,
    missing_step,
)
from tests.making import edit, write_collective

FILE = "services/wiki/docker-compose.yml"
WRITTEN = {
    "services": {
        "webserver": {"build": {"context": "/wiki/webserver", "labels": {"of": "wiki"}}, "ports": ["6010:80"]},
        "cache": {"image": "debian:trixie"},
    },
    "secrets": {"token": {"file": "/wiki/token"}},
}


def wiki(root: Path) -> Service:
    return next(item for item in collective.read(root)[0].services if item.name == "wiki")


def test_a_build_has_names_of_its_own_and_another_label_each_time(tmp_path: Path) -> None:
    images = images_of(wiki(write_collective(tmp_path)), "darkpeak-wiki-test")
    assert images == {"webserver": "darkpeak-wiki-test-webserver"}
    first, second = (make_build(WRITTEN, "darkpeak-wiki-test", images, number) for number in (1, 2))
    assert first == {
        "name": "darkpeak-wiki-test",
        "services": {
            "webserver": {
                "image": "darkpeak-wiki-test-webserver",
                "build": {"context": "/wiki/webserver", "labels": {"of": "wiki", "darkpeak.trial": "1"}},
            }
        },
        "secrets": {"token": {"file": "/wiki/token"}},
    }
    assert second["services"]["webserver"]["build"]["labels"]["darkpeak.trial"] == "2"


def test_each_route_is_asked_at_the_containers_own_port(tmp_path: Path) -> None:
    edit(
        write_collective(tmp_path), FILE, "    http: 6010\n", '    http: 6010\n    tcp: {"5222": 6013}\n    ssh: 6012\n'
    )
    edit(tmp_path, FILE, '"127.0.0.1:6010-6011:80"', '"127.0.0.1:6010-6011:80", "127.0.0.1:6012-6013:22-23"')
    assert make_questions(collective.read(tmp_path)[0], wiki(tmp_path)) == [
        Question("wiki.localhost", "webserver", 80, "wiki.localhost"),
        Question("port 5222", "webserver", 23),
        Question("ssh", "webserver", 22),
    ]


@pytest.mark.parametrize(
    ("before", "missing"),
    [
        ({}, ["build", "start"]),
        ({"build": FAILED}, ["build", "start"]),
        ({"build": OK, "start": OK, "healthy": FAILED}, ["", ""]),
        ({"build": OK, "start": OK, "healthy": OK, "write": SKIPPED}, ["", ""]),
    ],
    ids=["nothing", "no build", "unhealthy", "nothing written"],
)
def test_a_step_needs_the_steps_before_it(before: dict[str, str], missing: list[str]) -> None:
    assert [missing_step("start", before), missing_step("stop", before)] == missing
    assert missing_step("lint", before) == missing_step("clean up", before) == ""


def test_steps_need_only_steps_that_come_before() -> None:
    names = list(STEPS)
    assert all(names.index(needed) < names.index(step) for step in names for needed in STEPS[step])


def test_verify_must_notice_that_content_is_gone() -> None:
    assert compare_empty("2 pages", "1 page", wrote=True).endswith("printed: 1 page")
    with pytest.raises(Failed, match="printed the same on an empty service: fine"):
        compare_empty("fine", "fine", wrote=True)
    with pytest.raises(Skipped, match="nothing was written"):
        compare_empty("fine", "fine", wrote=False)


def test_a_container_that_had_to_be_killed_did_not_stop() -> None:
    assert judge_stop({"web": 0, "database": 143}, {"web": 10.0, "database": 10.0}) == ""
    with pytest.raises(Failed, match="database did not end within 30 s of the signal to stop, and was killed"):
        judge_stop({"web": 0, "database": 137}, {"web": 10.0, "database": 30.0})
