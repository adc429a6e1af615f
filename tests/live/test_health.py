"""Health checks: frequent at the start, rare at rest, and every failure is noticed."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import docker
import pytest

from lab.collectives import TOP
from lab.commands import run, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.collectives import Collective

    Say = Callable[[str], None]

NAME = "frail"
COMPOSE = """\
name: darkpeak-frail
services:
  well: &one {build: one, init: true}
  ill: *one
  stuck: *one
networks:
  default: {ipam: {config: [{subnet: 10.69.60.0/24}]}}
"""
DOCKERFILE = """\
FROM debian:trixie
COPY bin/ /usr/local/bin/
{healthcheck}
CMD ["serve"]
"""
SERVE = "#!/bin/sh\nexec sleep infinity\n"
HEALTH = "#!/bin/sh\n# As /run/told says, and keeps count.\necho >>/run/checks\n[ ! -e /run/told ] || . /run/told\n"
KEEPER = TOP / "services/wiki/webserver/bin/keep-checking"


class Frail:
    """Containers whose health checks do what a test says."""

    def __init__(self, collective: Collective) -> None:
        self.collective = collective
        self.client = docker.DockerClient(collective.host.docker_host)
        self.began = time.time()

    def health(self, name: str) -> str:
        """Return the health that the engine shows for a container."""
        found: str = self.client.api.inspect_container(f"darkpeak-{NAME}-{name}-1")["State"]["Health"]["Status"]
        return found

    def tell(self, name: str, what: str) -> None:
        """Set what the container's next checks do."""
        self.collective.execute(NAME, name, "sh", "-c", 'echo "$0" >/run/told', what)

    def seconds_until(self, state: str, *names: str) -> float:
        """Wait until all have this health; return the seconds that it took."""
        begun = time.monotonic()
        wait_for(f"{names} {state}", lambda: {self.health(name) for name in names} == {state}, timeout=180)
        return time.monotonic() - begun

    def checks(self, name: str) -> int:
        """Return the number of its checks."""
        return len(self.collective.execute(NAME, name, "cat", "/run/checks").stdout.splitlines())

    def calls(self, name: str, since: float) -> int:
        """Return the number of calls of its check by the engine since a moment."""
        name = f"darkpeak-{NAME}-{name}-1"
        window = {"since": datetime.fromtimestamp(since, UTC), "until": datetime.now(UTC)}
        events = self.client.events(**window, filters={"container": name}, decode=True)
        started = (event["timeNano"] for event in events if event["Action"] == "exec_start: keep-checking health")
        return sum(moment > since * 1e9 for moment in started)


@pytest.fixture
def frail(collective: Collective) -> Iterator[Frail]:
    """Yield the running containers."""
    folder = collective.folder(NAME)
    dockerfile = (TOP / "services/wiki/webserver/Dockerfile").read_text()
    line = next(line for line in dockerfile.splitlines() if line.startswith("HEALTHCHECK"))
    files = {"docker-compose.yml": COMPOSE, "one/Dockerfile": DOCKERFILE.format(healthcheck=line)}
    for name, text in (files | {"one/bin/serve": SERVE, "one/bin/health": HEALTH}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    shutil.copy(KEEPER, folder / "one/bin")
    collective.compose(NAME, "build", timeout=300)
    collective.compose(NAME, "up", "-d")
    yield Frail(collective)
    collective.compose(NAME, "down", "--volumes")
    run(["rm", "-r", str(folder)])


def test_a_container_is_healthy_soon_then_rarely_checked_and_failures_are_noticed(frail: Frail, say: Say) -> None:
    started = frail.seconds_until("healthy", "well", "ill", "stuck")
    before, rested = frail.checks("well"), time.time()
    frail.tell("ill", "exit 1")
    frail.tell("stuck", "sleep 600")
    fell_ill = frail.seconds_until("unhealthy", "ill")
    frail.tell("ill", "exit 0")
    recovered = frail.seconds_until("healthy", "ill")
    hung = fell_ill + recovered + frail.seconds_until("unhealthy", "stuck")
    frail.tell("stuck", "exit 0")
    frail.seconds_until("healthy", "stuck")
    checks, seconds = frail.checks("well") - before, time.time() - rested
    calls = frail.calls("well", rested)
    say(
        f"healthy after {started:.1f} s, ill after {fell_ill:.0f} s, well again after {recovered:.0f} s, "
        f"stuck after {hung:.0f} s; {calls} calls and {checks} checks in {seconds:.0f} s of rest"
    )
    assert started < 5
    assert fell_ill < 60
    assert recovered < 15
    assert hung < 100
    assert calls <= 1
    assert abs(checks - seconds / 30) <= 2


@pytest.mark.parametrize("how", ["restart", "kill", "pause"])
def test_a_restarted_container_is_healthy_again_soon(frail: Frail, how: str, say: Say) -> None:
    frail.seconds_until("healthy", "well")
    # A check that waits is ended too.
    wait_for("a check that waits", lambda: frail.calls("well", frail.began) > 1)
    frail.collective.compose(NAME, how, "well")
    begun = time.monotonic()
    frail.collective.compose(NAME, *(("unpause",) if how == "pause" else ("up", "-d", "--no-recreate")), "well")
    frail.seconds_until("healthy", "well")
    took = time.monotonic() - begun
    say(f"{how}: healthy after {took:.1f} s")
    assert took < 8
