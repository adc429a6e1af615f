"""What `member remove` and `member passwd` do in the services."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from darkpeak.actions.directory import end_sessions
from darkpeak.collective import read
from darkpeak.deploy.member_gone import Ended
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure
from darkpeak.plan.observed import Observed, Running
from tests.making import write_collective

if TYPE_CHECKING:
    from darkpeak.engine.engine import Engine

SAYS = '#!/bin/sh\necho "$# $*"\n'


@dataclass
class StandIn:
    """An engine with containers; without `observed`, it does not answer."""

    observed: Observed | None
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/bin:/bin"})

    def observe(self) -> Observed:
        """Return what runs."""
        if self.observed is None:
            raise SystemFailure("the engine does not answer")
        return self.observed


def wiki_container(state: str) -> Running:
    return Running("1", "darkpeak-wiki", "webserver", 1, "darkpeak-wiki-webserver-1", state)


def end(root: Path, script: str, *containers: Running, stays: bool = False, down: bool = False) -> list[Ended]:
    """Run the wiki's script for ada, in a collective whose directory has no such script."""
    write_collective(root)
    path = root / "services/wiki/scripts/member-gone"
    path.write_text(script)
    path.chmod(0o755)
    collective, _ = read(root)
    engine = cast("Engine", StandIn(None if down else Observed(containers)))
    return end_sessions([Target(collective, engine, collective.services)], "ada", stays=stays)


@pytest.mark.parametrize(("stays", "said"), [(False, "1 ada"), (True, "2 ada passwd")])
def test_the_script_gets_the_member_and_whether_they_stay(tmp_path: Path, said: str, *, stays: bool) -> None:
    assert end(tmp_path, SAYS, wiki_container("running"), stays=stays) == [Ended("wiki", said)]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("#!/bin/sh\necho 1 key removed\necho 2 sessions ended\n", "1 key removed; 2 sessions ended"),
        ("#!/bin/sh\n", "done"),
    ],
)
def test_what_the_script_printed_is_told(tmp_path: Path, script: str, said: str) -> None:
    assert end(tmp_path, script, wiki_container("running")) == [Ended("wiki", said)]


def test_a_script_has_no_variables_that_lead_compose_elsewhere(tmp_path: Path) -> None:
    """An empty COMPOSE_FILE does too: `docker compose` in a script then says "is a directory"."""
    script = "#!/bin/sh\necho ${COMPOSE_FILE-absent} ${COMPOSE_PROFILES-absent} ${COMPOSE_PROJECT_NAME-absent}\n"
    assert end(tmp_path, script, wiki_container("running")) == [Ended("wiki", "absent absent absent")]


def test_a_service_that_is_not_deployed_has_no_sessions(tmp_path: Path) -> None:
    assert end(tmp_path, SAYS) == []


def test_a_script_that_fails_is_told_and_not_raised(tmp_path: Path) -> None:
    script = "#!/bin/sh\necho member-gone: no answer >&2\nexit 1\n"
    assert end(tmp_path, script, wiki_container("running")) == [Ended("wiki", "member-gone: no answer", failed=True)]


def test_a_script_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    [ended] = end(tmp_path, "#!/nonexistent/sh\n", wiki_container("running"))
    assert ended.failed
    assert "/nonexistent/sh" in ended.done


def test_a_stopped_service_is_told(tmp_path: Path) -> None:
    assert end(tmp_path, SAYS, wiki_container("exited")) == [Ended("wiki", "it is stopped", failed=True)]


def test_an_engine_that_does_not_answer_is_told(tmp_path: Path) -> None:
    assert end(tmp_path, SAYS, down=True) == [Ended("wiki", "the engine does not answer", failed=True)]
