"""The wheel works without the checkout: it is built, installed in a fresh environment, and used there."""

import os
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from darkpeak import catalogue

TOP = Path(__file__).parents[1]
WHERE = "import darkpeak.catalogue as it; print(*it.services().values(), it.shapes(), sep='\\n')"


def run(*words: str | Path, cwd: Path) -> str:
    """Run a program, which must succeed; return its output."""
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return the bin/ of a fresh environment with the wheel; its libraries are those of the tests."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, TOP, cwd=tmp_path)
    (wheel,) = tmp_path.glob("darkpeak-*.whl")
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv/bin/python"
    run(*pip, "--python", python, "install", "--no-deps", wheel, cwd=tmp_path)
    (packages,) = (tmp_path / "venv/lib").glob("python*/site-packages")
    (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return python.parent


def tree(folder: Path) -> dict[str, tuple[bytes, bool]]:
    """Return each file's content, and whether it can be executed."""
    left_out = {"__pycache__", ".env"}
    files = (path for path in folder.rglob("*") if path.is_file() and not left_out & set(path.parts))
    return {str(path.relative_to(folder)): (path.read_bytes(), os.access(path, os.X_OK)) for path in files}


def test_the_wheel_has_the_catalogue_and_works_alone(installed: Path, tmp_path: Path) -> None:
    folders = run(installed / "python", "-c", WHERE, cwd=tmp_path).splitlines()
    assert all(folder.startswith(str(tmp_path / "venv")) for folder in folders)
    assert [tree(Path(folder)) for folder in folders] == [
        tree(folder) for folder in (*catalogue.services().values(), catalogue.shapes())
    ]
    assert (tmp_path / "venv/share/man/man1/darkpeak.1").read_bytes() == (TOP / "docs/darkpeak.1").read_bytes()
    tool, village = installed / "darkpeak", tmp_path / "village"
    given = ("--name", "Village", "--domain", "localhost", "--admin", "ada", "--admin", "grace")
    run(tool, "init", village, *given, cwd=tmp_path)
    run(tool, "add", "wiki", cwd=village)
    run(tool, "lint", cwd=village)  # ends with 1 if it finds anything
    assert "services/wiki" in run("git", "status", "--porcelain", cwd=village)
    assert "A service" in run(tool, "help", "service", cwd=tmp_path)
