"""The house rules that a test can check: what each room may import, what is pure, which file starts programs, sizes."""

import ast
import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from darkpeak.cli import root
from darkpeak.cli.contents import CONTENTS

TOP = Path(__file__).parent.parent
SOURCE = TOP / "src" / "darkpeak"
LEAVES = {"errors", "progress", "result", "trace", "vocabulary"}
# Each room, and the rooms that it may import besides the shared files. docs/house.md says why.
ROOMS = {
    "caller": {"process"},
    "catalogue": set(),
    "folders": set(),
    "network": set(),
    "output": set(),
    "process": set(),
    "threads": set(),
    "collective": set(),
    "router": set(),
    "members": set(),
    "mail": set(),
    "uptime": {"collective"},
    "site": {"uptime"},
    "lint": {"collective"},
    "plan": {"collective", "router"},
    "names": {"process"},
    "engine": {"caller", "collective", "network", "plan", "process"},
    "deploy": {"collective", "engine", "evidence", "folders", "lint", "plan", "process", "router", "threads"},
    "evidence": {"caller", "collective", "engine", "plan"},
    "levels": {"collective", "evidence", "lint", "plan", "uptime"},
    "packages": {"engine", "process"},
    "helper": {"collective", "engine", "folders", "process"},
    "repository": {"collective", "helper", "process"},
    "schedule": {"engine", "evidence", "process"},
    "system": {"collective", "engine"},
    "vm": {"collective", "engine", "network", "process", "system"},
    "actions": {
        *(
            "caller",
            "collective",
            "deploy",
            "engine",
            "evidence",
            "folders",
            "helper",
            "levels",
            "lint",
            "mail",
            "members",
            "packages",
            "plan",
            "process",
        ),
        *("repository", "router", "schedule", "site", "uptime"),
    },
    "life": {
        "actions",
        "caller",
        "catalogue",
        "collective",
        "deploy",
        "engine",
        "evidence",
        "lint",
        "members",
        "plan",
        "process",
        "repository",
        "router",
    },
    "trial": {
        "actions",
        "collective",
        "deploy",
        "engine",
        "evidence",
        "helper",
        "lint",
        "plan",
        "process",
        "repository",
    },
}
OUTSIDE = {"docker", "subprocess", "socket", "requests", "urllib", "http", "asyncio", "ssl", "rich", "click", "os"}
HEAVY = ("docker", "rich", "requests", "yaml", "subprocess", "ldif", "asyncio", "logging", "jinja2", "babel")
# Each library from outside, and the files that may import it.
DOORS = {
    "subprocess": {"process.py", "helper/image/docker.py", "helper/image/script.py"},
    "dns": {"mail/lookup.py"},
    "docker": {"engine/logins.py"},
    "rich": {"output.py"},
    "apprise": {"schedule/notices.py"},
    "requests": {"packages/registry.py", "schedule/notices.py"},
    "ldif": {"members/ldif_text.py"},
    "pyrage": {"repository/key.py"},
    "babel": {"site/pages.py", "site/words.py"},
    "jinja2": {"site/pages.py"},
    "markdown_it": {"site/pages.py"},
    "yaml": {"collective/limits.py", "collective/parsed.py"},
}
LARGEST_ROOM = 0.15
LONGEST_SENTENCE = 60  # of help: `darkpeak --help` shows it in full at 80 columns


def python_files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def room_of(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports anywhere in it: `darkpeak.plan.plan`, `docker.errors`."""
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
    """Return whether a file's docstring says that it is pure, or its room's."""
    files = [file for file in (path, path.parent / "__init__.py") if file.is_file()]
    words = [(ast.get_docstring(ast.parse(file.read_text())) or "").replace("\n", " ") for file in files]
    return any(" Pure" in text for text in words)


@pytest.mark.parametrize("path", python_files(), ids=named)
def test_a_room_imports_only_rooms_below_it(path: Path) -> None:
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
def test_pure_files_import_nothing_from_outside(path: Path) -> None:
    found = imports(path)
    assert not {name.partition(".")[0] for name in found} & OUTSIDE - ({"os"} if room_of(path) in READERS else set())
    own = [SOURCE.parent / name.replace(".", "/") for name in found if name.startswith("darkpeak.")]
    modules = [item.with_suffix(".py") if item.with_suffix(".py").is_file() else item / "__init__.py" for item in own]
    assert [named(item) for item in modules if not (is_pure(item) or room_of(item) in LEAVES)] == []


READERS = {"collective", "lint"}  # pure, except that they read the collective's own files


@pytest.mark.parametrize("library", DOORS)
def test_each_library_is_imported_only_by_its_door(library: str) -> None:
    users = {named(path) for path in python_files() if library in {name.partition(".")[0] for name in imports(path)}}
    assert users <= DOORS[library]


def test_no_room_is_too_large() -> None:
    sizes: dict[str, int] = {}
    for path in python_files():
        sizes[room_of(path)] = sizes.get(room_of(path), 0) + path.read_text().count("\n")
    assert {room for room, lines in sizes.items() if lines > LARGEST_ROOM * sum(sizes.values())} == set()


def loaded_by(code: str) -> set[str]:
    """Return the modules that are loaded when Python has run some code."""
    code = f"import sys\n{code}\nprint('\\n' + ' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_help_imports_nothing_heavy() -> None:
    loaded = loaded_by("import darkpeak.cli\nlist(darkpeak.cli.root.commands.values())")
    assert not {name for name in loaded if name.partition(".")[0] in HEAVY}


def test_help_imports_no_command() -> None:
    """The list of all commands comes from the table of contents; a command imports its own file."""
    show = "import darkpeak.cli\ndarkpeak.cli.root.main([{}'--help'], standalone_mode=False)"
    files = {f"darkpeak.cli.{file}" for file, _ in CONTENTS.values()}
    assert loaded_by(show.format("")) & files == set()
    assert loaded_by(show.format("'lint', ")) & files == {"darkpeak.cli.lint"}


def test_what_is_asked_often_loads_no_rules_and_no_large_library() -> None:
    loaded = loaded_by(
        "import darkpeak.cli.common, darkpeak.deploy.check, darkpeak.deploy.hosts, darkpeak.actions.status"
    )
    assert loaded & {*HEAVY, "darkpeak.lint"} - {"subprocess", "logging"} == set()


def test_every_error_keeps_its_cause() -> None:
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
    """Yield the path of each command and group below a group, and the command."""
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def acting() -> list[tuple[str, click.Command]]:
    """Return the commands that do something: all except the groups."""
    return [(path, command) for path, command in commands() if not isinstance(command, click.Group)]


def named_by_path(value: object) -> str:
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize(("path", "command"), list(commands()), ids=named_by_path)
def test_help_begins_with_a_short_sentence_that_no_list_of_commands_cuts(path: str, command: click.Command) -> None:
    first = (command.help or "").partition("\n")[0]
    assert first[0].isupper()
    assert first.endswith(".")
    assert len(first) <= LONGEST_SENTENCE
    assert command.get_short_help_str(LONGEST_SENTENCE) == first
    assert f"Example: {path}" in (command.help or "")


@pytest.mark.parametrize(("path", "command"), acting(), ids=named_by_path)
def test_every_command_takes_the_shared_options(path: str, command: click.Command) -> None:
    assert {"host", "folder", "as_json", "verbosity"} <= {parameter.name for parameter in command.params}, path


@pytest.mark.parametrize(("path", "command"), acting(), ids=named_by_path)
def test_help_says_when_a_command_exits_with_1(path: str, command: click.Command) -> None:
    help_says_so = "xits 1 if" in (command.help or "")
    assert help_says_so == can_fail_a_check(Path(inspect.getfile(callback_of(command))), callback_of(command).__name__)
    assert path


def callback_of(command: click.Command) -> Callable[..., object]:
    assert command.callback
    callback: Callable[..., object] = inspect.unwrap(command.callback)
    return callback


def can_fail_a_check(path: Path, name: str) -> bool:
    """Return whether a function of cli/ can end with exit code 1: by itself, or by a function that it calls.

    It ends so with `sys.exit(…)` of anything but 0, 2 and 3, with CheckFailed, or by calling a function of another
    room whose docstring lists CheckFailed among its errors.
    """
    functions = {node.name: node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
    return any(
        ends_with_1(node)
        or (isinstance(node, ast.Name | ast.Attribute) and called(node) in raising_check_failed())
        or (isinstance(node, ast.Name) and node.id in functions and node.id != name and can_fail_a_check(path, node.id))
        for node in ast.walk(functions[name])
    )


def ends_with_1(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if called(node.func) == "CheckFailed":
        return True
    codes = {item.value for item in ast.walk(node) if isinstance(item, ast.Constant) and isinstance(item.value, int)}
    return called(node.func) == "exit" and (1 in codes or "CheckFailed" in ast.unparse(node))


def called(function: ast.expr) -> str:
    """Return the last part of a name: `find` of `store.find`."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@cache
def raising_check_failed() -> frozenset[str]:
    """Return the names of functions whose docstring lists CheckFailed among their errors."""
    trees = (ast.parse(path.read_text()) for path in python_files())
    functions = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return frozenset(node.name for node in functions if "CheckFailed:" in (ast.get_docstring(node) or ""))


def test_the_readme_and_the_help_name_the_same_commands() -> None:
    readme = (TOP / "README.md").read_text()
    missing = [path for path, _ in acting() if path not in readme]
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
