"""Read a collective's files, and find their faults: with our rules, and with compose itself."""

import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from darkpeak import collective as files
from darkpeak import process
from darkpeak.collective.compose_errors import explain
from darkpeak.collective.environment import stale
from darkpeak.collective.ignored import Ignore
from darkpeak.collective.model import Collective, Finding, Service
from darkpeak.collective.resolved import NamedNotReadable, question
from darkpeak.deploy.examine import Examined, examine, judge
from darkpeak.deploy.target import choose
from darkpeak.engine.compose import QUIET, make_compose
from darkpeak.engine.resolve import MOST_LINES, resolve
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.vocabulary import INSTALL_CLIENT

AT_ONCE = 4


@dataclass(frozen=True)
class Checked:
    """A collective and the findings in its files."""

    collective: Collective
    findings: tuple[Finding, ...]
    faults: tuple[Finding, ...] = ()  # those that stop the deploy of a service; the others are for `lint` only
    with_ignored: tuple[Finding, ...] = ()  # also those that a comment ignores
    ignores: tuple[Ignore, ...] = ()
    hidden: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)  # by the services that compose answered for


def check_files(start: Path) -> Checked:
    """Return the collective of a folder, and the findings of all rules; this needs no program and no daemon.

    Raises:
        UsageError: when there is no collective.
    """
    root = files.find_root(start)
    examined: dict[str, Examined] = {}

    def read_one(folder: Path, variables: Mapping[str, str]) -> tuple[Service | None, tuple[Finding, ...]]:
        examined[folder.name] = examine(root, folder, variables)
        return examined[folder.name].service, examined[folder.name].findings

    found, own = files.read_with(root, read_one)
    broken = tuple(finding for finding in own if finding.rule == "toml")
    if broken:  # without collective.toml, every other file would seem to be wrong
        return Checked(found, broken, broken, broken)
    judged = judge(found, own, examined.values())
    ignores = tuple(ignore for one in examined.values() for ignore in one.ignores)
    hidden = {name: one.hidden for name, one in examined.items() if one.hidden is not None}
    return Checked(found, judged.findings, judged.faults, judged.with_ignored, ignores, hidden)


def check_with_compose(collective: Collective, services: Sequence[Service]) -> list[Finding]:
    """Return the findings of compose itself in the files of services; nothing is touched.

    Raises:
        SystemFailure: when compose is not installed.
    """
    running = [service for service in services if service.runs]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        checked = pool.map(lambda one: _ask_compose(collective, one), running)
        return [finding for found in checked for finding in found]


def check_all(checked: Checked, name: str | None) -> list[Finding]:
    """Return all findings about a collective, or about one service, with compose's and the linters', sorted by place.

    Raises:
        UsageError: when there is no such service.
        SystemFailure: when compose is not installed.
    """
    from darkpeak import lint
    from darkpeak.deploy.linters import run_linters
    from darkpeak.lint.ignores import faults, not_ignored

    unread = {item.at.service for item in checked.collective.unread}
    services = [] if name in unread else choose(checked.collective, (name,) if name else ())
    unasked = [service for service in services if service.name not in checked.hidden]
    found = {*checked.with_ignored, *stale(checked.collective), *check_with_compose(checked.collective, unasked)}
    found |= {item for hidden in checked.hidden.values() for item in hidden}
    found |= set(run_linters(checked.collective, services))
    found = {*not_ignored(found, checked.ignores, lint.RULES), *faults(found, checked.ignores, lint.RULES)}
    return sorted(item for item in found if not name or item.at.service == name)


def deployable(checked: Checked, names: Sequence[str] = ()) -> Collective:
    """Return the collective with its faults: the findings that stop the deploy of a service.

    Raises:
        UsageError: when a fault is in a file of the whole collective, or of one of the named services.
    """
    require_sound([item for item in checked.faults if item.at.service in ("", *names)])
    return replace(checked.collective, faults=checked.faults)


def require_sound(findings: Collection[Finding]) -> None:
    """Raise an error if there are findings.

    Raises:
        UsageError: with each finding, its place, and what to do.
    """
    if findings:
        shown = "\n".join(f"  {item.at}: {item.what}\n      {item.hint}" for item in sorted(findings))
        count = files.count(len(findings), "finding")
        services = {item.at.service for item in findings}
        what = "nothing was touched" if "" in services else f"not touched: {', '.join(sorted(services))}"
        raise UsageError(f"the files have {count}; {what}\n{shown}")


def _ask_compose(collective: Collective, service: Service) -> list[Finding]:
    """Return the findings about what compose makes of a service's files; its answer is kept until a file changes."""
    from darkpeak import lint
    from darkpeak.deploy.hidden import find_hidden

    try:
        answer = resolve(question(service.folder, service.files, collective.variables, os.environ))
    except NamedNotReadable:
        return []  # reading the files has found that already
    if isinstance(answer, dict) and answer:
        return find_hidden(service, answer, lint.check_service(service))
    return _run_compose(collective, service)


def _run_compose(collective: Collective, service: Service) -> list[Finding]:
    """Return the finding about the error of compose.

    Raises:
        SystemFailure: when compose is not installed.
    """
    environment = {**process.own_environment(), **collective.variables, **QUIET}
    checked = process.run(make_compose(service, "config", "--quiet"), environment=environment)
    if not checked.code:
        return []
    message = checked.last_lines(MOST_LINES)
    if "is not a docker command" in message or "unknown flag: --ansi" in message:
        raise SystemFailure("docker compose is not installed", hint=INSTALL_CLIENT)
    return [explain(collective.root, service.folder, service.files[0], message)]
