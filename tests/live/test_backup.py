"""Snapshots: made, verified, drilled and restored, with the tool and by hand, also after something was killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from darkpeak.collective.scripts import BadScript
from darkpeak.helper.build import NAME as HELPER
from darkpeak.helper.scripts import Scripts
from darkpeak.repository import restic_errors
from darkpeak.result import Result as Outcome
from lab import ledger
from lab.collectives import SERVICES
from lab.commands import CommandFailed, run, wait_for
from lab.kept import LARGE, REPOSITORY, SAVED, SMALL, Kept, leftovers, restore_by_hand, wait_for_line
from tests.live import facts
from tests.live.archive import Quiet
from tests.live.packages import make_older

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def test_a_restore_brings_the_snapshot_back_and_saves_the_state_before(booked: Kept) -> None:
    before = ledger.content(booked.collective)
    ledger.book(booked.collective, SMALL, 2)
    replaced = ledger.content(booked.collective)
    done = json.loads(booked.darkpeak("restore", ledger.NAME, "--json").stdout)
    assert ledger.content(booked.collective) == before
    assert done["verified"].startswith(f"{2 * SMALL} lines, the newest of ")
    booked.darkpeak("restore", ledger.NAME, "--snapshot", done["kept"])
    assert ledger.content(booked.collective) == replaced
    assert leftovers(booked) == []


def test_a_snapshot_says_what_ran_when_it_was_made(booked: Kept) -> None:
    old, new = make_older(booked.collective, ledger.NAME, "store")
    made = json.loads(booked.darkpeak("backup", ledger.NAME, "--json").stdout)[0]["snapshot"]
    booked.collective.compose(ledger.NAME, "up", "-d", "--wait", "--force-recreate", timeout=300)
    now = json.loads(booked.darkpeak("inventory", ledger.NAME, "--json").stdout)
    then = json.loads(booked.darkpeak("inventory", ledger.NAME, "--snapshot", made, "--json").stdout)
    assert then["containers"] == now["containers"]
    changed = [
        (item["package"], item["version"], also["version"])
        for item, also in zip(then["packages"], now["packages"], strict=True)
        if item != also
    ]
    assert changed == [("hostname", old, new)]
    document = json.loads(booked.darkpeak("inventory", ledger.NAME, "--snapshot", made, "--format", "spdx").stdout)
    assert document["spdxVersion"] == "SPDX-2.3"
    assert "inventory.json" in booked.darkpeak("restore", ledger.NAME, "--explain").stdout


def test_members_find_their_content_after_a_restore(kept: Kept, pytestconfig: pytest.Config) -> None:
    """With --long every service, else one with a database and one with files."""
    services = SERVICES if pytestconfig.getoption("--long") else ("chat", "wiki")
    kept.collective.darkpeak("up", *services, timeout=900)
    for service in services:
        written = facts.of(service).write(kept.collective)
        kept.darkpeak("backup", service)
        kept.collective.compose(service, "down", "--volumes")
        kept.collective.compose(service, "up", "-d", "--wait", timeout=300)
        kept.darkpeak("restore", service, "--discard")  # a git without repositories cannot be saved
        facts.of(service).check(kept.collective, written)
        drilled = json.loads(kept.darkpeak("drill", service, "--json").stdout)
        newest = [item["name"] for item in kept.snapshots(service) if item["kind"] == "backup"][-1]
        assert [(item["snapshot"], item["good"]) for item in drilled] == [(newest, True)]


def test_a_snapshot_is_restored_by_hand(booked: Kept, tmp_path: Path) -> None:
    before = ledger.content(booked.collective)
    ledger.book(booked.collective, SMALL, 3)
    restore_by_hand(booked, ledger.NAME, tmp_path)
    assert ledger.content(booked.collective) == before


def test_a_service_that_is_stopped_or_lost_is_restored(booked: Kept) -> None:
    """With the documented command: it starts the service, or deploys it with a new volume."""
    before = ledger.content(booked.collective)
    booked.collective.compose(ledger.NAME, "stop", "--timeout", "1")
    booked.darkpeak("restore", ledger.NAME)
    assert ledger.content(booked.collective) == before
    booked.collective.compose(ledger.NAME, "down", "--volumes", "--timeout", "1")
    booked.darkpeak("restore", ledger.NAME)
    assert ledger.content(booked.collective) == before


def test_a_container_that_is_meant_to_end_is_in_nobodys_way(booked: Kept) -> None:
    """Only its restart policy says that it ends, and compose's own --wait takes its end for a failure."""
    own, folder = booked.collective, booked.collective.folder(ledger.NAME)
    file = folder / "docker-compose.yml"
    whole, before = file.read_text(), ledger.content(own)
    (folder / "once").mkdir()
    try:
        (folder / "once/Dockerfile").write_text("FROM debian:trixie\nCMD true\n")
        file.write_text(whole.replace("  store:\n", '  once: {build: once, restart: "no"}\n  store:\n', 1))
        own.darkpeak("up", ledger.NAME, timeout=180)
        booked.darkpeak("backup", ledger.NAME)
        booked.darkpeak("drill", ledger.NAME)
        own.darkpeak("restart", ledger.NAME)
        booked.darkpeak("restore", ledger.NAME)
        assert ledger.content(own) == before
        (folder / "once/Dockerfile").write_text("FROM debian:trixie\nCMD exit 3\n")
        own.darkpeak("up", ledger.NAME, timeout=180, check=False)
        booked.darkpeak("backup", ledger.NAME)
        failed = booked.darkpeak("drill", ledger.NAME, check=False)
        assert (failed.returncode, "once-1 ended with exit code 3" in failed.stdout + failed.stderr) == (
            1,
            True,
        )
    finally:
        file.write_text(whole)
        shutil.rmtree(folder / "once")
        own.darkpeak("up", ledger.NAME, timeout=180)


def test_a_service_without_a_folder_and_a_renamed_one_are_restored(booked: Kept, tmp_path: Path) -> None:
    before = ledger.content(booked.collective)
    newest = booked.snapshots()[-1]["name"]
    folder, renamed = booked.collective.folder(ledger.NAME), booked.collective.folder("accounts")
    folder.rename(renamed)
    try:
        refused = booked.darkpeak("restore", ledger.NAME, check=False)
        assert refused.returncode == 2
        assert f"there is no service ledger in services/, but a snapshot of it: {newest}" in refused.stderr
        assert "darkpeak restore ledger --to DIR" in refused.stderr
        booked.darkpeak("restore", ledger.NAME, "--to", str(tmp_path / "here"))
        assert (tmp_path / "here/ledger.txt").read_text().startswith(before)
        assert "restic" in booked.darkpeak("restore", ledger.NAME, "--explain").stdout
        hint = booked.darkpeak("restore", "accounts", check=False)
        assert (hint.returncode, f"darkpeak restore accounts --snapshot {newest}" in hint.stderr) == (1, True)
        own = booked.collective
        own.compose("accounts", "exec", "-T", "store", "book", "5", "5")
        booked.darkpeak("restore", "accounts", "--snapshot", newest)
        assert own.compose("accounts", "exec", "-T", "store", "cat", "/data/ledger").stdout == before
    finally:
        renamed.rename(folder)


def test_a_script_in_the_helper_that_does_not_end_or_is_killed(booked: Kept) -> None:
    script = booked.ledger.folder / "scripts/backup"
    whole = script.read_text()
    try:
        with booked.session() as work:
            project = work.project(booked.ledger)
            script.write_text("#!/bin/sh\nsleep 600\n")
            with pytest.raises(BadScript, match="scripts/backup of ledger did not end within 1 s, and was killed"):
                Scripts(work.helper, seconds=1).run(project, "backup", "/parts")
            wait_for("the script to be gone", lambda: work.helper.run("pgrep", "-x", "sleep").code)
            script.write_text("#!/bin/sh\necho half >&2\nkill -KILL $$\n")
            ended = Scripts(work.helper).run(project, "backup", "/parts")
            assert ended.last_line() == "killed by SIGKILL, after “half”"
    finally:
        script.write_text(whole)


def test_an_interrupted_restore_starts_what_its_script_has_stopped(booked: Kept) -> None:
    """The script is killed with the command, so its own trap cannot do that."""
    script = booked.ledger.folder / "scripts/restore"
    whole = script.read_text()
    running = ("ps", "--quiet", "--filter", "label=com.docker.compose.project=darkpeak-ledger")
    try:
        script.write_text('#!/bin/sh\nset -eu\ncd "$(dirname "$0")/.."\ndocker compose stop store\nsleep 600\n')
        with booked.start("restore", ledger.NAME) as process:
            wait_for("the script to stop it", lambda: not booked.docker(*running), timeout=120)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
        assert booked.docker(*running)
    finally:
        script.write_text(whole)
    booked.darkpeak("restore", ledger.NAME)


def test_a_folder_that_a_backup_wrote_is_restored_and_checked(booked: Kept, tmp_path: Path) -> None:
    before = ledger.content(booked.collective)
    own = booked.collective
    own.darkpeak("backup", ledger.NAME, "--to", str(tmp_path / "today"))
    for folder in ("today", "today/ledger"):
        ledger.book(own, SMALL, 8)
        done = own.darkpeak("restore", ledger.NAME, "--from", str(tmp_path / folder)).stdout
        assert "verified: " in done
        assert ledger.content(own) == before
    text = (tmp_path / "today/ledger/ledger.txt").read_text()
    (tmp_path / "today/ledger/ledger.txt").write_text(text.replace("\n", "7\n", 1))
    refused = own.darkpeak("restore", ledger.NAME, "--from", str(tmp_path / "today"), check=False)
    assert (refused.returncode, "restore done" in refused.stdout) == (1, False)
    assert "it does not pass its own check" in refused.stderr


def test_a_drill_has_no_network_and_leaves_nothing(booked: Kept) -> None:
    with booked.start("drill", ledger.NAME) as process:
        project = f"{ledger.PROJECT}-drill"
        find = partial(booked.docker, "ps", "-q", "--filter", f"label=com.docker.compose.project={project}")
        wait_for("the scratch project", find)
        shown = json.loads(booked.docker("inspect", find()))[0]
        networks = [
            json.loads(booked.docker("network", "inspect", name))[0] for name in shown["NetworkSettings"]["Networks"]
        ]
        out, err = process.communicate(timeout=300)
    assert process.returncode == SAVED, err
    assert "passed" in out
    assert shown["HostConfig"]["PortBindings"] == {}
    assert [network["Internal"] for network in networks] == [True]
    assert shown["Image"] == booked.docker("inspect", f"{ledger.PROJECT}-store-1", "--format", "{{.Image}}")
    assert leftovers(booked) == []
    assert f"{project}_data" not in booked.docker("volume", "ls", "-q").split()


def test_a_copy_runs_beside_the_live_one_until_it_is_removed(booked: Kept) -> None:
    """It has no published ports, and the live service does not change."""
    saved = ledger.content(booked.collective)
    ledger.book(booked.collective, SMALL, 9)
    live = ledger.content(booked.collective)
    booked.darkpeak("restore", ledger.NAME, "--as", "looked-at")
    refused = booked.darkpeak("restore", ledger.NAME, "--as", "looked-at", check=False)
    assert (refused.returncode, "the project looked-at already exists" in refused.stderr) == (2, True), refused.stderr
    copy = booked.docker("ps", "-q", "--filter", "label=com.docker.compose.project=looked-at")
    assert booked.docker("exec", copy, "cat", "/data/ledger") == saved.strip()
    assert booked.docker("inspect", copy, "--format", "{{.HostConfig.PortBindings}}") == "map[]"
    assert ledger.content(booked.collective) == live
    booked.docker("compose", "--project-name", "looked-at", "down", "--volumes")


# how the newest snapshot is damaged without the tool
SPOILT_CONTENT = {
    "a line lost": "sed -i 2d /data/ledger",
    "another amount": "sed -i '3s/$/7/' /data/ledger",
    "empty": ": >/data/ledger",
}


def test_a_drill_finds_a_snapshot_that_was_bad_from_the_beginning(booked: Kept) -> None:
    for spoil in list(SPOILT_CONTENT.values())[:2]:
        booked.collective.compose(ledger.NAME, "exec", "-T", "store", "sh", "-c", spoil)
        booked.darkpeak("backup", ledger.NAME, check=False)
        drilled = booked.darkpeak("drill", ledger.NAME, check=False)
        assert (drilled.returncode, "verification failed" in drilled.stderr) == (1, True), drilled.stderr
        ledger.book(booked.collective, SMALL, 1)
    assert "drill noticed" in booked.darkpeak("drill", ledger.NAME, "--spoilt").stdout


def test_a_restore_that_does_not_become_healthy_is_undone(booked: Kept) -> None:
    booked.collective.compose(ledger.NAME, "exec", "-T", "store", "sh", "-c", SPOILT_CONTENT["a line lost"])
    booked.darkpeak("backup", ledger.NAME)
    ledger.book(booked.collective, SMALL, 4)
    before = ledger.content(booked.collective)
    refused = booked.darkpeak("restore", ledger.NAME, check=False)
    assert (refused.returncode, "the state before is restored" in refused.stderr) == (1, True), refused.stderr
    assert ledger.content(booked.collective) == before


@dataclass
class Listener:
    """An HTTP server for notices: it keeps what was posted, and which paths were requested."""

    posted: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)
    port: int = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen until the block ends."""
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                listener.posted.append(f"{said['title']}: {said['message']}")
                self.do_GET()

            def do_GET(self) -> None:
                listener.requested.append(self.path)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.port = server.server_port
            Thread(target=server.serve_forever, daemon=True).start()
            yield
            server.shutdown()


@pytest.fixture
def running_only(booked: Kept) -> Iterator[Kept]:
    """Yield the collective without the services that do not run."""
    services, aside = booked.collective.top / "services", booked.collective.top / "aside"
    aside.mkdir()
    for folder in [path for path in services.iterdir() if path.name != ledger.NAME]:
        folder.rename(aside / folder.name)
    yield booked
    for folder in list(aside.iterdir()):
        folder.rename(services / folder.name)
    aside.rmdir()


def test_the_nightly_jobs_run_and_each_change_is_notified_once(running_only: Kept) -> None:
    """A good night, one with a broken service, the same again, and a good one."""
    listener = Listener()
    with listener.listening():
        address = f"http://127.0.0.1:{listener.port}/"
        running_only.collective.darkpeak(
            "key", "secret", "notify", "urls", *running_only.identity, stdin=address.replace("http", "json")
        )
        running_only.collective.darkpeak(
            "key", "secret", "notify", "ping", *running_only.identity, stdin=f"{address}well"
        )
        (row,) = json.loads(running_only.collective.darkpeak("status", "--json").stdout)
        assert row["nightly"] == "NEVER"
        first = json.loads(running_only.darkpeak("nightly", "--json").stdout)
        assert [(line["about"], line["good"]) for line in first] == [
            (ledger.NAME, True),
            (f"volume:{REPOSITORY}", True),
        ]
        assert "saved; drilled in " in first[0]["message"]
        assert "cut in half, and the drill noticed" in first[0]["message"]
        (row,) = json.loads(running_only.collective.darkpeak("status", "--json").stdout)
        assert (row["nightly"], row["saved"].endswith("just now")) == ("just now", True)
        running_only.collective.compose(ledger.NAME, "exec", "-T", "store", "sh", "-c", ": >/data/ledger")
        for _ in range(2):
            bad = running_only.darkpeak("nightly", check=False)
            assert (bad.returncode, f"needs attention: {ledger.NAME}" in bad.stderr) == (1, True), bad.stderr
        assert "ledger.txt shrank from" in bad.stdout
        shown = running_only.collective.darkpeak("status").stdout
        assert f"FAILED just now: needs attention: {ledger.NAME}" in shown
        ledger.book(running_only.collective, SMALL, 1)
        running_only.darkpeak("nightly")
    shown = seen_by_admins(running_only)
    assert shown.count('class="plot"') == 3, "memory, processor and data of these nights"
    assert [said.partition("\n")[0].partition(": ")[2].partition(":")[0] for said in listener.posted] == [
        "needs attention",
        "all is well again",
    ]
    assert listener.requested.count("/well") == 2


def seen_by_admins(kept: Kept) -> str:
    """Return the page for admins about the ledger."""
    folder = kept.collective.top / "overview"
    kept.collective.darkpeak("site", "--admins", "--to", str(folder))
    return (folder / f"services/{ledger.NAME}.html").read_text()


def test_a_container_that_ends_again_and_again_is_an_alarm_once(running_only: Kept) -> None:
    own = running_only.collective

    (store,) = own.compose(ledger.NAME, "ps", "--quiet", "store").stdout.split()
    running_only.docker("update", "--restart", "always", store)

    def inspect(what: str) -> int:
        return int(running_only.docker("inspect", "--format", f"{{{{.{what}}}}}", store))

    def crash() -> None:
        before = inspect("RestartCount")
        own.host.run(["kill", "-9", str(inspect("State.Pid"))])
        wait_for("the engine to restart it", lambda: inspect("RestartCount") > before and inspect("State.Pid"))

    running_only.darkpeak("nightly", check=False)
    for _ in range(3):
        crash()
    lines = json.loads(running_only.darkpeak("nightly", "--json", check=False).stdout)
    said = "a container ended and was restarted 3 times since the last night; see why: darkpeak logs ledger"
    assert [line["message"] for line in lines if line["about"] == "restarts of ledger"] == [said]
    again = json.loads(running_only.darkpeak("nightly", "--json", check=False).stdout)
    assert [line["about"] for line in again if "restarts" in line["about"]] == []
    running_only.docker("update", "--restart", "no", store)


def test_the_night_upgrades_a_service_that_says_so(running_only: Kept) -> None:
    """After it was saved; not with files that are not deployed yet. Its base image may lack updates that it keeps."""
    own = running_only.collective
    compose, dockerfile = own.folder(ledger.NAME) / "docker-compose.yml", own.folder(ledger.NAME) / "store/Dockerfile"
    texts = {path: path.read_text() for path in (compose, dockerfile)}
    ledger.book(own, SMALL, 2)
    before = ledger.content(own)
    try:
        compose.write_text(texts[compose].replace("  kind: user\n", "  kind: user\n  upgrade: auto\n"))
        old, _ = make_older(own, ledger.NAME, "store")
        dockerfile.write_text(f"{texts[dockerfile]}LABEL later=yes\n")
        assert f"not upgraded: first deploy its files: darkpeak up {ledger.NAME}" in night_of(running_only)
        dockerfile.write_text(texts[dockerfile])
        assert re.search(r"saved; .*[1-9][0-9]* of [0-9]+ packages? upgraded", night_of(running_only))
    finally:
        for path, text in texts.items():
            path.write_text(text)
    assert old not in own.darkpeak("updates", ledger.NAME, check=False).stdout
    assert ledger.content(own) == before


@pytest.mark.long
def test_a_night_whose_upgrade_fails_tells_it_and_the_version_before_runs(running_only: Kept, tmp_path: Path) -> None:
    """The new build needs a file of another server, which has it no longer."""
    own = running_only.collective
    compose, dockerfile = own.folder(ledger.NAME) / "docker-compose.yml", own.folder(ledger.NAME) / "store/Dockerfile"
    texts = {path: path.read_text() for path in (compose, dockerfile)}
    (tmp_path / "extra").write_text("extra")
    serve = partial(Quiet, directory=str(tmp_path))
    try:
        with ThreadingHTTPServer(("0.0.0.0", 0), serve) as server:  # noqa: S104 (the engine's builds come by a bridge)
            Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://{own.host.address}:{server.server_port}/extra"
            compose.write_text(texts[compose].replace("  kind: user\n", "  kind: user\n  upgrade: auto\n"))
            dockerfile.write_text(f"{texts[dockerfile]}ADD {address} /extra\n")
            own.darkpeak("up", ledger.NAME, timeout=600)
            server.shutdown()
        make_older(own, ledger.NAME, "store")
        before = (own.compose(ledger.NAME, "ps", "--quiet").stdout, ledger.content(own))
        assert "saved; " in (said := night_of(running_only))
        assert "not upgraded: " in said
        assert (own.compose(ledger.NAME, "ps", "--quiet").stdout, ledger.content(own)) == before
    finally:
        for path, text in texts.items():
            path.write_text(text)
    own.darkpeak("up", ledger.NAME, timeout=600)


def night_of(kept: Kept) -> str:
    """Run the nightly jobs; return what they say of the ledger."""
    lines = json.loads(kept.darkpeak("nightly", "--json", check=False).stdout)
    message: str = next(line["message"] for line in lines if line["about"] == ledger.NAME)
    return message


@pytest.fixture
def foreign_lock(booked: Kept) -> Iterator[str]:
    """Make a lock in the repository from another machine, which has died; yield the lock's name."""
    mount, name = f"{REPOSITORY}:/repository", "darkpeak-test-other-machine"
    hold = "cat >/tmp/password; sleep 99 | restic -r /repository -p /tmp/password backup --stdin"
    argv = ["docker", "--host", booked.collective.host.docker_host, "run", "-i", "--rm", "--name", name]
    argv += ["-h", "other-machine", "-v", mount, "darkpeak-helper", "sh", "-c", hold]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as held:
        assert held.stdin
        held.stdin.write(booked.secret.password.encode())
        held.stdin.close()
        wait_for("the lock of the other machine", booked.locks)
        booked.docker("kill", name)
    (theirs,) = booked.locks()
    yield theirs
    for name in booked.locks():
        (booked.volume / "locks" / name).unlink()


def test_a_dead_helpers_lock_is_removed_and_another_hosts_lock_stays(
    booked: Kept, foreign_lock: str, campaign: Callable[..., int]
) -> None:
    """In each helper, restic has one of the same few process numbers, so those of dead helpers are used again."""
    for _ in range(campaign(50, short=1)):
        ledger.book(booked.collective, LARGE, time.time_ns())
        with booked.start("backup", ledger.NAME) as process:
            wait_for_line(process, f"{ledger.NAME}: saving to ")
            wait_for("a lock in the repository", lambda: booked.locks() - {foreign_lock}, pause=0.002)
            booked.docker("exec", HELPER, "pkill", "-STOP", "-x", "restic")  # otherwise it could end before its helper
            booked.docker("kill", HELPER)
            process.communicate(timeout=300)
        assert booked.locks() > {foreign_lock}, "the dead helper left no lock, so this test shows nothing"
        booked.darkpeak("backup", ledger.NAME)
        assert booked.locks() == {foreign_lock}


@pytest.mark.usefixtures("foreign_lock")
def test_an_error_about_a_lock_names_its_holder(booked: Kept) -> None:
    """The command `restic check` needs an exclusive lock of the repository."""
    check = "cat >/tmp/password; exec restic -r /repository -p /tmp/password check"
    argv = [
        "docker",
        "--host",
        booked.collective.host.docker_host,
        "run",
        "-i",
        "--rm",
        "-v",
        f"{REPOSITORY}:/repository",
    ]
    result = run([*argv, "darkpeak-helper", "sh", "-c", check], stdin=booked.secret.password, check=False)
    error = restic_errors.explain("nas", Outcome(result.returncode, b"", result.stderr.encode()))
    assert error
    assert error.message.startswith("nas is locked by other-machine, since 20"), result.stderr


def test_old_unfinished_files_of_dead_helpers_are_removed(booked: Kept) -> None:
    """Restic writes each file with a temporary name first, and never removes a file that still has one."""
    names = [(folder, days) for folder in ("locks", "data/00") for days in (0, 2)]
    half = [booked.volume / folder / f"{'0' * 64}-tmp-{days}" for folder, days in names]
    for path, (_, days) in zip(half, names, strict=True):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - days * 86400,) * 2)
    booked.darkpeak("backup", ledger.NAME)
    booked.darkpeak("prune")
    assert [path.exists() for path in half] == [not days for _, days in names]
    for path in half:
        path.unlink(missing_ok=True)


def test_a_removed_admin_opens_no_repository(booked: Kept) -> None:
    before = (booked.collective.top / "backup-key.age").read_bytes()
    grace = Kept(booked.collective, booked.collective.top / "grace")
    grace.darkpeak("key check")
    assert booked.darkpeak("key remove", "grace", check=False).returncode == 1  # too few admins are left
    with pytest.raises(CommandFailed, match=r"does not open backup-key\.age"):
        grace.darkpeak("key check")
    now = (booked.collective.top / "backup-key.age").read_bytes()
    (booked.collective.top / "backup-key.age").write_bytes(before)
    with pytest.raises(CommandFailed, match="wrong password for"):
        grace.darkpeak("key check")
    (booked.collective.top / "backup-key.age").write_bytes(now)
    booked.darkpeak("key add", "grace")
    grace.darkpeak("restore", ledger.NAME)
