"""Write the fixes of lint's findings, if git can undo them."""

from collections.abc import Sequence
from pathlib import Path

from darkpeak import process
from darkpeak.collective.content import replace_file
from darkpeak.collective.model import Finding
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.lint.fixes import Fix, make_fixes

READ = 0o444


def fix(root: Path, findings: Sequence[Finding]) -> tuple[Fix, ...]:
    """Write all fixes of these findings; return them. Only files that are in git as they are here are changed.

    Raises:
        UsageError: when one of the files is not committed; nothing was written.
        SystemFailure: when one cannot be written.
    """
    fixes = tuple(make_fixes(root, findings))
    _require_committed(root, [item.file for item in fixes])
    for item in fixes:
        try:
            _write(item)
        except OSError as error:
            what = f"{item.file} cannot be written: {error.strerror}; files before it were"
            raise SystemFailure(what, hint="go back: git checkout -- services") from error
    return fixes


def _write(item: Fix) -> None:
    if item.after != item.before:
        replace_file(item.path, item.after)
    if item.executable:
        mode = item.path.stat().st_mode
        item.path.chmod(mode | (mode & READ) >> 2)


def _require_committed(root: Path, files: Sequence[str]) -> None:
    if not files:
        return
    hint = "commit first, so that git can undo the fixes: git commit -a"
    try:
        done = process.run(("git", "-C", str(root), "status", "--porcelain", "--ignored", "--", *files))
    except SystemFailure as error:
        raise UsageError("git is not installed, so nothing could be undone; nothing was touched") from error
    if done.code:
        raise UsageError("the collective is not in git; nothing was touched", hint=hint)
    changed = [line[3:] for line in done.text.splitlines()]
    if changed:
        what = f"not committed: {', '.join(changed)}; nothing was touched"
        raise UsageError(what, hint=hint)
