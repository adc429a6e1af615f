"""The contract of every service: plain docker compose and its own four scripts are enough."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from lab.collectives import SERVICES, Collective
from lab.commands import run
from tests.live import facts
from tests.live.packages import make_older

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SCRIPTS = ("backup", "restore", "updates", "verify")
OLD_NAMES = {"directory": ("members.ldif", "directory.ldif"), "wiki": ("pages.tar", "wiki.tar")}
BUILD = 600
PAGE = 4096


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest, collective: Collective) -> str:
    """Return a service that runs with only the services that it depends on."""
    name: str = request.param
    collective.host.forget()
    for needed in collective.needs(name):
        collective.compose(needed, "up", "-d", "--build", "--wait", timeout=BUILD)
    collective.compose(name, "up", "-d", "--build", "--wait", timeout=BUILD)
    return name


@pytest.fixture(scope="module")
def written(service: str, collective: Collective) -> object:
    """Return the facts that were written into the service."""
    written: object = facts.of(service).write(collective)
    facts.of(service).check(collective, written)
    return written


@pytest.fixture(scope="module")
def backup(service: str, collective: Collective, written: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a backup of the service with its facts, in a folder that the script made."""
    assert written
    folder = tmp_path_factory.mktemp(service) / "made" / "by it"
    collective.script(service, "backup", str(folder))
    assert list(folder.iterdir())
    return folder


@pytest.fixture
def small_disk(backup: Path, tmp_path: Path) -> Iterator[Path]:
    """Yield a file system with room for half of the backup."""
    pages = sum(-(-file.stat().st_size // PAGE) for file in backup.rglob("*") if file.is_file())
    run(["mount", "-t", "tmpfs", "-o", f"size={max(1, pages // 2) * PAGE}", "tmpfs", str(tmp_path)])
    if pages == 1:
        (tmp_path / "filler").write_bytes(bytes(PAGE))
    yield tmp_path
    run(["umount", str(tmp_path)])


def test_a_service_has_all_its_files(service: str, collective: Collective) -> None:
    folder = collective.folder(service)
    assert (folder / "README.md").stat().st_size
    assert [name for name in SCRIPTS if not os.access(folder / "scripts" / name, os.X_OK)] == []
    assert [name for name in collective.containers(service) if not (folder / name / "Dockerfile").exists()] == []


def test_plain_compose_starts_it_healthy(service: str, collective: Collective) -> None:
    lines = collective.compose(service, "ps", "--format", "json").stdout.splitlines()
    states = {one["Service"]: (one["State"], one["Health"]) for one in map(json.loads, lines)}
    assert states == dict.fromkeys(collective.containers(service), ("running", "healthy"))


def test_a_restore_brings_everything_back(service: str, collective: Collective, written: object, backup: Path) -> None:
    collective.compose(service, "down", "--volumes")
    collective.compose(service, "up", "-d", "--wait")
    collective.script(service, "restore", str(backup))
    facts.of(service).check(collective, written)


def test_a_restore_into_the_live_service_survives_a_restart(
    service: str, collective: Collective, written: object, backup: Path
) -> None:
    collective.script(service, "restore", str(backup))
    facts.of(service).check(collective, written)
    collective.compose(service, "up", "-d", "--force-recreate", "--wait")
    facts.of(service).check(collective, written)


def test_everything_acknowledged_before_a_backup_is_in_it(
    service: str, collective: Collective, written: object, tmp_path: Path, campaign: Callable[..., int]
) -> None:
    """Each backup of a service under writes is restored: nothing is half there, and everything acknowledged is."""
    before = {}
    with facts.of(service).busy(collective) as load:
        for number in range(campaign(50, short=2)):
            load.wait_for_more()
            before[tmp_path / str(number)] = load.acknowledged()
            collective.script(service, "backup", str(tmp_path / str(number)))
    for folder, least in before.items():
        collective.script(service, "restore", str(folder))
        assert least <= facts.of(service).found(collective)
        collective.script(service, "verify")
    facts.of(service).check(collective, written)


def test_a_backup_has_checksums_of_all_its_files_written_last(backup: Path) -> None:
    lines = (backup / "SHA256SUMS").read_text().splitlines()
    assert {line[66:] for line in lines} == {file.name for file in backup.iterdir()} - {"SHA256SUMS"}
    run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=backup)
    # The kernel's clock for files has steps of some milliseconds, so two files can have the same time.
    assert (backup / "SHA256SUMS").stat().st_ctime_ns == max(file.stat().st_ctime_ns for file in backup.iterdir())


def test_a_backup_made_by_the_scripts_of_november_2026_is_restored(
    service: str, collective: Collective, written: object, backup: Path, tmp_path: Path
) -> None:
    """The router had no prober, and its checksums another name.

    Directory and wiki had no checksums, and other file names.
    """
    old = tmp_path / "old"
    shutil.copytree(backup, old)
    if service == "router":
        (old / "uptime.tar").unlink()
        run(["sed", "-i", "-e", "s|  |  ./|", "-e", "/uptime/d", "SHA256SUMS"], cwd=old)
        (old / "SHA256SUMS").rename(old / "checksums.txt")
    elif service in OLD_NAMES:
        (old / "SHA256SUMS").unlink()
        new, name = OLD_NAMES[service]
        (old / new).rename(old / name)
        cut = shutil.copytree(old, tmp_path / "cut")
        os.truncate(cut / name, len((cut / name).read_bytes().rstrip(b"\0")) * 2 // 3)
        assert collective.script(service, "restore", str(cut), check=False).returncode
    collective.compose(service, "down", "--volumes")
    collective.compose(service, "up", "-d", "--wait")
    collective.script(service, "restore", str(old))
    facts.of(service).check(collective, written)


def test_a_full_disk_gives_no_backup(service: str, collective: Collective, small_disk: Path) -> None:
    refused(collective, service, small_disk / "backup")


def test_a_stopped_container_gives_no_backup(service: str, collective: Collective, tmp_path: Path) -> None:
    containers = collective.containers(service)
    for stopped in [containers] + [["database"]] * ("database" in containers):
        collective.compose(service, "stop", *stopped)
        try:
            refused(collective, service, tmp_path / str(len(stopped)))
        finally:
            collective.compose(service, "up", "-d", "--wait")


def test_a_backup_never_overwrites_another(service: str, collective: Collective, backup: Path) -> None:
    before = {file: file.stat() for file in backup.iterdir()}
    assert collective.script(service, "backup", str(backup), check=False).returncode
    assert {file: file.stat() for file in backup.iterdir()} == before


@pytest.mark.parametrize("fault", ["empty", "a file missing", "a file cut short"])
def test_a_broken_backup_is_refused_and_nothing_is_touched(  # noqa: PLR0913, PLR0917
    service: str, collective: Collective, written: object, backup: Path, tmp_path: Path, fault: str
) -> None:
    files = sorted(backup.iterdir())
    for file in files[:1] if fault == "empty" else files:
        broken = tmp_path / f"without {file.name}"
        shutil.copytree(backup, broken)
        if fault == "a file cut short":
            # Two thirds of the content: archives end with padding, which may be missing.
            os.truncate(broken / file.name, len(file.read_bytes().rstrip(b"\0")) * 2 // 3)
        else:
            for gone in files if fault == "empty" else [file]:
                (broken / gone.name).unlink()
        result = collective.script(service, "restore", str(broken), check=False)
        assert result.returncode, f"restore accepted a backup with {file.name} {fault}"
        assert result.stderr
    facts.of(service).check(collective, written)


def test_updates_are_none_after_a_fresh_build_and_then_listed(service: str, collective: Collective) -> None:
    """Debian's archive may change meanwhile: then there are other updates too, and one more build."""
    found = collective.script(service, "updates").stdout  # the images may be older than the archive
    for _ in range(3):
        if found:
            collective.compose(service, "build", "--no-cache", timeout=BUILD)
            collective.compose(service, "up", "-d", "--wait")
            found = collective.script(service, "updates").stdout
    assert found == ""
    listed, told = set(), set()
    for container in collective.containers(service):
        old, new = make_older(collective, service, container)
        listed.add(f"hostname {old} -> {new} ({container})")
        told.add(f"{service} {container} hostname {old} {new}")
    assert listed <= set(collective.script(service, "updates").stdout.splitlines())
    ran = collective.darkpeak("updates", service, check=False)
    assert ran.returncode == 1, ran.stderr
    assert told <= set(ran.stdout.splitlines())
    collective.compose(service, "up", "-d", "--force-recreate", "--wait")


def test_updates_of_a_stopped_service_are_unknown(service: str, collective: Collective) -> None:
    collective.compose(service, "stop")
    result = collective.script(service, "updates", check=False)
    told = collective.darkpeak("updates", service, check=False)
    collective.compose(service, "up", "-d", "--wait")
    assert (told.returncode, told.stdout) == (3, "")
    assert "because it does not run" in told.stderr
    assert result.returncode
    assert (result.stdout, bool(result.stderr)) == ("", True)


def refused(collective: Collective, service: str, folder: Path) -> None:
    """Check that a backup into the folder fails with a reason, and leaves nothing that `restore` would accept."""
    result = collective.script(service, "backup", str(folder), check=False)
    assert result.returncode, f"an incomplete backup succeeded: {list(folder.iterdir())}"
    assert result.stderr.strip()
    if folder.exists():
        assert collective.script(service, "restore", str(folder), check=False).returncode
