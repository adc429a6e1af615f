"""The house rules that a machine can hold: what each room may import, what is pure, where programs start, sizes."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from darkpeak.cli import root

TOP = Path(__file__).parent.parent
SOURCE = TOP / "src" / "darkpeak"
LEAVES = {"errors", "progress", "result", "trace", "vocabulary"}
# Each room, and the rooms that it may import beside the leaves. docs/house.md says why.
ROOMS = {
    "caller": {"process"},
    "network": set(),
    "output": set(),
    "process": set(),
    "collective": set(),
    "router": set(),
    "members": set(),
    "lint": {"collective"},
    "plan": {"collective", "router"},
    "names": {"process"},
    "engine": {"caller", "collective", "network", "plan", "process"},
    "deploy": {"collective", "engine", "plan", "router"},
    "evidence": {"caller", "collective", "engine"},
    "helper": {"collective", "engine", "process"},
    "repository": {"collective", "helper", "process"},
    "schedule": {"engine", "evidence", "process"},
    "system": {"collective", "engine"},
    "vm": {"collective", "engine", "network", "process", "system"},
    "actions": {
        *("caller", "collective", "deploy", "engine", "evidence", "helper", "lint", "members", "plan", "process"),
        *("repository", "router", "schedule"),
    },
}
OUTSIDE = {"docker", "subprocess", "socket", "requests", "urllib", "http", "asyncio", "ssl", "rich", "click", "os"}
HEAVY = ("docker", "rich", "requests", "yaml", "subprocess", "ldif", "asyncio", "logging")
# Where what comes from elsewhere is imported: one door each.
DOORS = {
    "subprocess": {"process.py", "helper/image/docker.py", "helper/image/script.py"},
    "docker": {"engine/engine.py", "engine/endpoint.py"},
    "rich": {"output.py"},
    "apprise": {"schedule/notices.py"},
    "requests": {"schedule/notices.py"},
    "ldif": {"members/ldif_text.py"},
    "pyrage": {"repository/key.py"},
    "yaml": {"collective/tree.py"},
}
LARGEST_ROOM = 0.15


def python_files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def room_of(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports, wherever in it: `darkpeak.plan.plan`, `docker.errors`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in inner if is_module(name)} or {node.module}
    return found


def is_module(name: str) -> bool:
    path = SOURCE.parent / name.replace(".", "/")
    return name.startswith("darkpeak.") and (path.with_suffix(".py").is_file() or path.is_dir())


def rooms_imported(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(path) if name.startswith("darkpeak.")}


def is_pure(path: Path) -> bool:
    """Whether a file says so of itself, or its room does."""
    files = [file for file in (path, path.parent / "__init__.py") if file.is_file()]
    words = [(ast.get_docstring(ast.parse(file.read_text())) or "").replace("\n", " ") for file in files]
    return any(" Pure" in text for text in words)


@pytest.mark.parametrize("path", python_files(), ids=named)
def test_a_room_imports_what_lies_below_it(path: Path) -> None:
    room = room_of(path)
    if room in {"__init__", "__main__", "cli"}:
        return
    allowed = LEAVES | {room} | ROOMS.get(room, set())
    assert rooms_imported(path) <= allowed


def test_every_room_is_in_the_map() -> None:
    there = {room_of(path) for path in python_files()} - {"__init__", "__main__", "cli"}
    assert there == set(ROOMS) | LEAVES
    assert [room for room in there if f"{room}" not in (TOP / "docs/house.md").read_text()] == []


@pytest.mark.parametrize("path", [path for path in python_files() if is_pure(path)], ids=named)
def test_what_is_called_pure_knows_nothing_outside(path: Path) -> None:
    found = imports(path)
    assert not {name.partition(".")[0] for name in found} & OUTSIDE - ({"os"} if room_of(path) in READERS else set())
    own = [SOURCE.parent / name.replace(".", "/") for name in found if name.startswith("darkpeak.")]
    modules = [item.with_suffix(".py") if item.with_suffix(".py").is_file() else item / "__init__.py" for item in own]
    assert [named(item) for item in modules if not (is_pure(item) or room_of(item) in LEAVES)] == []


READERS = {"collective", "lint"}  # pure but for reading the collective's own files


@pytest.mark.parametrize("library", DOORS)
def test_what_is_outside_has_one_door(library: str) -> None:
    users = {named(path) for path in python_files() if library in {name.partition(".")[0] for name in imports(path)}}
    assert users <= DOORS[library]


def test_no_room_is_the_whole_house() -> None:
    sizes: dict[str, int] = {}
    for path in python_files():
        sizes[room_of(path)] = sizes.get(room_of(path), 0) + path.read_text().count("\n")
    assert {room for room, lines in sizes.items() if lines > LARGEST_ROOM * sum(sizes.values())} == set()


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, darkpeak.cli; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {name for name in loaded if name.partition(".")[0] in HEAVY}


def test_no_cause_is_thrown_away() -> None:
    assert [named(path) for path in python_files() if " from None" in path.read_text()] == []


def test_only_output_prints() -> None:
    printing = [
        named(path)
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert printing == []


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
    assert {"host", "folder", "as_json", "verbosity"} <= {parameter.name for parameter in command.params}
    words = (command.help or "").partition("\n")[0]
    assert words.endswith(".")
    assert words[0].isupper()


def test_the_readme_and_the_help_name_the_same_commands() -> None:
    readme = (TOP / "README.md").read_text()
    missing = [path for path, _ in commands() if path not in readme]
    assert not missing


def test_functions_and_files_stay_small() -> None:
    long = []
    for path in python_files():
        text = path.read_text()
        if text.count("\n") > 340:
            long.append(named(path))
        functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
        long += [node.name for node in functions if (node.end_lineno or 0) - node.lineno > 60]
    assert not long
