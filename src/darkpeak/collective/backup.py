"""`[backup]` of collective.toml: the repositories, and how many snapshots are kept."""

from collections.abc import Iterator
from typing import Any

from darkpeak.collective.model import Finding, Place
from darkpeak.collective.repository_url import parse
from darkpeak.collective.settings import Backup, Keep
from darkpeak.collective.tree import toml_line
from darkpeak.errors import UsageError
from darkpeak.vocabulary import COLLECTIVE_FILE

KEYS = ("repositories", "keep")
KEEP_KEYS = ("daily", "weekly", "monthly")


def read_backup(text: str, data: Any) -> tuple[Backup, list[Finding]]:
    """Return the settings and the findings; wrong settings are left out."""
    if not isinstance(data, dict):
        return Backup(), []  # read.py has a finding for a wrong type
    findings = list(_wrong(text, data))
    repositories = data.get("repositories")
    named = [name for name in repositories if isinstance(name, str)] if isinstance(repositories, list) else []
    keep = data.get("keep")
    wanted = {key: value for key, value in keep.items() if _is_count(value)} if isinstance(keep, dict) else {}
    sound = tuple(dict.fromkeys(name for name in named if not _complaint(name)))
    return Backup(sound, Keep(**{key: value for key, value in wanted.items() if key in KEEP_KEYS})), findings


def _wrong(text: str, data: dict[str, Any]) -> Iterator[Finding]:
    for key in data:
        if key not in KEYS:
            yield _finding(text, (key,), "unknown-key", f"unknown key {key}", f"the known keys are {', '.join(KEYS)}")
    repositories = data.get("repositories", [])
    if not isinstance(repositories, list) or not all(isinstance(name, str) for name in repositories):
        hint = 'write repositories = ["sftp:backup@nas.example:/darkpeak"]'
        yield _finding(text, ("repositories",), "wrong-type", "repositories must be a list of texts in quotes", hint)
    else:
        for name in repositories:
            error = _complaint(name)
            if error:
                yield _finding(text, ("repositories",), "repository", error.message, error.hint)
    keep = data.get("keep", {})
    if not isinstance(keep, dict):
        hint = "write keep = {daily = 7, weekly = 4, monthly = 12}"
        yield _finding(text, ("keep",), "wrong-type", "keep must be a table", hint)
        return
    for key, value in keep.items():
        if key not in KEEP_KEYS:
            yield _finding(
                text, ("keep",), "unknown-key", f"unknown key {key}", f"the known keys are {', '.join(KEEP_KEYS)}"
            )
        elif not _is_count(value):
            yield _finding(text, ("keep",), "wrong-type", f"{key} must be a number", f"write {key} = 7")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _complaint(name: str) -> UsageError | None:
    try:
        parse(name)
    except UsageError as error:
        return error
    return None


def _finding(text: str, path: tuple[str, ...], rule: str, what: str, hint: str) -> Finding:
    return Finding(Place(COLLECTIVE_FILE, toml_line(text, "backup", *path)), rule, what, hint)
