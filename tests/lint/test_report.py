"""Findings as SARIF 2.1.0, as annotations, as JSON and as text."""

from darkpeak.collective.model import Finding, Place
from darkpeak.lint import RULES
from darkpeak.lint.report import as_github, as_json, as_sarif, as_text

FINDINGS = [
    Finding(Place("services/wiki/a b.yml", 3), "root-on-host", "webserver is privileged", "remove it"),
    Finding(Place("services/wiki/a b.yml", 9), "no-pids-limit", "100 %: a,b\nc", "write it"),
    Finding(Place("services/wiki/é,y:50%", 1), "secret", "it", "do"),
]


def test_sarif_has_the_shape_of_its_standard() -> None:
    """The whole value, as the standard names its parts; the schema itself is 3,000 lines."""
    sarif = as_sarif(FINDINGS, RULES)
    assert (sarif["version"], sarif["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    [run] = sarif["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "darkpeak"
    assert [rule["id"] for rule in driver["rules"]] == ["no-pids-limit", "root-on-host", "secret"]
    assert {rule["defaultConfiguration"]["level"] for rule in driver["rules"]} == {"note", "error", "warning"}
    for finding, result in zip(FINDINGS, run["results"], strict=True):
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == finding.rule
        [location] = result["locations"]
        assert location["physicalLocation"]["region"] == {"startLine": finding.at.line}
    first = run["results"][0]
    assert first["level"] == "error"
    assert first["message"] == {"text": "webserver is privileged. remove it"}
    uris = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]]
    assert uris == ["services/wiki/a%20b.yml", "services/wiki/a%20b.yml", "services/wiki/%C3%A9%2Cy%3A50%25"]


def test_no_findings_are_a_run_without_results() -> None:
    [run] = as_sarif([], RULES)["runs"]
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])


def test_annotations_escape_what_the_workflow_would_read() -> None:
    assert as_github(FINDINGS, RULES) == [
        "::error file=services/wiki/a b.yml,line=3,title=root-on-host::webserver is privileged: remove it",
        "::notice file=services/wiki/a b.yml,line=9,title=no-pids-limit::100 %25: a,b\\nc: write it",
        "::warning file=services/wiki/é%2Cy%3A50%25,line=1,title=secret::it: do",
    ]


def test_text_and_json_have_the_severity() -> None:
    assert as_text(FINDINGS, RULES)[0] == (
        "services/wiki/a b.yml:3: error: webserver is privileged [root-on-host]\n    remove it"
    )
    assert as_json(FINDINGS, RULES)[2] == {
        "at": "services/wiki/é,y:50%:1",
        "severity": "warning",
        "rule": "secret",
        "what": "it",
        "hint": "do",
    }
