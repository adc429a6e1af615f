"""Merge what changed in the catalogue into a service's own files: which file becomes what. Pure but for `merge`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff

from darkpeak.collective.content import File, Files

ALIKE = 0.6  # so much of a text must be the same in a renamed file
BINARY = "(not text)"
# Merges three texts, those of one's own, before and now; returns the merged text, and whether parts of it conflict.
Merge = Callable[[bytes, bytes, bytes], tuple[bytes, bool]]


@dataclass(frozen=True)
class Change:
    """What happens to a file of a service: its new content, or None to remove it; and why it conflicts, if it does."""

    name: str
    file: File | None
    conflict: str = ""


def merge_files(own: Files, before: Files, now: Files, merge: Merge) -> tuple[Change, ...]:
    """Return what changes in a service's files, when the catalogue's were `before`, and are those of `now`."""
    moved = renamed(before, now)
    changes = list(_moves(own, before, now, moved, merge))
    done = {*moved, *moved.values()}
    for name in sorted((before.keys() | now.keys()) - done):
        change = _merge_one(name, own.get(name), before.get(name), now.get(name), merge)
        changes += [change] if change else []
    return tuple(sorted(changes, key=lambda change: change.name))


def renamed(before: Files, now: Files) -> dict[str, str]:
    """Return the new name of each file that has another name now; its content may have changed a little."""
    new = sorted(now.keys() - before.keys())
    found: dict[str, str] = {}
    for name in sorted(before.keys() - now.keys()):
        rated = [(_alike(before[name], now[other]), other) for other in new if other not in found.values()]
        best = max(rated, default=(0.0, ""))
        if best[0] >= ALIKE:
            found[name] = best[1]
    return found


def show_diff(before: Files, now: Files) -> Iterator[str]:
    """Yield the lines of a unified diff between all files."""
    moved = renamed(before, now)
    for name in sorted((before.keys() | now.keys()) - set(moved.values())):
        other = moved.get(name, name)
        yield from _diff(name, other, before.get(name), now.get(other))


def _moves(own: Files, before: Files, now: Files, moved: dict[str, str], merge: Merge) -> Iterator[Change]:
    for old, new in moved.items():
        if new in own and own[new] != now[new]:
            yield Change(new, own[new], f"the catalogue calls {old} so now, but there is another file")
            continue
        change = _merge_one(new, own.get(old), before[old], now[new], merge)
        if old in own:
            yield Change(old, None)
            yield change or Change(new, own[old])
        elif change:
            yield change


def _merge_one(name: str, own: File | None, before: File | None, now: File | None, merge: Merge) -> Change | None:
    """Return what happens to one file; None if nothing does."""
    if now in (before, own):
        return None
    if own == before:
        return Change(name, now)
    if own is None:
        return Change(name, None, "was removed here, and changed in the catalogue: not added again")
    if now is None:
        return Change(name, own, "was changed here, and removed in the catalogue: kept")
    return _merge_content(name, own, before, now, merge)


def _merge_content(name: str, own: File, before: File | None, now: File, merge: Merge) -> Change:
    program = own.program if before and now.program == before.program else now.program
    if before and own.content == before.content:
        return Change(name, File(now.content, program))
    if before and now.content == before.content:
        return Change(name, File(own.content, program))
    if own.content == now.content:
        return Change(name, File(own.content, program))
    if own.text is None or now.text is None or (before and before.text is None):
        return Change(name, own, "is not text, and was changed here and in the catalogue: kept")
    content, conflicts = merge(own.content, before.content if before else b"", now.content)
    return Change(name, File(content, program), "was changed in the same lines: see the markers" if conflicts else "")


def _alike(one: File, other: File) -> float:
    if one.content == other.content:
        return 1.0
    if one.text is None or other.text is None:
        return 0.0
    return SequenceMatcher(None, one.text.splitlines(), other.text.splitlines(), autojunk=False).ratio()


def _diff(old: str, new: str, before: File | None, now: File | None) -> Iterator[str]:
    if before == now and old == new:
        return
    if old != new:
        yield from (f"rename from {old}", f"rename to {new}")
    if before and now and before.program != now.program:
        yield f"mode of {new}: {'a program' if now.program else 'no program'} now"
    one, other = ("" if file is None else file.text for file in (before, now))
    if one is None or other is None:
        yield f"{new} {BINARY} differs"
        return
    files = ("/dev/null" if before is None else f"a/{old}", "/dev/null" if now is None else f"b/{new}")
    lines = unified_diff(one.splitlines(), other.splitlines(), *files, lineterm="")
    yield from lines
