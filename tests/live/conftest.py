"""Fixtures of the live tests: the host, a collective, a repository; and the logs that are kept if a test fails."""

from __future__ import annotations

import re
import shutil
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

from lab import ledger, quick_key, seed
from lab.collectives import SERVICES, TOP, Collective, copy_of_ours
from lab.commands import CommandFailed
from lab.hosts import NAME, Host
from lab.kept import SMALL, Kept, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xdist.remote import Producer

pytest.register_assert_rewrite("tests.live.facts")
MEASURED = "measured"
# The groups that take longest, as the end of a run shows them. They begin first, so that no host waits at the end.
LONGEST = (
    "machine",
    "own_domain",
    "deploy",
    "prepare",
    "health",
    "faults",
    "backup",
    "remote",
    "life",
    "contract chat",
    "album",
)
spent: dict[str, float] = defaultdict(float)  # seconds, by group


def group_of(nodeid: str) -> str:
    """Return the group of a test, whose tests run on one host: its file, or its service in that file."""
    file, _, test = nodeid.partition("::")
    parameters = test.partition("[")[2].rstrip("]").split("-")
    return " ".join([Path(file).stem.removeprefix("test_"), *(name for name in parameters if name in SERVICES)])


def place_of(group: str) -> int:
    """Return a group's place in the order."""
    return LONGEST.index(group) if group in LONGEST else len(LONGEST)


class Spread(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Gives whole groups of tests to the hosts. xdist's own `loadgroup` has no effect with pytest 9."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Spread:
    return Spread(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the groups that take longest; deselect tests that take many minutes, except with --long."""
    items.sort(key=lambda item: place_of(group_of(item.nodeid)))
    if config.getoption("--long"):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def host() -> Host:
    """Return the test host in which the tests run; only they use its engine, which must answer."""
    if not Host.is_current():
        pytest.exit(f"live tests run inside a test host ({NAME} is not set): use bin/test tests/live …", returncode=3)
    here = Host.current()
    if not here.engine_answers():
        here.start_engine()
    return here


@pytest.fixture(scope="session")
def seeded(host: Host) -> Host:
    """Return the host with the images of all services."""
    host.forget()
    seed.provide(host)
    return host


@pytest.fixture(scope="module")
def collective(seeded: Host, tmp_path_factory: pytest.TempPathFactory) -> Collective:
    """Return a copy of this repository's collective, on an engine where nothing runs yet.

    A test may edit its files, but must restore them. What a module leaves on the engine is removed before the next one.
    """
    seeded.forget()
    return copy_of_ours(tmp_path_factory.mktemp("collective"), seeded)


@pytest.fixture
def running(collective: Collective) -> Collective:
    """Return the collective, with all its services running."""
    collective.darkpeak("up", timeout=900)
    return collective


@pytest.fixture(scope="module")
def kept(collective: Collective, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Yield a collective with a running ledger, and a repository that opens quickly."""
    with keep(collective, tmp_path_factory.mktemp("kept")) as one:
        quick_key.write(one.volume, one.secret.password)
        yield one


@pytest.fixture
def booked(kept: Kept) -> Kept:
    """Return it with a small ledger and one snapshot of it."""
    ledger.book(kept.collective, SMALL, 1)
    kept.darkpeak("backup", ledger.NAME)
    return kept


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return a function that prints a measurement into the output, also if the test passes."""

    def line(text: str) -> None:
        request.node.user_properties.append((MEASURED, text))

    return line


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Print a test's measurements; with several hosts, this runs in pytest's main process."""
    spent[group_of(report.nodeid)] += report.duration
    said = [str(text) for name, text in report.user_properties if name == MEASURED]
    if report.when == "call" and said:
        sys.stdout.write("".join(f"\n  {text}" for text in said) + "\n")
        sys.stdout.flush()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the groups that took longest, for LONGEST."""
    if config.getoption("dist") != "no":
        terminalreporter.section("seconds of the longest groups")
        for seconds, group in sorted(((seconds, group) for group, seconds in spent.items()), reverse=True)[:20]:
            terminalreporter.line(f"{seconds:7.0f} {group}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """If a test fails, save the logs of the engine and its containers, and print the folder."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if report.failed and Host.is_current():
        folder = TOP / "artifacts" / re.sub(r"[^A-Za-z0-9._-]+", "-", item.nodeid)
        try:
            keep_evidence(Host.current(), folder)
        except (CommandFailed, OSError) as error:  # the engine may be what hangs; the other tests go on
            report.sections.append(("Artifacts are not whole", str(error)))
        report.sections.append(("Artifacts", str(folder)))
    return report  # type: ignore[return-value]


def keep_evidence(host: Host, folder: Path) -> None:
    """Write the engine's log, the list of containers, and the last lines of each."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(host.slot.folder / "dockerd.log", folder)
    docker = ["docker", "--host", host.docker_host]
    (folder / "containers.txt").write_text(host.run([*docker, "ps", "-a"], check=False).stdout)
    for name in host.run([*docker, "ps", "-a", "--format", "{{.Names}}"], check=False).stdout.split():
        said = host.run([*docker, "logs", "--timestamps", "--tail", "500", name], check=False)
        (folder / f"{name}.log").write_text(said.stdout + said.stderr)
