"""A collective with its own domain: plain compose keeps it, every README is right, and its engine is only its own."""

from __future__ import annotations

import json
import re
import shutil
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from darkpeak.evidence.store import LABEL
from lab.collectives import PLAIN_PATH, SERVICES, TOOL, Collective
from lab.commands import run, wait_for
from tests.live.browser import Browser
from tests.live.daemons import desired, ids
from tests.live.facts import directory, wiki
from tests.pages import commands as pages
from tests.pages.covered import INSTEAD, run_as_it_is

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DOMAIN, PORT = "village.test", 8080
ROUTER = f"\n[router]\nhttp = {PORT}\nhttps = 8443\nssh = 8022\n"
OWNER = f"{LABEL}=owner engine"
WITH_VALUES = ("chat", "directory", "dns", "git", "router")
ANSWERS = "a new password\na new password\n"  # of ldappasswd
BUILT_BY_COMPOSE = "plain docker compose built its image"
CHANGING = (
    "plan",
    "up",
    "up wiki",
    "down --yes",
    "stop wiki",
    "restart wiki",
    "rollback wiki",
    "maintenance wiki on soon",
    "backup --to saved",
    "restore wiki --from saved/wiki",
    "member add eve --password-stdin",
    "group list",
)


@dataclass(frozen=True)
class Reader:
    """Somebody in a clone who runs the commands of the READMEs, on a terminal."""

    own: Collective
    top: Path

    def prepare(self, page: str) -> None:
        """Make the files that a page's commands read, and the programs that they call."""
        folder, programs = (self.own.top / page).parent, self.top / "bin"
        programs.mkdir(exist_ok=True)
        (programs / "darkpeak").unlink(missing_ok=True)
        (programs / "darkpeak").symlink_to(TOOL)
        if folder.name == "git":
            for name in ("ada", "grace", "new"):
                run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)])
            options = (
                f"-F none -i {folder / 'grace'} -o UserKnownHostsFile={self.top}/known -o StrictHostKeyChecking=no"
            )
            (programs / "ssh").write_text(f'#!/bin/sh\nexec /usr/bin/ssh {options} "$@"\n')
            (programs / "ssh").chmod(0o755)
            self.run(page, "docker compose exec -T gitolite add-key grace <grace.pub")  # gitolite's admin
        if "router" in page:
            requested = self.own.compose("chat", "exec", "-T", "prosody", "certificate", "request").stdout
            (self.own.folder("router") / "request.pem").write_text(requested)
            (self.own.folder("router") / "token").write_text("a secret\n")

    def run(self, page: str, command: str, *, cached: bool = True, answers: str = "") -> str:
        """Run a page's command in the service's folder, and wait until the service is ready; return its output."""
        text = INSTEAD.get(page, {}).get(command, command)
        saved, unpacked = self.top / f"saved {page.split('/')[1]}", self.top / "unpacked"
        unpacked.mkdir(exist_ok=True)
        for placeholder, value in (
            (r"\bDIR\b", f"'{saved}'"),
            (r"\bUNPACKED\b", str(unpacked)),
            (r"\bDOMAIN\b|(?<=sign )localhost|(?<=wiki\.|chat\.)localhost", DOMAIN),
            *(((r" --no-cache", ""),) if cached else ()),
        ):
            text = re.sub(placeholder, value, text)
        argv = ["bash", "-euo", "pipefail", "-c", text]
        if re.search(r"compose exec (?!-T)", text):
            argv = ["script", "--quiet", "--return", "--command", text, "/dev/null"]
        service = page.split("/")[1]
        environment = {**self.own.environment, "PATH": f"{self.top}/bin:{PLAIN_PATH}"}
        ran = run(
            argv, cwd=self.own.folder(service), env=environment, stdin=answers or ANSWERS, check=False, timeout=900
        )
        assert ran.returncode == 0, f"{page}: {text}\n{ran.stdout}{ran.stderr}"
        if re.search(r"compose (up|start|restart|down|build)|scripts/restore|darkpeak up", text):
            self.own.compose(service, "up", "-d", "--wait", timeout=300)
        return ran.stdout


@pytest.fixture(scope="module")
def village(collective: Collective, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collective]:
    """Yield a collective with a domain and ports of its own, in git, as its first admin leaves it."""
    own = copy(collective, tmp_path_factory.mktemp("village"), "Village", DOMAIN)
    toml = own.top / "collective.toml"
    toml.write_text(toml.read_text() + ROUTER)
    own.darkpeak("up", timeout=900)
    yield own
    own.darkpeak("down", "--volumes", "--yes", timeout=300, check=False)


def copy(collective: Collective, top: Path, name: str, domain: str) -> Collective:
    """Copy a collective's files, as somebody does who begins with them."""
    shutil.copytree(collective.top, top, dirs_exist_ok=True)
    write(top, name=name, domain=domain)
    return Collective(top, collective.host)


def write(top: Path, **values: str) -> None:
    """Write values into collective.toml; an empty one removes the line."""
    toml = top / "collective.toml"
    text = toml.read_text()
    for key, value in values.items():
        text, count = re.subn(rf"(?m)^{key} = .*\n", f'{key} = "{value}"\n' if value else "", text, count=1)
        assert count == 1
    toml.write_text(text)


def clone(own: Collective, top: Path) -> Collective:
    """Commit everything, and return a fresh clone: another admin's, who has not run darkpeak."""
    git = ["git", "-C", str(own.top), "-c", "user.name=mo", "-c", "user.email=mo@village.test"]
    run([*git, "init", "--quiet"])
    run([*git, "add", "--all"])
    run([*git, "commit", "--quiet", "--allow-empty", "-m", "As it is"])
    run(["git", "clone", "--quiet", str(own.top), str(top)])
    return Collective(top, own.host)


def environments(own: Collective) -> dict[str, list[str]]:
    """Return the environment of each container on the engine, by its name without the number."""
    docker = ["docker", "--host", own.host.docker_host]
    found = json.loads(run([*docker, "inspect", *ids(own)]).stdout)
    return {item["Name"].rstrip("-0123456789"): sorted(item["Config"]["Env"]) for item in found}


def answer(domain: str) -> str:
    """Return the wiki's HTTP code, through the router."""
    url = f"http://wiki.{domain}:{PORT}/"
    resolve = ["--resolve", f"wiki.{domain}:{PORT}:127.0.0.1"]
    return run(["curl", "-sS", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}", *resolve, url]).stdout


def test_up_wrote_what_plain_compose_needs(village: Collective) -> None:
    assert sorted(path.parent.name for path in village.top.glob("services/*/.env")) == sorted(WITH_VALUES)
    assert re.search(r'^id = "[0-9a-f]{16}"', (village.top / "collective.toml").read_text(), re.MULTILINE)
    assert desired(village)
    assert answer(DOMAIN) == "200"


def test_plain_compose_in_a_fresh_clone_changes_nothing(village: Collective, tmp_path: Path) -> None:
    fresh = clone(village, tmp_path / "clone")
    before = ids(village)
    for service in SERVICES:
        fresh.compose(service, "up", "-d", "--wait", timeout=300)
    assert ids(village) == before
    assert fresh.darkpeak("plan").stdout.startswith("nothing to do")


@pytest.fixture(scope="module")
def reader(village: Collective, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Return somebody in a fresh clone."""
    top = tmp_path_factory.mktemp("reader")
    return Reader(clone(village, top / "clone"), top)


@pytest.mark.parametrize("page", pages.SERVICES)
def test_every_command_of_the_services_readmes_runs(reader: Reader, page: str, campaign: Callable[..., int]) -> None:
    """They build and start the services again, with the same domain and ports as `up`."""
    values = environments(reader.own)
    reader.prepare(page)
    for command in pages.commands(page):
        if run_as_it_is(page, command):
            reader.run(page, command, cached=campaign(2) == 1)
    assert environments(reader.own) == values


def test_after_plain_compose_the_plan_says_what_it_did_and_up_goes_on(reader: Reader) -> None:
    dig = ["dig", "+short", "-p", "6050", "@127.0.0.1", f"wiki.{DOMAIN}"]
    assert run(dig).stdout == "127.0.0.1\n"
    planned = json.loads(reader.own.darkpeak("plan", "--json", check=False).stdout)[0]["plan"]
    causes = {item["cause"] for service in planned["services"] for item in service["decisions"]}
    assert causes - {"it matches its files"} == {BUILT_BY_COMPOSE}
    reader.own.darkpeak("up", timeout=300)
    assert desired(reader.own)
    assert answer(DOMAIN) == "200"


def test_a_container_is_built_again_for_updates_and_has_a_shell(reader: Reader, campaign: Callable[..., int]) -> None:
    before = set(ids(reader.own))
    wiki = "services/wiki/README.md"
    for command in ("docker compose build --no-cache", "darkpeak up wiki"):
        reader.run(wiki, command, cached=campaign(2) == 1)
    assert desired(reader.own)
    assert campaign(2) == 1 or len(before - set(ids(reader.own))) == 1
    assert "not a tty" not in reader.run(wiki, "docker compose exec webserver sh", answers="tty\nexit\n")


def test_the_commands_of_the_pages_that_only_look(reader: Reader) -> None:
    for command in ("roadmap", "lint", "status", "plan", "certificates"):
        shown = reader.own.darkpeak(command)
        assert shown.stdout + shown.stderr


def test_an_admin_leaves_the_directory(reader: Reader) -> None:
    reader.own.darkpeak("member", "add", "lena", "--password-stdin", stdin="long enough\n")
    reader.own.darkpeak("group", "join", "admins", "lena")
    assert "lena" in reader.own.darkpeak("group", "list").stdout
    reader.own.darkpeak("group", "leave", "admins", "lena")
    assert "lena" not in reader.own.darkpeak("group", "list").stdout
    reader.own.darkpeak("member", "remove", "lena", timeout=300)


def test_another_collectives_engine_is_not_touched(village: Collective, tmp_path: Path) -> None:
    town = copy(village, tmp_path / "town", "Town", "town.test")
    write(town.top, id="")
    before, files = ids(village), sorted(town.top.rglob("*"))
    text = (town.top / "collective.toml").read_text()
    for command in CHANGING:
        refused = town.darkpeak(*command.split(), stdin="long enough\n", check=False)
        assert refused.returncode == 2, command
        assert "belongs to another collective, Village (village.test)" in refused.stderr, command
        assert "docker compose -p" not in refused.stdout
    assert ids(village) == before
    assert (sorted(town.top.rglob("*")), (town.top / "collective.toml").read_text()) == (files, text)
    assert desired(village)


def test_a_clone_whose_id_was_not_committed_gets_it_from_the_engine(village: Collective, tmp_path: Path) -> None:
    fresh = clone(village, tmp_path / "clone")
    write(fresh.top, id="")
    assert fresh.darkpeak("plan").stdout.startswith("nothing to do")
    assert "wrote collective.toml: commit this" in fresh.darkpeak("up").stdout
    assert (fresh.top / "collective.toml").read_text() == (village.top / "collective.toml").read_text()


def test_an_engine_from_before_there_was_an_identity_is_adopted(village: Collective) -> None:
    docker = ["docker", "--host", village.host.docker_host, "volume"]
    record = run([*docker, "ls", "-q", "--filter", f"label={OWNER}"]).stdout.split()
    run([*docker, "rm", *record])
    assert len(record) == 1
    assert desired(village)
    before = ids(village)
    assert village.darkpeak("up").stdout.startswith("nothing to do")
    assert ids(village) == before
    assert run([*docker, "ls", "-q", "--filter", f"label={OWNER}"]).stdout.split() != []


def test_a_domain_that_was_only_written_into_the_file_is_refused(village: Collective) -> None:
    before = ids(village)
    write(village.top, domain="hamlet.test")
    for command in ("plan", "up", "rollback wiki", "restore wiki --from saved"):
        refused = village.darkpeak(*command.split(), check=False)
        assert refused.returncode == 2, command
        assert "the domain is now hamlet.test, but the CA on the engine" in refused.stderr
        assert "at collective.toml:3" in refused.stderr
    assert ids(village) == before
    linted = village.darkpeak("lint", check=False)
    found = "services/dns/.env:2: warning: DARKPEAK_DOMAIN is village.test, but hamlet.test in collective.toml"
    assert found in linted.stdout

    write(village.top, domain=DOMAIN)


def test_another_domain_keeps_the_data_and_the_logins(village: Collective) -> None:
    written, before = wiki.write(village), ids(village)
    planned = village.darkpeak("domain", "hamlet.test", "--dry-run").stdout
    assert re.search(r"(?m)^  wiki\.village\.test +->  wiki\.hamlet\.test$", planned), planned
    for wrong, why in ((DOMAIN, "the domain is already village.test"), ("ham let", "'ham let' is not a domain")):
        refused = village.darkpeak("domain", wrong, "--yes", check=False)
        assert (refused.returncode, why in refused.stderr) == (2, True), refused.stderr
    assert village.darkpeak("domain", "hamlet.test", check=False).returncode == 2, "nobody answers its question"
    assert ids(village) == before

    with village.start("domain", "hamlet.test", "--yes") as process:  # Ctrl-C when the first containers are gone
        wait_for("a service to be removed", lambda: ids(village) != before)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    changed = village.darkpeak("domain", "hamlet.test", "--yes", timeout=900).stdout
    assert "the domain is now hamlet.test; commit the files" in changed
    assert desired(village)
    assert village.darkpeak("lint").returncode == 0
    resolve = ("--resolve", f"wiki.hamlet.test:{PORT}:127.0.0.1")
    ada = Browser(f"http://wiki.hamlet.test:{PORT}", resolve)
    assert ada.logs_in("ada", directory.MEMBERS["ada"])
    assert ada.page(wiki.PAGE) == written[-1]
    wiki.check(village, written)
    assert answer(DOMAIN) == "421"


def test_without_any_service_and_data_the_engine_is_free(village: Collective, tmp_path: Path) -> None:
    village.darkpeak("down", "--volumes", "--yes", timeout=300)
    town = copy(village, tmp_path / "town", "Town", "town.test")
    write(town.top, id="")
    assert "router" in town.darkpeak("plan", check=False).stdout
