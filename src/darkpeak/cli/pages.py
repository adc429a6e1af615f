"""Commands about the tool itself: its documentation, and the completion of its commands in a shell."""

import re
from collections.abc import Mapping
from pathlib import Path

import click

from darkpeak import catalogue
from darkpeak.cli.common import Settings, command
from darkpeak.errors import UsageError

ENTRY = re.compile(r"^\* (.*\]\((\w+)\.md\).*)$", re.MULTILINE)
LINK = re.compile(r"\[([^\]]+)\]\((\w+)\.md(?:#[^)]*)?\)")


@command("help")
@click.argument("topic", metavar="[TOPIC]", required=False)
@click.pass_context
def help_command(context: click.Context, settings: Settings, topic: str | None) -> None:
    """Show a page of the documentation, or list them.

    On a terminal, a pager shows the page; q leaves it.

    \b
    Example: darkpeak help backup
    """
    from darkpeak import output

    pages = catalogue.pages()
    titles = _titles(pages)
    if topic is None:
        rows = [{"topic": name, "about": about} for name, about in titles.items()]
        if settings.as_json:
            output.show_json(rows)
        else:
            output.show_table(("topic", "about"), [list(row.values()) for row in rows])
        return
    if topic not in pages:
        raise _unknown(topic, list(pages), context.find_root().command)
    text = pages[topic].read_text(encoding="utf-8")
    if settings.as_json:
        output.show_json({"topic": topic, "about": titles[topic], "text": text})
    else:
        output.show_page(LINK.sub(_as_topic, text))


def _titles(pages: Mapping[str, Path]) -> dict[str, str]:
    """Return what each page is about: its line in the list of the front page, without the link."""
    front = catalogue.front_page().read_text(encoding="utf-8")
    lines = {found[2]: LINK.sub(r"\1", found[1]).rstrip(".") for found in ENTRY.finditer(front)}
    return {name: lines.get(name, "") for name in pages}


def _as_topic(link: re.Match[str]) -> str:
    """Return what leads to another page on a terminal, where a link leads nowhere."""
    text, name = link[1], link[2]
    if name not in catalogue.pages():
        return text
    return f"`darkpeak help {name}`" if text == f"{name}.md" else f"{text} (`darkpeak help {name}`)"


def _unknown(topic: str, topics: list[str], root: click.Command) -> UsageError:
    from difflib import get_close_matches

    near = get_close_matches(topic.lower(), topics, n=3, cutoff=0.5) or [name for name in topics if topic[:3] in name]
    if isinstance(root, click.Group) and topic in root.commands:
        hint = f"this is a command; for its help: darkpeak {topic} --help"
    elif near:
        hint = f"did you mean {' or '.join(near)}? Show it: darkpeak help {near[0]}"
    else:
        hint = "list the topics: darkpeak help"
    return UsageError(f"there is no page about {topic!r}", hint=hint)


@command("completion")
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, settings: Settings, shell: str) -> None:
    """Print what makes a shell complete darkpeak's commands.

    The Tab key then completes commands, options, and the names of services, hosts and admins. Write the output into the
    file from which your shell reads completions:

    \b
      bash  ~/.local/share/bash-completion/completions/darkpeak
      zsh   a file _darkpeak in a folder of $fpath
      fish  ~/.config/fish/completions/darkpeak.fish

    \b
    Example: darkpeak completion bash >~/.local/share/bash-completion/completions/darkpeak
    """
    from click.shell_completion import get_completion_class

    from darkpeak import output

    kind = get_completion_class(shell)
    assert kind  # noqa: S101 (click has these three)
    script = kind(context.find_root().command, {}, "darkpeak", "_DARKPEAK_COMPLETE").source().strip()
    if settings.as_json:
        output.show_json({"shell": shell, "script": script})
    else:
        output.show_lines([script])


COMMANDS = (help_command, completion)
