"""Deploys without failed requests: under load, of unhealthy versions, killed, two at once, rolled back."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from lab import toy
from lab.collectives import SERVICES, TOOL, Collective
from lab.commands import run
from tests.live import wrk
from tests.live.daemons import desired, ids, leftovers
from tests.live.packages import make_older

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    Campaign = Callable[..., int]
    Say = Callable[[str], None]

WIKI = "http://wiki.localhost:7080/doku.php?id=start"
PROJECT = "label=com.docker.compose.project=darkpeak-hello"
BEFORE_ENDED = 0.2


@pytest.fixture(scope="module")
def hello(collective: Collective) -> Collective:
    """Return the collective with the toy service running, besides all others."""
    toy.add(collective)
    collective.darkpeak("up", timeout=900)
    return collective


def page(url: str = toy.URL) -> str:
    """Return the router's answer."""
    return run(["curl", "-sS", "--max-time", "20", url]).stdout


def start_up(collective: Collective, *arguments: str) -> subprocess.Popen[str]:
    """Start `up`, and do not wait for its end."""
    environment = dict(collective.environment)
    argv, pipe = [str(TOOL), "up", *arguments], subprocess.PIPE
    return subprocess.Popen(argv, cwd=collective.top, env=environment, stdout=pipe, stderr=pipe, text=True)


def load(url: str, *, connections: int = 4, pause: int = wrk.PAUSE_MS) -> AbstractContextManager[wrk.Load]:
    """Request a page until the block ends, over kept and new connections."""
    host, _, path = url.removeprefix("http://").partition("/")
    # The C library does not resolve names below localhost, so wrk gets the address.
    address, named = f"http://127.0.0.1:7080/{path}", f"Host: {host}"
    shapes = ((named,), (named, wrk.NEW_CONNECTIONS))
    return wrk.load(*(wrk.stream(address, *shape, connections=connections, pause=pause) for shape in shapes))


def test_no_request_fails_while_the_wiki_is_deployed(running: Collective, campaign: Campaign, say: Say) -> None:
    path = running.folder("wiki") / "webserver" / "Dockerfile"
    kept, rounds = path.read_text(), campaign(200, short=8)
    try:
        with load(WIKI, connections=2, pause=100) as seen:  # a page of the wiki is much work
            for number in range(rounds):
                path.write_text(f"{kept}\nLABEL test=deploy-{number}\n")
                done = running.darkpeak("up", "wiki", timeout=300)
                assert "webserver replaced: webserver/Dockerfile changed" in done.stdout
    finally:
        path.write_text(kept)
    say(f"{rounds} deploys of the wiki under load: {seen}")
    assert min(seen.requests) > rounds
    assert seen.failed == 0
    running.darkpeak("up", timeout=300)
    assert desired(running)


def test_a_version_that_never_becomes_healthy_is_not_noticed(hello: Collective, campaign: Campaign, say: Say) -> None:
    toy.write(hello, "good")
    hello.darkpeak("up", toy.NAME, timeout=120)
    before, rounds = ids(hello), campaign(50, short=3)
    try:
        with load(toy.URL) as seen:
            for number in range(rounds):
                toy.write(hello, f"bad {number}")
                toy.break_it(hello)
                failed = hello.darkpeak("up", toy.NAME, timeout=300, check=False)
                assert failed.returncode == 3
                assert "hello web did not become healthy" in failed.stderr
                assert "the version before never stopped" in failed.stderr
                assert page() == "good"
                assert ids(hello) == before
    finally:
        toy.repair(hello)
    say(f"{rounds} deploys that never became healthy, under load: {seen}")
    assert min(seen.requests)
    assert seen.failed == 0
    toy.write(hello, "good")
    hello.darkpeak("up", toy.NAME, timeout=120)
    assert desired(hello)


def test_an_update_in_place_goes_back_if_it_does_not_become_healthy(hello: Collective) -> None:
    path = hello.folder(toy.NAME) / "store" / "Dockerfile"
    kept = path.read_text()
    try:
        path.write_text(kept.replace('"busybox", "httpd"', '"busybox", "sleep"'))
        failed = hello.darkpeak("up", toy.NAME, timeout=300, check=False)
    finally:
        path.write_text(kept)
    assert failed.returncode == 3
    assert "the version before runs again" in failed.stderr
    assert run(["curl", "-sS", "http://127.0.0.1:6905/"]).stdout == "first"
    hello.darkpeak("up", toy.NAME, timeout=120)
    assert desired(hello)


MIGRATE = """\
  migrate:
    build: store
    command: ["true"]
    restart: "no"
    healthcheck: {disable: true}
    depends_on: [store]
"""
NEEDS = "    depends_on: {store: {condition: service_healthy}, migrate: {condition: service_completed_successfully}}\n"


def test_plain_compose_recreates_nothing_after_a_deploy_of_one_container(hello: Collective) -> None:
    """Compose 2.26 sees a change in a container that was started without what it depends on."""
    path = hello.folder(toy.NAME) / "docker-compose.yml"
    kept = path.read_text()
    try:
        path.write_text(kept.replace("build: web\n", f"build: web\n{NEEDS}").replace("  store:", f"{MIGRATE}  store:"))
        hello.darkpeak("up", toy.NAME, timeout=120)
        for part, starts in (("web", {"web"}), ("store", {"store", "migrate", "web"})):
            before = numbers(hello)
            toy.write(hello, f"changed {part}", part)
            hello.darkpeak("up", toy.NAME, timeout=120)
            after = numbers(hello)
            assert {name for name, one in after.items() if before[name] != one} == starts
            hello.darkpeak("plan", toy.NAME)  # there is nothing to do
            hello.compose(toy.NAME, "up", "-d", "--no-build", timeout=60)
            assert numbers(hello) == after  # it runs the migration again, in the same container
    finally:
        path.write_text(kept)
        hello.darkpeak("up", toy.NAME, timeout=120)


def numbers(collective: Collective) -> dict[str, str]:
    """Return the ids of the toy's containers, by name in the compose file."""
    shown = collective.compose(toy.NAME, "ps", "--all", "--format", "{{.Service}} {{.ID}}").stdout
    return dict(line.split() for line in shown.splitlines())


def test_up_continues_after_it_was_killed_at_any_moment(hello: Collective, campaign: Campaign, say: Say) -> None:
    """`up` is killed while it deploys; the next `up` always reaches the desired state, without leftovers."""
    rounds, seed = campaign(300, short=12), random.SystemRandom().randrange(10**6)
    moments = random.Random(seed)  # noqa: S311 (moments, not secrets)
    toy.write(hello, f"{seed} timed")
    begun = time.monotonic()
    hello.darkpeak("up", toy.NAME, timeout=120)
    longest, died = (time.monotonic() - begun) * 1.2, 0
    for number in range(rounds):
        version = f"{seed} {number}"
        toy.write(hello, version)
        toy.write(hello, version, "store" if number % 3 == 0 else "web")
        process = start_up(hello, toy.NAME)
        time.sleep(moments.uniform(0, longest))
        died += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
        hello.darkpeak("up", toy.NAME, timeout=300)
        assert page() == version, f"seed {seed}, round {number}"
        assert desired(hello), f"seed {seed}, round {number}: {leftovers(hello)}"
    say(f"{rounds} kills of up, {died} of them before it had ended (seed {seed})")
    assert died > rounds * BEFORE_ENDED


def test_of_two_deploys_at_once_one_waits_and_names_the_other(hello: Collective, campaign: Campaign, say: Say) -> None:
    rounds, told = campaign(100, short=4), 0
    for number in range(rounds):
        before = len(json.loads(hello.darkpeak("history", toy.NAME, "--json").stdout))
        toy.write(hello, f"race {number}")
        racers = [start_up(hello, toy.NAME) for _ in range(2)]
        ended = [racer.communicate(timeout=300) for racer in racers]
        assert [racer.returncode for racer in racers] == [0, 0], ended
        deployed = [("web replaced" in out) for out, _ in ended]
        assert sorted(deployed) == [False, True], ended
        waited = next(err for (_, err), did in zip(ended, deployed, strict=True) if not did)
        told += "hello: locked by root@" in waited
        assert page() == f"race {number}"
        newest = json.loads(hello.darkpeak("history", toy.NAME, "--json").stdout)
        assert len(newest) <= before + 1
    say(f"{rounds} races: one deployed each time, {told} times the other waited and named its holder")
    assert told
    assert desired(hello)


def hold_by_hand(collective: Collective, lock: str) -> None:
    """Hold a lock as grace, like a command of hers that hangs."""
    labels = {"lock": lock, "who": "grace@laptop", "since": "2026-01-01T00:00:00+00:00"}
    words = [f"--label=darkpeak.{key}={value}" for key, value in labels.items()]
    docker = ["docker", "--host", collective.host.docker_host, "run", "--detach", f"--name=darkpeak-lock-{lock}"]
    run([*docker, *words, "debian:trixie", "sleep", "600"])


def test_a_lock_names_its_holder_and_can_be_broken(hello: Collective) -> None:
    hold_by_hand(hello, toy.NAME)
    refused = hello.darkpeak("unlock", toy.NAME, check=False)
    assert refused.returncode == 2
    assert "hello is still locked by grace@laptop" in refused.stderr
    toy.write(hello, "locked")
    waiting = start_up(hello, toy.NAME)
    time.sleep(3)
    assert waiting.poll() is None
    assert "hello was locked by grace@laptop" in hello.darkpeak("unlock", toy.NAME, "--yes").stdout
    _, err = waiting.communicate(timeout=120)
    assert "hello: locked by grace@laptop, for " in err
    assert page() == "locked"


def test_the_lock_of_the_routers_tables_can_be_broken_too(hello: Collective) -> None:
    hold_by_hand(hello, "_routes")
    assert "_routes was locked by grace@laptop" in hello.darkpeak("unlock", "_routes", "--yes").stdout
    assert "_routes is not locked" in hello.darkpeak("unlock", "_routes", "--yes").stdout


def test_rollback_goes_back_one_deploy_and_history_shows_it(hello: Collective) -> None:
    for version in ("one", "two"):
        toy.write(hello, version)
        hello.darkpeak("up", toy.NAME, timeout=120)
    assert page() == "two"
    back = hello.darkpeak("rollback", toy.NAME, timeout=120)
    assert back.stdout.startswith("hello: back to deploy ")
    assert page() == "one"
    newest = json.loads(hello.darkpeak("history", toy.NAME, "--json").stdout)[0]
    assert newest["what"].startswith("rollback to ")
    assert (newest["outcome"], newest["who"].partition("@")[0]) == ("up", "root")
    hello.darkpeak("up", toy.NAME, timeout=120)
    assert page() == "two"
    assert desired(hello)


def test_old_images_lose_their_tags_and_kept_ones_survive_a_prune(hello: Collective) -> None:
    docker = ["docker", "--host", hello.host.docker_host]
    run([*docker, "tag", "darkpeak-hello-web", "darkpeak-hello-web:deploy-9999"])  # no recorded deploy has this number
    for number in range(5):
        toy.write(hello, f"kept {number}")
        hello.darkpeak("up", toy.NAME, timeout=120)
    run([*docker, "system", "prune", "--force"], timeout=120)
    tags = run([*docker, "images", "--format", "{{.Tag}}", "darkpeak-hello-web"]).stdout.split()
    kept = [f"deploy-{item['number']}" for item in json.loads(hello.darkpeak("history", toy.NAME, "--json").stdout)]
    assert len(kept) == 4
    assert sorted(tags) == sorted([*kept, "latest"])
    hello.darkpeak("rollback", toy.NAME, timeout=120)
    assert page() == "kept 3"
    hello.darkpeak("up", toy.NAME, timeout=120)


def test_clean_removes_what_nobody_needs_and_a_rollback_still_works(hello: Collective) -> None:
    docker = ["docker", "--host", hello.host.docker_host]
    run([*docker, "tag", "darkpeak-hello-web", "someone:image"])
    for version in ("used once", "used twice"):
        toy.write(hello, version)
        hello.compose(toy.NAME, "build", "web")  # plain compose records no deploy
    toy.write(hello, "cleaned")
    hello.darkpeak("up", toy.NAME, timeout=120)
    unused = [*docker, "images", "--quiet", "--filter", "dangling=true", "--filter", PROJECT]
    before = set(run(unused).stdout.split())
    assert len(before) >= 2
    would = json.loads(hello.darkpeak("clean", "--dry-run", "--json").stdout)[0]
    assert set(run(unused).stdout.split()) == before
    done = json.loads(hello.darkpeak("clean", "--json", timeout=120).stdout)[0]
    assert {item["name"] for item in done["images"]} == {item["name"] for item in would["images"]}
    assert done["bytes"] > 0
    assert run(unused).stdout == ""
    assert run([*docker, "image", "inspect", "someone:image"]).returncode == 0
    assert json.loads(hello.darkpeak("clean", "--json", timeout=120).stdout)[0]["images"] == []
    hello.darkpeak("rollback", toy.NAME, timeout=120)
    assert page() != "cleaned"
    hello.darkpeak("up", toy.NAME, timeout=120)
    assert page() == "cleaned"


def test_an_upgrade_builds_anew_what_is_out_of_date_and_no_request_fails(hello: Collective) -> None:
    """The toy does not upgrade its base image's packages, so those that are older than the archive stay so."""
    toy.write(hello, "upgraded")
    hello.darkpeak("up", toy.NAME, timeout=120)
    old, new = make_older(hello, toy.NAME, "web")
    late, before = f"hello web hostname {old} {new}", ids(hello)
    would = hello.darkpeak("upgrade", toy.NAME, "--dry-run", check=False, timeout=300)
    assert (would.returncode, late in would.stdout.splitlines()) == (1, True)
    assert "  1. build web without the cache" in would.stdout
    assert f"changes of hostname {old} to {new}:\n  hostname ({new}) unstable; urgency=" in would.stdout
    assert ids(hello) == before
    with load(toy.URL) as seen:
        done = hello.darkpeak("upgrade", toy.NAME, timeout=600, check=False)
    assert "hello: up (web replaced: its packages are out of date" in done.stdout
    assert done.returncode in (0, 1), done.stderr
    assert late not in hello.darkpeak("updates", toy.NAME, check=False, timeout=300).stdout.splitlines()
    assert min(seen.requests)
    assert seen.failed == 0
    newest = json.loads(hello.darkpeak("history", toy.NAME, "--json").stdout)[0]
    assert (newest["what"], newest["outcome"]) == ("upgrade", "up")


def test_an_upgrade_goes_back_if_the_new_version_does_not_become_healthy(hello: Collective) -> None:
    toy.write(hello, "good")
    hello.darkpeak("up", toy.NAME, timeout=120)
    before = ids(hello)
    make_older(hello, toy.NAME, "web")
    try:
        toy.write(hello, "bad")
        toy.break_it(hello)
        with load(toy.URL) as seen:
            failed = hello.darkpeak("upgrade", toy.NAME, timeout=600, check=False)
    finally:
        toy.repair(hello)
    assert failed.returncode == 3
    assert "the version before never stopped" in failed.stderr
    assert (page(), ids(hello)) == ("good", before)
    assert min(seen.requests)
    assert seen.failed == 0
    toy.write(hello, "good")
    hello.darkpeak("up", toy.NAME, timeout=120)


@pytest.mark.parametrize(
    "service", [pytest.param(name, marks=[pytest.mark.long] * (name != "dns")) for name in SERVICES]
)
def test_after_an_upgrade_a_service_is_up_to_date(hello: Collective, service: str) -> None:
    """Debian's archive may change meanwhile, so it is upgraded again."""
    for container in hello.containers(service):
        make_older(hello, service, container)
    for _ in range(3):
        done = hello.darkpeak("upgrade", service, timeout=900, check=False)
        found = hello.darkpeak("updates", service, timeout=300, check=False)
        if not found.returncode:
            break
    assert (done.returncode, found.returncode, found.stdout) == (0, 0, ""), done.stderr + found.stdout + found.stderr


def test_data_can_be_saved_before_a_deploy(hello: Collective, tmp_path: Path) -> None:
    script = hello.folder(toy.NAME) / "scripts" / "backup"
    toy.write(hello, "saved")
    assert "up --backup-first DIR" in hello.darkpeak("plan", toy.NAME, check=False).stdout
    before = page()
    script.write_text("#!/bin/sh\necho backup: no room >&2\nexit 1\n")
    refused = hello.darkpeak("up", toy.NAME, "--backup-first", str(tmp_path), timeout=120, check=False)
    assert "hello was not backed up, so nothing was changed: backup: no room" in refused.stderr
    assert page() == before
    script.write_text('#!/bin/sh\nmkdir -p "$1"\n')
    for command in (("up", toy.NAME, "--backup-first"), ("backup", toy.NAME, "--to")):
        refused = hello.darkpeak(*command, str(tmp_path), timeout=120, check=False)
        assert (refused.returncode, "reported success, but wrote nothing" in refused.stderr) == (3, True)
    assert page() == before
    script.write_text('#!/bin/sh\nmkdir -p "$1" && echo data >"$1/data"\n')
    hello.darkpeak("up", toy.NAME, "--backup-first", str(tmp_path), timeout=120)
    assert (tmp_path / "hello" / "data").read_text() == "data\n"
    assert page() == "saved"


@pytest.mark.parametrize("by_hand", ["stop", "rm --force"], ids=["stopped", "removed"])
def test_drift_is_shown_and_fixed(hello: Collective, by_hand: str) -> None:
    docker = ["docker", "--host", hello.host.docker_host]
    run([*docker, *by_hand.split(), hello.compose(toy.NAME, "ps", "-q", "store").stdout.strip()])
    planned = hello.darkpeak("plan", toy.NAME, check=False)
    assert planned.returncode == 1
    assert "store: " in planned.stdout
    hello.darkpeak("up", toy.NAME, timeout=120)
    assert desired(hello)


def test_an_image_newer_than_its_container_is_shown_and_deployed(hello: Collective) -> None:
    hello.compose(toy.NAME, "build", "--no-cache", "web", timeout=300)
    planned = hello.darkpeak("plan", toy.NAME, check=False)
    assert planned.returncode == 1
    hello.darkpeak("up", toy.NAME, timeout=120)
    assert desired(hello)


def test_an_orphan_is_shown(hello: Collective) -> None:
    folder = hello.folder(toy.NAME)
    aside = hello.top / "aside"
    folder.rename(aside)
    try:
        planned = hello.darkpeak("plan", check=False)
    finally:
        aside.rename(folder)
    assert "orphan: the project darkpeak-hello is in no file" in planned.stdout
