"""Another domain of a collective: its line in collective.toml, and what is refused before anything is touched."""

import tomllib
from pathlib import Path

import pytest

from darkpeak.collective.identity import with_domain
from darkpeak.deploy.check import check_files, deployable
from darkpeak.deploy.target import Target
from darkpeak.engine.engine import Engine
from darkpeak.errors import UsageError
from darkpeak.life.domain import DomainChange, plan_domain
from tests.making import edit, write_collective

WIKI = "services/wiki/docker-compose.yml"
NOBODY = Engine("unix:///nonexistent/docker.sock")
LINES = {
    "a line": ('name = "T"\ndomain = "a.test" # ours\n[x]\n', 'name = "T"\ndomain = "b.test" # ours\n[x]\n'),
    "single quotes": ("domain = 'a.test'\n", 'domain = "b.test"\n'),
    "Windows line ends": ('name = "T"\r\n domain="a.test"\r\n', 'name = "T"\r\n domain="b.test"\r\n'),
    "no line end": ('domain = "a.test"', 'domain = "b.test"'),
    "a table's": ('domain = "a.test"\n[x]\ndomain = "c.test"\n', 'domain = "b.test"\n[x]\ndomain = "c.test"\n'),
    "a text of several lines": ('domain = """a.test"""\n', ""),
    "a quoted key": ('"domain" = "a.test"\n', ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "right"), LINES.values(), ids=LINES)
def test_only_the_line_of_the_domain_is_changed(text: str, right: str) -> None:
    assert with_domain(text, "b.test") == right
    assert not right or tomllib.loads(right)["domain"] == "b.test"


def plan(root: Path, domain: str) -> DomainChange:
    collective = deployable(check_files(root))
    return plan_domain([Target(collective, NOBODY, collective.services)], domain)


REFUSED = {
    "the same": ("localhost", "", "", "the domain is already localhost"),
    "no domain": ("ham let", "", "", "'ham let' is not a domain"),
    "a reserved one": ("village.local", "", "", "the domain cannot end in .local"),
    "a service has a fault": ("b.test", "level: alpha", "level: never", "the files have 1 finding"),
}  # fmt: skip


@pytest.mark.parametrize(("domain", "before", "now", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_before_an_engine_is_asked(
    tmp_path: Path, domain: str, before: str, now: str, why: str
) -> None:
    root = write_collective(tmp_path)
    if before:
        edit(root, WIKI, before, now)
    text = (root / "collective.toml").read_text()
    with pytest.raises(UsageError) as refused:
        plan(root, domain)
    assert refused.value.message.startswith(why)
    assert (root / "collective.toml").read_text() == text


def test_a_name_that_would_lead_to_two_services_is_refused(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    edit(
        root,
        "services/directory/docker-compose.yml",
        "block: 6020",
        "block: 6020\n  routes: {http: {wiki.b.test: 6020}}",
    )
    with pytest.raises(UsageError, match=r"the label wiki already belongs to directory"):
        plan(root, "b.test")


def test_a_line_that_cannot_be_changed_is_named(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    edit(root, "collective.toml", 'domain = "localhost"', '"domain" = "localhost"')
    with pytest.raises(UsageError, match="the line with the domain cannot be changed") as refused:
        plan(root, "b.test")
    assert refused.value.where == "collective.toml"


def test_it_says_what_changes_and_what_stays() -> None:
    change = DomainChange(
        "a.test",
        "b.test",
        (("http://wiki.a.test/", "http://wiki.b.test/"),),
        ("wiki",),
        ("git",),
        ("collective.toml",),
        acme=True,
    )
    lines = change.lines()
    assert lines[:3] == [
        "a.test becomes b.test:",
        "  http://wiki.a.test/  ->  http://wiki.b.test/",
        "stopped for some minutes: wiki",
    ]
    assert "  see the pages of: git" in lines
    assert lines[-2:] == ["files to commit:", "  collective.toml"]
