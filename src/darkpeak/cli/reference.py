"""What is made from the commands: their reference, the table of contents, the help; `bin/reference` writes all."""

import inspect
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

from darkpeak.__main__ import WIDTH
from darkpeak.cli.common import shared_options

HEAD = """\
# The commands

Made from the code by `bin/reference`; `darkpeak COMMAND --help` prints the same.

Every command takes these options, before or after its name:

"""
CONTENTS = '''\
"""The table of contents: each command's file, and what it does. Made from the code by `bin/reference`."""

CONTENTS = {
'''
LONGEST = 200  # characters of what a command does
EXIT_CODES = """
Exit codes: 0 done; 1 a check failed (lint findings, a failed drill, pending changes); 2 wrong use or bad input, nothing
was touched; 3 the daemon or another system failed.
"""


def make_reference(root: click.Group) -> str:
    """Return the page: the shared options, those of darkpeak itself, then each command with its help and its own."""
    shared = {str(option.name) for option in shared_options()}
    ours = [option for option in root.params if option.name not in shared]
    lines = [
        *_options(shared_options()),
        EXIT_CODES,
        "Without a command, `darkpeak` takes these:\n",
        *_options(ours),
        "",
    ]
    for name in sorted(root.commands):
        lines += _command(root.commands[name], f"darkpeak {name}", shared)
    return HEAD + "\n".join(lines).rstrip() + "\n"


def _command(command: click.Command, path: str, shared: set[str]) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _command(command.commands[name], f"{path} {name}", shared)
        return
    context = click.Context(command, info_name=path)
    arguments = " ".join(item.make_metavar(context) for item in command.params if isinstance(item, click.Argument))
    yield f"## {path}\n"
    yield f"    {path} {arguments}".rstrip() + "\n"
    yield from _help(command)
    own = list(_options([item for item in command.params if item.name not in shared]))
    yield from [*own, ""] if own else []


def _help(command: click.Command) -> Iterator[str]:
    """Yield the help's paragraphs; the example comes last, as code."""
    text = inspect.cleandoc(command.help or "").replace("\b\n", "")
    before, _, example = text.partition("Example: ")
    yield before.strip() + "\n"
    yield f"Example: `{example.strip()}`\n"


def _options(parameters: "list[click.Parameter]") -> Iterator[str]:
    options = [item for item in parameters if isinstance(item, click.Option) and not item.hidden]
    if options:
        yield "| option | |\n|---|---|"
    for option in options:
        metavar = (
            f" {option.metavar or option.name.upper()}" if option.name and not (option.is_flag or option.count) else ""
        )
        names = ", ".join(f"`{name}{metavar}`" for name in option.opts)
        default = f" (default {option.default})" if option.show_default else ""
        yield f"| {names} | {option.help}{default} |"


def make_contents() -> str:
    """Return the file contents.py: for each command its file, and the first sentence of its help."""
    found = {}
    for file in sorted(Path(__file__).parent.glob("*.py")):
        for command in getattr(import_module(f"darkpeak.cli.{file.stem}"), "COMMANDS", ()):
            found[command.name] = (file.stem, command.get_short_help_str(LONGEST))
    rows = (f'    "{name}": ("{file}", {json.dumps(about)}),\n' for name, (file, about) in sorted(found.items()))
    return f"{CONTENTS}{''.join(rows)}}}\n"


def make_help(root: click.Group) -> str:
    """Return what `darkpeak --help` prints on a terminal with 80 columns or more."""
    with root.make_context("darkpeak", ["help"], terminal_width=WIDTH - 2) as context:
        return f"{root.get_help(context)}\n"


def main() -> None:
    """Print the page; with `contents` the table of contents, with `help` the help."""
    from darkpeak.cli import root

    match sys.argv[1:]:
        case ["contents"]:
            made = make_contents()
        case ["help"]:
            made = make_help(root)
        case _:
            made = make_reference(root)
    sys.stdout.write(made)


if __name__ == "__main__":
    main()
