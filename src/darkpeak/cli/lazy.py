"""The group of all commands. It imports the file of a command only when it is used, so that each starts soon."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import click

from darkpeak.cli.contents import CONTENTS


class Commands(Mapping[str, click.Command]):
    """All commands by name; each is imported when it is taken out."""

    def __getitem__(self, name: str) -> click.Command:
        """Import the command's file and return the command."""
        file = import_module(f"darkpeak.cli.{CONTENTS[name][0]}")
        found: click.Command = next(command for command in file.COMMANDS if command.name == name)
        return found

    def __iter__(self) -> Iterator[str]:
        """Yield the names; nothing is imported."""
        return iter(CONTENTS)

    def __len__(self) -> int:
        """Return how many commands there are."""
        return len(CONTENTS)


class LazyGroup(click.Group):
    """The program itself. Its help comes from the table of contents."""

    def __init__(self, *arguments: Any, **values: Any) -> None:
        """Take click's own arguments."""
        super().__init__(*arguments, **values)
        self.commands = Commands()  # type: ignore[assignment]  # nothing is added to it

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, as click does, without importing them."""
        named = {name: click.Command(name, help=about) for name, (_, about) in CONTENTS.items()}
        click.Group(commands=named).format_commands(ctx, formatter)
