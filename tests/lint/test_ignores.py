"""Comments that ignore a finding: what they hit, and what is said about those that hit nothing."""

from pathlib import Path

import pytest

from darkpeak import lint
from darkpeak.collective.model import Finding, Place
from darkpeak.deploy.check import check_files
from darkpeak.lint.ignores import faults, not_ignored, parse
from tests.making import edit, write_collective

FILE = "services/wiki/docker-compose.yml"
BUILD = "services/wiki/webserver/Dockerfile"


def left(root: Path) -> list[str]:
    """Return what lint shows of errors and warnings, with what is wrong with the comments."""
    checked = check_files(root)
    found = [*checked.findings, *faults(checked.with_ignored, checked.ignores, lint.RULES)]
    shown = {item for item in found if lint.severity_of(item) != "note"}
    return [f"{item.at} {item.rule}: {item.what}" for item in sorted(shown)]


def test_a_comment_covers_its_line_or_the_next_line_that_is_no_comment() -> None:
    text = "#!/bin/sh\n{}\n# more\nc\nd\n"
    [after] = parse("f", text.format("b # darkpeak: ignore[secret] because it is none"))
    assert (set(after.lines), after.because, after.at) == ({2}, "it is none", Place("f", 2))
    [above] = parse("f", text.format("# darkpeak: ignore[secret] because it is none"))
    assert above.lines == {1, 2, 4}
    [later] = parse("f", "a\nb\n  # darkpeak: ignore[secret] because x\nc\n")
    assert later.lines == {3, 4}


def test_one_comment_can_name_two_rules() -> None:
    assert [item.rule for item in parse("f", "# darkpeak: ignore[secret, latest] because x")] == ["secret", "latest"]


def test_a_warning_is_ignored_in_each_kind_of_file(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    edit(root, FILE, "    restart: unless-stopped\n", "")
    edit(root, FILE, "  webserver:\n", "  # darkpeak: ignore[no-restart] because it is started by hand\n  webserver:\n")
    edit(root, BUILD, "FROM debian:trixie", "# darkpeak: ignore[latest] because we want each release\nFROM debian")
    assert left(root) == []


def test_a_finding_on_the_first_line_of_a_script_is_ignored_below_it(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    edit(root, BUILD, "FROM debian:trixie", "FROM debian:trixie\nRUN apt-get install -y slapd")
    edit(
        root, "services/wiki/scripts/backup", "#!/bin/sh\n", "#!/bin/sh\n# darkpeak: ignore[no-dump] because of LMDB\n"
    )
    assert left(root) == []
    assert check_files(root).faults == ()


WRONG = {
    "no reason": ("ignore[no-restart]", "the comment does not say why no-restart is ignored"),
    "an empty reason": ("ignore[no-restart] because ", "the comment does not say why no-restart is ignored"),
    "no rule": ("ignore because x", "the comment names no rule to ignore"),
    "an unknown rule": ("ignore[restart] because x", "there is no rule restart"),
}


@pytest.mark.parametrize(("comment", "what"), WRONG.values(), ids=WRONG)
def test_a_wrong_comment_ignores_nothing_and_is_a_finding(tmp_path: Path, comment: str, what: str) -> None:
    root = write_collective(tmp_path)
    edit(root, FILE, "    restart: unless-stopped\n", "")
    edit(root, FILE, "  webserver:\n", f"  webserver: # darkpeak: {comment}\n")
    assert left(root) == [
        f"{FILE}:11 bad-ignore: {what}",
        f"{FILE}:11 no-restart: webserver has no restart policy, so it stays down after a reboot or a crash",
    ]


def test_what_guards_others_cannot_be_ignored(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    edit(
        root,
        FILE,
        "    build: webserver\n",
        "    build: webserver\n    privileged: true # darkpeak: ignore[root-on-host] because x\n",
    )
    assert left(root) == [
        f"{FILE}:13 bad-ignore: root-on-host cannot be ignored: it guards other services, or the service cannot work",
        f"{FILE}:13 root-on-host: webserver is privileged",
    ]
    assert [item.rule for item in check_files(root).faults] == ["root-on-host"]


def test_a_comment_that_hits_nothing_is_a_finding(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    edit(root, FILE, "  webserver:\n", "  webserver: # darkpeak: ignore[no-restart] because x\n")
    assert left(root) == [f"{FILE}:11 unused-ignore: there is no finding no-restart to ignore here"]


def test_another_rule_and_another_line_are_not_ignored() -> None:
    ignores = list(parse("f", "a\nb # darkpeak: ignore[secret] because x\nc"))
    findings = [
        Finding(Place(file, line), rule, "", "") for file in "fg" for line in (1, 2, 3) for rule in ("secret", "latest")
    ]
    ignored = set(findings) - set(not_ignored(findings, ignores, lint.RULES))
    assert ignored == {Finding(Place("f", 2), "secret", "", "")}
