"""What every live test may ask for: the host it runs on, a collective to work with, and evidence when it fails."""

from __future__ import annotations

import re
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

from lab import ledger, quick_key, seed
from lab.collectives import SERVICES, TOP, Collective, copy_of_ours
from lab.hosts import NAME, Host
from lab.kept import SMALL, Kept, keep

if TYPE_CHECKING:
    from xdist.remote import Producer

pytest.register_assert_rewrite("tests.live.facts")
Campaign = Callable[..., int]
MEASURED = "measured"
# Groups by the time that they take, as the end of a run shows it: were one of these the last, the others would wait.
LONGEST = ("machine", "deploy", "faults", "backup", "remote", "contract chat", "album")
spent: dict[str, float] = defaultdict(float)  # seconds, by group


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run campaigns at full length")


def group_of(nodeid: str) -> str:
    """Return the name of the tests that share what was made once, and so stay on one host: a file, or a service's."""
    file, _, test = nodeid.partition("::")
    parameters = test.partition("[")[2].rstrip("]").split("-")
    return " ".join([Path(file).stem.removeprefix("test_"), *(name for name in parameters if name in SERVICES)])


def place_of(group: str) -> int:
    """Return when a group's turn comes."""
    return LONGEST.index(group) if group in LONGEST else len(LONGEST)


class Spread(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Hands whole groups of tests to the hosts. What xdist brings for that, loadgroup, does nothing with pytest 9."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Spread:
    return Spread(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the groups that take longest, and leave what takes many minutes to long runs: "deselected"."""
    items.sort(key=lambda item: place_of(group_of(item.nodeid)))
    if config.getoption("--long"):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def campaign(request: pytest.FixtureRequest) -> Campaign:
    """Return how many rounds to run, of the number that a long campaign has: without --long a tenth, or `short`."""
    whole = request.config.getoption("--long")
    return lambda rounds, short=0: rounds if whole else short or max(1, rounds // 10)


@pytest.fixture(scope="session")
def host() -> Host:
    """Return the test host that we run on; its engine is ours alone, and must answer."""
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

    A test may edit its files, and puts back what it edited. What a module leaves behind is no other's concern.
    """
    seeded.forget()
    return copy_of_ours(tmp_path_factory.mktemp("collective"), seeded)


@pytest.fixture
def running(collective: Collective) -> Collective:
    """Return the collective with all its services up."""
    collective.darkpeak("up", timeout=900)
    return collective


@pytest.fixture(scope="module")
def kept(collective: Collective, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Return a collective with the ledger up, and a repository that opens at once."""
    with keep(collective, tmp_path_factory.mktemp("kept")) as one:
        quick_key.write(one.volume, one.secret.password)
        yield one


@pytest.fixture
def booked(kept: Kept) -> Kept:
    """Return it with a small ledger, and a set of that."""
    ledger.book(kept.collective, SMALL, 1)
    kept.darkpeak("backup", ledger.NAME)
    return kept


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return a way to print a measurement into the test's output, passed or failed."""

    def line(text: str) -> None:
        request.node.user_properties.append((MEASURED, text))

    return line


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Print what a test measured; where several hosts work, this runs in the process that gave them their work."""
    spent[group_of(report.nodeid)] += report.duration
    said = [str(text) for name, text in report.user_properties if name == MEASURED]
    if report.when == "call" and said:
        sys.stdout.write("".join(f"\n  {text}" for text in said) + "\n")
        sys.stdout.flush()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which groups took longest, for LONGEST."""
    if config.getoption("dist") != "no":
        terminalreporter.section("seconds of the longest groups")
        for seconds, group in sorted(((seconds, group) for group, seconds in spent.items()), reverse=True)[:20]:
            terminalreporter.line(f"{seconds:7.0f} {group}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep what the engine and its containers said when a test fails, and say where."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if report.failed and Host.is_current():
        folder = TOP / "artifacts" / re.sub(r"[^A-Za-z0-9._-]+", "-", item.nodeid)
        keep_evidence(Host.current(), folder)
        report.sections.append(("Artifacts", str(folder)))
    return report  # type: ignore[return-value]


def keep_evidence(host: Host, folder: Path) -> None:
    """Write the engine's log, the list of containers, and each one's last lines."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(host.slot.folder / "dockerd.log", folder)
    docker = ["docker", "--host", host.docker_host]
    (folder / "containers.txt").write_text(host.run([*docker, "ps", "-a"], check=False).stdout)
    for name in host.run([*docker, "ps", "-a", "--format", "{{.Names}}"], check=False).stdout.split():
        said = host.run([*docker, "logs", "--timestamps", "--tail", "500", name], check=False)
        (folder / f"{name}.log").write_text(said.stdout + said.stderr)
