"""The tool as other people install it: from its wheel, in an environment of its own."""

from __future__ import annotations

import site
import sys
import venv
from typing import TYPE_CHECKING

from lab.collectives import TOP
from lab.commands import run

if TYPE_CHECKING:
    from pathlib import Path


def install(folder: Path) -> Path:
    """Build the wheel and install it in a fresh environment; return its bin/. Its libraries are those of the tests."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    build = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(TOP))
    run([*pip, *build], cwd=folder, timeout=300)
    (wheel,) = folder.glob("darkpeak-*.whl")
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv/bin/python"
    run([*pip, "--python", str(python), "install", "--no-deps", str(wheel)], cwd=folder, timeout=300)
    (packages,) = (folder / "venv/lib").glob("python*/site-packages")
    (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return python.parent
