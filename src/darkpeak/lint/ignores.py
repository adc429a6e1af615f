"""Comments that ignore a finding: `# darkpeak: ignore[RULE] because …`, on its line or on the line above. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from darkpeak.collective.ignored import Ignore
from darkpeak.collective.model import Container, Finding, Place, Service
from darkpeak.collective.text import read_or_empty
from darkpeak.lint.rule import WARNING, Rule

WORD = "darkpeak: ignore"
COMMENT = re.compile(r"#\s*darkpeak:\s*ignore\b\s*(?:\[(?P<rules>[^\]]*)\])?\s*(?:because\s+(?P<because>\S.*))?")
FORM = "write # darkpeak: ignore[RULE] because …"


def read_ignores(service: Service) -> list[Ignore]:
    """Return the comments in the compose files, Dockerfiles, scripts and programs of a service."""
    folder = service.at.file.rpartition("/")[0]
    return [
        ignore
        for path in _files(service)
        for ignore in parse(f"{folder}/{path.relative_to(service.folder)}", read_or_empty(path))
    ]


def parse(file: str, text: str) -> Iterator[Ignore]:
    """Yield the comments in one file."""
    if WORD not in text:
        return
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        found = COMMENT.search(line)
        if found:
            covered = {number}
            if line.lstrip().startswith("#"):
                below = range(number + 1, len(lines) + 1)
                covered |= {next((n for n in below if not lines[n - 1].lstrip().startswith("#")), number)}
                covered |= {1} if number == 2 else set()  # noqa: PLR2004 (nothing can be above a #! line)
            for rule in (found["rules"] or "").split(","):
                yield Ignore(Place(file, number), frozenset(covered), rule.strip(), (found["because"] or "").strip())


def _files(service: Service) -> Iterator[Path]:
    yield from (service.folder / name for name in service.files)
    yield from (service.folder / override.file for override in service.overrides)
    yield from (service.folder / name for one in service.containers for name, _ in one.parts if _may_have(one, name))
    scripts = service.folder / "scripts"
    yield from (sorted(scripts.iterdir()) if scripts.is_dir() else ())


def _may_have(container: Container, name: str) -> bool:
    """Return whether a file of a container is its Dockerfile or a program, for which there are rules."""
    return name == container.dockerfile.file or name.endswith("Dockerfile") or "/bin/" in name


def not_ignored(findings: Iterable[Finding], ignores: Collection[Ignore], rules: Mapping[str, Rule]) -> list[Finding]:
    """Return the findings that no comment with a reason ignores, sorted; some rules cannot be ignored."""
    valid = [item for item in ignores if not _fault(item, rules)]
    return sorted({item for item in findings if not any(ignore.hits(item) for ignore in valid)})


def faults(findings: Collection[Finding], ignores: Iterable[Ignore], rules: Mapping[str, Rule]) -> Iterator[Finding]:
    """Yield a finding for each comment that ignores nothing: it is wrong, or there is no such finding any more."""
    for item in ignores:
        fault = _fault(item, rules)
        if fault:
            yield Finding(item.at, "bad-ignore", *fault)
        elif not any(item.hits(finding) for finding in findings):
            what = f"there is no finding {item.rule} to ignore here"
            yield Finding(item.at, "unused-ignore", what, "remove the comment, or move it to the line of the finding")


def _fault(item: Ignore, rules: Mapping[str, Rule]) -> tuple[str, str] | None:
    """Return what is wrong with a comment, and what to do; None if it is right."""
    if item.rule not in rules:
        what = f"there is no rule {item.rule}" if item.rule else "the comment names no rule to ignore"
        return what, f"{FORM}; darkpeak rules lists them"
    if not rules[item.rule].can_be_ignored:
        what = f"{item.rule} cannot be ignored: it guards other services, or the service cannot work"
        return what, rules[item.rule].fix
    if not item.because:
        return f"the comment does not say why {item.rule} is ignored", FORM
    return None


RULES = (
    Rule("bad-ignore", WARNING, "A finding is ignored for a reason, so that others can judge it later.", FORM),
    Rule(
        "unused-ignore",
        WARNING,
        "A comment that ignores nothing hides the next finding on its line.",
        "remove the comment",
    ),
)
