"""The front door: its pages answer at the bare domain, whatever else is stopped, and say so when they are old."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lab.collectives import TOP
from lab.commands import run, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from lab.collectives import Collective

BARE = "http://localhost:7080"


@pytest.fixture(scope="module")
def door(collective: Collective) -> Collective:
    """Return the collective with the router, a service and the front door."""
    collective.darkpeak("up", "router", "dns", "home", timeout=900)
    return collective


def get(path: str, base: str = BARE) -> str:
    """Return the answer of the front door, with its headers."""
    return run(["curl", "--silent", "--show-error", "--include", base + path]).stdout


def periods(door: Collective, service: str) -> list[dict[str, int]]:
    """Return the uptime of a service in several periods."""
    found: list[dict[str, list[dict[str, int]]]] = json.loads(door.darkpeak("uptime", service, "--json").stdout)
    return found[0]["periods"]


def test_announced_work_is_shown_and_is_no_outage(door: Collective) -> None:
    wait_for("the prober sees the service", lambda: periods(door, "dns"), timeout=90)
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d %H:%M}"
    made = json.loads(
        door.darkpeak("announce", "We <move> dns", "--service", "dns", "--until", tomorrow, "--json").stdout
    )
    cake = json.loads(door.darkpeak("announce", "Cake on Friday", "--json").stdout)
    shown = get("/")
    assert "<strong>dns:</strong> We &lt;move&gt; dns" in shown
    assert "Cake on Friday" in get("/feed.xml")
    assert made["id"] in door.darkpeak("announce").stdout
    door.darkpeak("stop", "dns")
    door.darkpeak("site")
    shown = get("/status.html")
    assert (">under maintenance<" in shown, "Everything works." in shown) == (True, True)
    wait_for("the prober sees the outage", lambda: periods(door, "dns")[0]["maintenance"], timeout=90)
    assert periods(door, "dns")[0]["down"] == 0
    for item in (made, cake):
        door.darkpeak("announce", "--remove", item["id"])
    assert json.loads(door.darkpeak("announce", "--json").stdout) == []
    assert "Announced" not in get("/")
    door.darkpeak("up", "dns")
    refused = door.darkpeak("announce", "--remove", made["id"], check=False)
    assert (refused.returncode, "list them: darkpeak announce" in refused.stderr) == (2, True)


def test_the_pages_answer_at_the_bare_domain_while_other_services_are_stopped(door: Collective) -> None:
    for base in (BARE, "http://home.localhost:7080"):
        assert "<h1>The services of Dark Peak</h1>" in get("/", base), "`up` wrote the pages"
    assert "HTTP/1.1 404" in get("/nothing")
    assert "HTTP/1.1 403" in get("/.lock")
    door.darkpeak("stop", "dns")
    assert json.loads(door.darkpeak("site", "--json").stdout)["unknown"] == []
    shown = get("/status.html")
    assert "content-security-policy: default-src 'none'; style-src 'self'" in shown
    assert "Not everything works: dns." in shown
    assert "<title>Status · Dark Peak</title>" in get("/de/status.html")
    assert "<feed" in get("/feed.xml")
    assert "HTTP/1.1 403" in get("/metrics"), "the router passes no metrics on"
    direct = f"http://{door.compose('home', 'port', 'web', '8080').stdout.strip()}"
    assert 'darkpeak_service_up{service="dns"} 0\n' in get("/metrics", direct)
    door.darkpeak("site", "--admins", "--to", str(door.top / "overview"))
    shown = (door.top / "overview/overview.html").read_text()
    assert re.search(r"<li>dns does not work: .* <code>darkpeak logs dns</code></li>", shown)
    assert re.search(r"GiB free; memory [0-9.]+ of [0-9.]+ GiB free", shown)
    own = (door.top / "overview/services/home.html").read_text()
    assert re.search(r"[1-9][0-9.]* MiB now", own), "what it uses was measured"
    assert re.search(r"[0-9.]+ % of a core now", own)
    assert re.search(r"<td>beta</td><td>.*</td><td class=.bad.>no</td>", own)
    assert "<td>up</td>" in own, "its last deploy"
    assert "web-1" in door.darkpeak("logs", "home", "--since", "1h").stdout
    door.darkpeak("up", "dns")
    assert "HTTP/1.1 200" in get("/status.html")


def test_prometheus_reads_the_metrics_and_answers_what_the_dashboard_asks(door: Collective, tmp_path: Path) -> None:
    address = door.compose("home", "port", "web", "8080").stdout.strip()

    def metrics() -> str:
        door.darkpeak("site")
        return run(["curl", "-s", f"http://{address}/metrics"]).stdout

    wait_for("the prober to measure", lambda: 'uptime_ratio{service="dns"}' in metrics(), timeout=120)
    checked = run(["promtool", "check", "metrics"], stdin=metrics())
    assert checked.stdout + checked.stderr == ""
    job = {"job_name": "home", "scrape_interval": "1s", "static_configs": [{"targets": [address]}]}
    (tmp_path / "prometheus.yml").write_text(json.dumps({"scrape_configs": [job]}))
    argv = ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"]
    with subprocess.Popen([*argv, "--web.listen-address=127.0.0.1:9090"], stderr=subprocess.DEVNULL) as server:
        try:
            wait_for("Prometheus to read the metrics", lambda: ask('darkpeak_service_up{service="home"}'))
            panels = json.loads((TOP / "docs/grafana.json").read_text())["panels"]
            asked = [target["expr"] for panel in panels for target in panel["targets"]]
            unknown = {expression for expression in asked if not ask(expression)}
            assert all("backup" in one or "drill" in one or "security" in one for one in unknown), unknown
            assert ask("darkpeak_service_level_claimed - darkpeak_service_level")
        finally:
            server.terminate()


def ask(expression: str) -> list[object]:
    """Return what Prometheus answers; nothing while it has no value, or does not answer."""
    argv = ["curl", "-sf", "--get", "http://127.0.0.1:9090/api/v1/query", "--data-urlencode", f"query={expression}"]
    answer = run(argv, check=False).stdout or '{"data": {"result": []}}'
    found: list[object] = json.loads(answer)["data"]["result"]
    return found


def test_pages_say_that_they_are_old(door: Collective) -> None:
    door.darkpeak("site")
    door.execute("home", "web", "mark-old")
    assert get("/old.css").endswith("\n\n"), "it is empty"
    door.execute("home", "web", "touch", "-d", "27 hours ago", "/var/lib/home/pages/index.html")
    door.execute("home", "web", "mark-old")
    assert ".old { display: block; }\n.now { display: none; }" in get("/old.css")


def test_pages_that_are_damaged_change_nothing(door: Collective) -> None:
    before = door.execute("home", "web", "readlink", "/var/lib/home/pages").stdout
    for broken in ("", "no archive"):
        assert door.execute("home", "web", "load", stdin=broken, check=False).returncode == 1
    assert door.execute("home", "web", "readlink", "/var/lib/home/pages").stdout == before


def test_a_collective_without_the_front_door_is_told_how_to_get_it(door: Collective) -> None:
    door.darkpeak("stop", "home")
    refused = door.darkpeak("site", check=False)
    assert (refused.returncode, "darkpeak up home" in refused.stderr) == (2, True)
    door.darkpeak("up", "home")
