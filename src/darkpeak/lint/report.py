"""Findings in the forms of other tools: SARIF 2.1.0, and annotations of GitHub's workflows. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from darkpeak import __version__
from darkpeak.collective.model import Finding
from darkpeak.lint.rule import ERROR, NOTE, WARNING, Rule

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
PLAIN = re.compile(r"[A-Za-z0-9/._~-]")  # the letters of a path in a URI
COMMANDS = {ERROR: "error", WARNING: "warning", NOTE: "notice"}  # of GitHub's workflows


def as_json(findings: Iterable[Finding], rules: Mapping[str, Rule]) -> list[dict[str, object]]:
    """Return the findings for `--json`."""
    return [
        {
            "at": str(item.at),
            "severity": rules[item.rule].severity,
            "rule": item.rule,
            "what": item.what,
            "hint": item.hint,
        }
        for item in findings
    ]


def as_text(findings: Iterable[Finding], rules: Mapping[str, Rule]) -> list[str]:
    """Return the findings as lines for people."""
    return [f"{item.at}: {rules[item.rule].severity}: {item.what} [{item.rule}]\n    {item.hint}" for item in findings]


def as_sarif(findings: Sequence[Finding], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Return the findings as one run of SARIF 2.1.0, with the rules that they break."""
    broken = sorted({item.rule for item in findings})
    driver = {
        "name": "darkpeak",
        "version": __version__,
        "rules": [_rule(rules[name]) for name in broken],
    }
    results = [_result(item, broken.index(item.rule), rules[item.rule]) for item in findings]
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.reason},
        "help": {"text": f"{rule.fix}. More: {rule.page}"},
        "defaultConfiguration": {"level": str(rule.severity)},
    }


def _result(finding: Finding, index: int, rule: Rule) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": _uri(finding.at.file)},
        "region": {"startLine": finding.at.line},
    }
    return {
        "ruleId": rule.id,
        "ruleIndex": index,
        "level": str(rule.severity),
        "message": {"text": f"{finding.what}. {finding.hint}"},
        "locations": [{"physicalLocation": place}],
    }


def _uri(file: str) -> str:
    """Return a path as a relative URI."""
    return "".join(letter if PLAIN.fullmatch(letter) else _escaped(letter) for letter in file)


def _escaped(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode(errors="replace"))


def as_github(findings: Iterable[Finding], rules: Mapping[str, Rule]) -> list[str]:
    """Return the findings as commands that GitHub shows beside the lines of a change."""
    return [
        f"::{COMMANDS[rules[item.rule].severity]} file={_property(item.at.file)},line={item.at.line},"
        f"title={_property(item.rule)}::{_message(f'{item.what}: {item.hint}')}"
        for item in findings
    ]


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
