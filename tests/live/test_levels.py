"""A service of ours is brought to live by real evidence, and loses the level when its drill is too old."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from darkpeak.actions.level import find_levels
from darkpeak.deploy.check import check_files
from darkpeak.deploy.target import Target
from darkpeak.engine.engine import Engine
from lab.commands import run

if TYPE_CHECKING:
    from pathlib import Path

    from lab.collectives import Collective
    from lab.kept import Kept

DAY = 86400
CHAIN = ("router", "directory", "wiki")  # the wiki and the infrastructure that it uses
ADMINS = ("ada", "grace", "mo")
NAMES = (
    "wiki",
    "port directory",
    "port router",
)  # in the prober's logPROMISE = "You can rely on it. It is off for less than 4 days a year."
PROMISE = "You can rely on it. It is off for less than 4 days a year."
LOOKS = {  # the commands of docs/levels.md that only look, and what each shows
    "level": "wiki",
    "admin list": "mo",
    "history wiki": "up",
    "status": "live",
    "roadmap": "live",
    "uptime": "99.8",
    "uptime wiki": "wiki: 503",
}


def key_of(kept: Kept, admin: str) -> tuple[str, str]:
    return ("--identity", str(kept.collective.top / admin))


def claim_live(kept: Kept) -> None:
    """Have three services claim live, with three admins, one of them on the board; commit it."""
    top = kept.collective.top
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "mo", "-f", str(top / "mo")])
    public = (top / "mo.pub").read_text().strip()
    settings = top / "collective.toml"
    text = settings.read_text().replace("[admins.grace]\n", "[admins.grace]\nboard = true\n")
    settings.write_text(f'{text}\n[admins.mo]\nname = "Mo"\nmail = "mo@peak.test"\nssh = ["{public}"]\n')
    for name in CHAIN:
        file = kept.collective.folder(name) / "docker-compose.yml"
        text = re.sub("admins: .*", "admins: [ada, grace, mo]", file.read_text(), count=1)
        file.write_text(text.replace("level: alpha", "level: live", 1))
    commit(top)


def commit(top: Path) -> None:
    git = ("git", "-C", str(top), "-c", "user.name=Ada", "-c", "user.email=ada@peak.test")
    run([*git, "init", "-q"])
    run([*git, "add", "collective.toml", "services"])
    run([*git, "commit", "-q", "-m", "They claim live"])


def write_uptime(kept: Kept, days: int) -> None:
    """Give the prober a log of so many days, as it would have written it."""
    mountpoint = kept.docker("volume", "inspect", "darkpeak-router_uptime", "--format", "{{.Mountpoint}}")
    began, now = int(time.time()) - days * DAY, int(time.time())
    lines = [f"{began}\t{name}\tup\n" for name in NAMES]
    lines += [f"{began + DAY}\twiki\tdown\t503\n", f"{began + DAY + 3600}\twiki\tup\n"]
    kept.collective.compose("router", "stop", "prober")
    run(["sh", "-c", f"cat >{mountpoint}/log"], stdin="".join(lines))
    run(["sh", "-c", f"cat >{mountpoint}/alive"], stdin=f"{now}\n")
    kept.collective.compose("router", "start", "prober")


def pages_of(own: Collective) -> dict[str, str]:
    """Return the pages for members."""
    folder = own.top / "pages"
    own.darkpeak("site", "--to", str(folder))
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def level(kept: Kept, service: str) -> dict[str, Any]:
    """Return what `darkpeak level` says of a service."""
    found: list[dict[str, Any]] = json.loads(kept.collective.darkpeak("level", service, "--json", check=False).stdout)
    return found[0]


def lacking(judged: dict[str, Any]) -> dict[str, str]:
    return {row["requirement"]: row["why"] for row in judged["rows"] if not row["met"]}


@pytest.fixture(scope="module")
def claiming(kept: Kept) -> Kept:
    """Return a collective in which three services claim live, and run; none has more evidence than that."""
    claim_live(kept)
    kept.collective.darkpeak("up", *CHAIN, timeout=900)
    return kept


def test_a_claim_alone_is_no_level(claiming: Kept) -> None:
    judged = level(claiming, "wiki")
    assert (judged["claimed"], judged["measured"]) == ("live", "alpha")
    assert set(lacking(judged)) == {
        "admins",
        "one nine",
        "two nines",
        "depends on beta or better",
        "depends on live",
        "yearly review",
        "yearly review as live",
        "automatic backup",
        "restore that works",
        "security updates",
    }
    refused = claiming.collective.darkpeak("level", "wiki", check=False)
    assert (refused.returncode, "wiki claims live, and has alpha" in refused.stdout) == (1, True)


def test_real_evidence_brings_a_service_to_live_and_its_age_takes_it_away(claiming: Kept) -> None:
    own = claiming.collective
    for admin in ADMINS:
        own.darkpeak("member", "add", admin, "--password-stdin", stdin="correct horse\n")
    claiming.darkpeak("key add mo")
    for admin in ADMINS:
        proved = json.loads(own.darkpeak("admin", "check", "--json", *key_of(claiming, admin)).stdout)
        assert [proof["good"] for proof in proved["proofs"]] == [True, True, True]
    claiming.darkpeak("backup", *CHAIN)
    for name in CHAIN:
        claiming.darkpeak("drill", name)
        own.darkpeak("review", name, "--note", "agreed by the meeting of 3 May")
    write_uptime(claiming, 40)
    claiming.darkpeak("nightly", check=False)
    assert {name: lacking(level(claiming, name)) for name in CHAIN} == {name: {} for name in CHAIN}
    assert level(claiming, "wiki")["measured"] == "live"
    assert own.darkpeak("level", "wiki").returncode == 0
    for words, shown in LOOKS.items():
        assert shown in own.darkpeak(*words.split(), check=False).stdout, words
    (own.top / "about.md").write_text("We are **here** for you.")
    own.darkpeak("maintenance", "wiki", "on", "back at nine")
    pages = pages_of(own)
    own.darkpeak("maintenance", "wiki", "off")
    assert "under maintenance" in pages["index.html"]
    assert "We are <strong>here</strong> for you." in pages["index.html"]
    pages = pages_of(own)
    assert PROMISE in pages["index.html"]
    assert 'href="http://wiki.localhost:7080/"' in pages["index.html"]
    assert "It answered 99.89 % of the time, in 40 measured days" in pages["status.html"]
    assert "wiki did not answer" in pages["feed.xml"]

    found = check_files(own.top).collective
    target = Target(found, Engine(own.host.docker_host), found.services)
    later = {item.service: item for item in find_levels([target], datetime.now(UTC) + timedelta(days=36))}
    missing = {name: {row.requirement for row in later[name].rows if not row.met} for name in CHAIN}
    assert missing == {
        "router": {"automatic backup", "restore that works", "security updates"},
        "directory": {"automatic backup", "restore that works", "security updates", "depends on live"},
        "wiki": {"automatic backup", "restore that works", "security updates", "depends on live"},
    }
    assert later["wiki"].measured == "beta"
