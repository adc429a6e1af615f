"""The page of all rules, as Markdown, made from the rules; `bin/reference` writes it."""

import re
import sys
from collections.abc import Iterator

from darkpeak.lint import FAMILIES
from darkpeak.lint.rule import Rule

HEAD = """\
# The rules

Made from the code by `bin/reference`; `darkpeak rules` prints the same. `darkpeak lint` checks the files of a
collective against these rules.

* An **error** stops the deploy of the service in whose folder it is, and of the services that depend on it. All others
  are deployed.
* A **warning** stops nothing, but `darkpeak lint` ends with exit code 1.
* A **note** is advice. It changes no exit code.
"""


def make_rules_page() -> str:
    """Return the page: for each rule its severity, its reason and its fix."""
    lines = [line for family in FAMILIES for line in _family(family.__doc__ or "", family.RULES)]
    return HEAD + "\n".join(lines).rstrip() + "\n"


def _family(title: str, rules: tuple[Rule, ...]) -> Iterator[str]:
    first = re.split(r"[:;.]", title)[0]
    yield f"\n## {first}\n"
    for rule in rules:
        ignored = "" if rule.can_be_ignored else "; cannot be ignored"
        yield f"### {rule.id}\n"
        yield f"**{rule.severity}**{ignored}. {rule.reason}\n"
        page = rule.page.removeprefix("docs/")
        yield f"Fix: {rule.fix}. More: [{page}]({page}).\n"


def main() -> None:
    """Print the page."""
    sys.stdout.write(make_rules_page())


if __name__ == "__main__":
    main()
