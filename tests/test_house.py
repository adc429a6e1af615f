"""The house rules that a machine can hold: imports of each room and of --help, commands explained, sizes."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from darkpeak.cli import root

SOURCE = Path(__file__).parent.parent / "src" / "darkpeak"
PURE = ("collective", "lint", "plan")
OUTSIDE = {"docker", "subprocess", "socket", "requests", "urllib", "http", "asyncio", "ssl", "rich", "click"}
HEAVY = ("docker", "rich", "requests", "yaml", "subprocess", "ldif", "asyncio")


def imports(path: Path) -> set[str]:
    """Return the top-level modules and own rooms that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def files_of(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (SOURCE / room).rglob("*.py"))


@pytest.mark.parametrize("path", files_of(*PURE), ids=lambda path: str(path.relative_to(SOURCE)))
def test_pure_rooms_know_nothing_outside(path: Path) -> None:
    found = imports(path)
    assert not {name.partition(".")[0] for name in found} & OUTSIDE
    rooms = {name.split(".")[1] for name in found if name.startswith("darkpeak.")}
    assert not rooms & {"cli", "engine", "output"}


def test_no_one_knows_the_command_line() -> None:
    others = [path for path in SOURCE.rglob("*.py") if path.parent.name != "cli" and path.name != "__main__.py"]
    assert not [path for path in others if any(name.startswith("darkpeak.cli") for name in imports(path))]


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, darkpeak.cli; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {name for name in loaded if name.partition(".")[0] in HEAVY}


def commands(group: click.Group = root, path: str = "darkpeak") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


@pytest.mark.parametrize(
    ("path", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_shows_an_example_of_itself(path: str, command: click.Command) -> None:
    assert f"Example: {path}" in (command.help or "")
    assert {"host", "folder", "as_json"} <= {parameter.name for parameter in command.params}
    words = (command.help or "").partition("\n")[0]
    assert words.endswith(".")
    assert words[0].isupper()


def test_the_readme_and_the_help_name_the_same_commands() -> None:
    readme = (SOURCE.parent.parent / "README.md").read_text()
    missing = [path for path, _ in commands() if path not in readme]
    assert not missing


def test_functions_and_files_stay_small() -> None:
    long = []
    for path in SOURCE.rglob("*.py"):
        text = path.read_text()
        if text.count("\n") > 400:
            long.append(str(path))
        functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
        long += [node.name for node in functions if (node.end_lineno or 0) - node.lineno > 80]
    assert not long
