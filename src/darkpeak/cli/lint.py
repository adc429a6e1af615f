"""Commands about the rules: check the files against them, and explain them."""

import sys
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import UsageError

if TYPE_CHECKING:
    from darkpeak.lint.rule import Rule


@command("lint")
@click.argument("name", metavar="[SERVICE]", required=False)
def lint(settings: Settings, name: str | None) -> None:
    """Check the files against the rules, and with compose itself.

    An error stops the deploy of a service; a warning or a note does not.

    Exits 1 if there are errors or warnings.

    \b
    Example: darkpeak lint wiki
    """
    from darkpeak import output
    from darkpeak.collective import count
    from darkpeak.deploy.check import check_all
    from darkpeak.lint import severity_of
    from darkpeak.lint.rule import NOTE

    findings = check_all(settings.checked(), name)
    if settings.as_json:
        output.show_json(
            [
                {"at": str(f.at), "severity": severity_of(f), "rule": f.rule, "what": f.what, "hint": f.hint}
                for f in findings
            ]
        )
    else:
        output.show_lines(f"{f.at}: {severity_of(f)}: {f.what} [{f.rule}]\n    {f.hint}" for f in findings)
        output.note(count(len(findings), "finding") if findings else "no findings")
    sys.exit(1 if any(severity_of(finding) is not NOTE for finding in findings) else 0)


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
