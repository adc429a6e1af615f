"""The rules are values: every finding of the code has one, and the page of rules is made from them."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from darkpeak.cli.rules_page import make_rules_page
from darkpeak.lint import FAMILIES, RULES

TOP = Path(__file__).parent.parent.parent
SOURCE = TOP / "src/darkpeak"
# How the code makes findings, and which argument is the rule.
MAKERS = {"Finding": 1, "finding": 1, "add": 1, "note": 1, "Fault": 0}


def used_ids() -> Iterator[str]:
    """Yield each rule's id that the code gives to a finding as a literal."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(getattr(node, "func", None), "attr", getattr(getattr(node, "func", None), "id", ""))
            if isinstance(node, ast.Call) and name in MAKERS and len(node.args) > MAKERS[name] + 1:
                argument = node.args[MAKERS[name]]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


def test_every_finding_of_the_code_has_a_rule() -> None:
    used = set(used_ids())
    assert len(used) > 60
    assert used - set(RULES) == set()


def test_no_rule_is_there_twice() -> None:
    assert len(RULES) == sum(len(family.RULES) for family in FAMILIES)


def test_every_rule_says_why_and_what_to_do_in_plain_sentences() -> None:
    for rule in RULES.values():
        assert re.fullmatch(r"[a-z][a-z0-9-]+", rule.id)
        assert rule.reason.endswith("."), rule.id
        assert rule.reason.count(". ") < 2, f"{rule.id}: one or two sentences"
        assert rule.fix, rule.id
        assert not rule.fix.endswith("."), rule.id
        assert (TOP / rule.page).is_file(), rule.id


def test_the_page_of_rules_is_current() -> None:
    assert (TOP / "docs/rules.md").read_text() == make_rules_page(), "docs/rules.md is old: run bin/reference"


def darkpeak(*words: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from darkpeak.cli import main; main()"]
    return subprocess.run([*program, *words], capture_output=True, text=True, check=False, timeout=60)


def test_rules_are_listed_and_explained() -> None:
    listed = json.loads(darkpeak("rules", "--json").stdout)
    assert [item["id"] for item in listed] == sorted(RULES)
    assert json.loads(darkpeak("rules", "no-dump", "--json").stdout) == next(
        item for item in listed if item["id"] == "no-dump"
    )
    assert f"why: {RULES['no-dump'].reason}" in darkpeak("rules", "no-dump").stdout
    assert "base-image" in darkpeak("rules").stdout


def test_a_rule_that_does_not_exist_is_an_error() -> None:
    done = darkpeak("rules", "nonsense")
    assert (done.returncode, done.stderr) == (
        2,
        "error: there is no rule nonsense\n  list them all: darkpeak rules\n",
    )
