"""The wheel works without the checkout: it is built, installed in a fresh environment, and used there."""

import os
from pathlib import Path

import pytest

from darkpeak import catalogue
from lab import wheel
from lab.collectives import TOP
from lab.commands import run

WHERE = "import darkpeak.catalogue as it; print(*it.services().values(), it.shapes(), sep='\\n')"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return the bin/ of a fresh environment with the wheel."""
    return wheel.install(tmp_path)


def tree(folder: Path) -> dict[str, tuple[bytes, bool]]:
    """Return each file's content, and whether it can be executed."""
    left_out = {"__pycache__", ".env"}
    files = (path for path in folder.rglob("*") if path.is_file() and not left_out & set(path.parts))
    return {str(path.relative_to(folder)): (path.read_bytes(), os.access(path, os.X_OK)) for path in files}


def test_the_wheel_has_the_catalogue_and_works_alone(installed: Path, tmp_path: Path) -> None:
    folders = run([str(installed / "python"), "-c", WHERE], cwd=tmp_path).stdout.splitlines()
    assert all(folder.startswith(str(tmp_path / "venv")) for folder in folders)
    assert [tree(Path(folder)) for folder in folders] == [
        tree(folder) for folder in (*catalogue.services().values(), catalogue.shapes())
    ]
    assert (tmp_path / "venv/share/man/man1/darkpeak.1").read_bytes() == (TOP / "docs/darkpeak.1").read_bytes()
    tool, village = str(installed / "darkpeak"), tmp_path / "village"
    given = ("--name", "Village", "--domain", "localhost", "--admin", "ada", "--admin", "grace")
    run([tool, "init", str(village), *given], cwd=tmp_path)
    run([tool, "add", "wiki"], cwd=village)
    run([tool, "lint"], cwd=village)  # ends with 1 if it finds anything
    assert "services/wiki" in run(["git", "status", "--porcelain"], cwd=village).stdout
    assert "A service" in run([tool, "help", "service"], cwd=tmp_path).stdout
