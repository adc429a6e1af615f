"""What the shell proposes for an argument or option, by its word in the help, such as SERVICE or HOST.

It reads files only, and no engine: the shell waits for it at each press of the Tab key.
"""

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem

WORD = re.compile(r"[A-Z]+")  # the first one in `[SERVICE…|init]`
LISTED = ("SERVICE", "HOST", "ADMIN")


def add_completion(parameter: click.Parameter) -> None:
    """Let the shell complete a parameter, if its help's word is the name of something in the collective's files."""
    word = WORD.search(parameter.metavar or "")
    if not word or word[0] not in LISTED:
        return
    kind = word[0]

    def propose(context: click.Context, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem

        from darkpeak.collective.listed import LISTS

        root = _root(context)
        names = LISTS[kind](root) if root else []
        typed = context.params.get(parameter.name or "")
        others = typed if isinstance(typed, tuple) else ()
        return [CompletionItem(name) for name in names if name.startswith(incomplete) and name not in others]

    parameter.shell_complete = propose  # type: ignore[method-assign, assignment]


def _root(context: click.Context) -> "Path | None":
    """Return the collective's folder: the one that was typed, or else the nearest one from here upwards."""
    from pathlib import Path

    from darkpeak.collective import find_root
    from darkpeak.errors import UsageError

    typed = (item.params.get("folder") for item in (context, context.find_root()))
    try:
        return find_root(Path(next((folder for folder in typed if folder), "")).absolute())
    except UsageError:
        return None
