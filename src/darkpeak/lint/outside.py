"""What linters from outside say, as findings: shellcheck about scripts, hadolint about Dockerfiles. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from darkpeak.collective.model import Finding, Place
from darkpeak.lint.rule import NOTE, WARNING, Rule

# What these say of pinned versions, upgrades, RUN lines, users by name and pipefail is against the guide. Shell form is
# a rule here.
LEFT_OUT = ("DL3005", "DL3008", "DL3025", "DL3059", "DL3066", "DL4006")
FOLLOWED = ("SC1090", "SC1091", "SC2154")  # about files that a script reads, which shellcheck must not follow
SHELLS = ("sh", "dash", "bash")


def is_shell(text: str) -> bool:
    """Return whether a text is a shell script, by its first line."""
    first = text.partition("\n")[0]
    words = first.removeprefix("#!").replace("/", " ").split()
    return first.startswith("#!") and any(word in SHELLS for word in words)


def read_shellcheck(output: str) -> dict[str, list[list[Any]]]:
    """Return line and message of each comment of `shellcheck -f json1`, by file."""
    found: dict[str, list[list[Any]]] = {}
    for item in json.loads(output)["comments"]:
        found.setdefault(item["file"], []).append([item["line"], f"SC{item['code']}: {item['message']}"])
    return found


def read_hadolint(output: str) -> dict[str, list[list[Any]]]:
    """Return line and message of each finding of `hadolint -f json`, by file."""
    found: dict[str, list[list[Any]]] = {}
    for item in json.loads(output):
        if item["code"].startswith("DL"):  # it also passes on what shellcheck says, and what our own rules find
            found.setdefault(item["file"], []).append([item["line"], f"{item['code']}: {item['message']}"])
    return found


def make_findings(rule: str, file: str, found: list[list[Any]]) -> Iterator[Finding]:
    """Yield the findings of one linter in one file."""
    for line, message in found:
        code = message.partition(":")[0]
        page = (
            f"https://www.shellcheck.net/wiki/{code}"
            if rule == "shellcheck"
            else "https://github.com/hadolint/hadolint"
        )
        yield Finding(Place(file, max(1, line)), rule, " ".join(message.split()).rstrip("."), f"fix it; see {page}")


RULES = (
    Rule(
        "shellcheck",
        WARNING,
        "A script that works today can lose data when a name has a space. shellcheck knows such mistakes.",
        "fix the line as shellcheck says",
    ),
    Rule(
        "hadolint",
        NOTE,
        "hadolint knows mistakes in Dockerfiles that others have made.",
        "fix the line as hadolint says",
    ),
)
