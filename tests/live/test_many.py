"""As many services as there are blocks, on one daemon."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest

from lab import toy
from lab.collectives import Collective
from lab.commands import run
from tests.live.daemons import desired, states

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BLOCKS = 99


@pytest.mark.long
def test_ninety_nine_blocks_fit_on_one_daemon(
    collective: Collective, tmp_path: Path, say: Callable[[str], None]
) -> None:
    shutil.copy(collective.top / "collective.toml", tmp_path)
    shutil.copytree(collective.folder("router"), tmp_path / "services" / "router")
    many = Collective(tmp_path, collective.host)
    names = toy.add_many(many, BLOCKS)
    begun = time.monotonic()
    many.darkpeak("up", timeout=3600)
    say(f"{BLOCKS} services up in {time.monotonic() - begun:.0f} s")
    assert set(states(many).values()) == {"healthy"}
    pages = [f"http://{name}.localhost:7080/" for name in names]
    assert run(["curl", "-sS", *pages]).stdout == "".join(names)
    begun = time.monotonic()
    assert many.darkpeak("up").stdout.startswith("nothing to do")
    say(f"a second up in {time.monotonic() - begun:.1f} s")
    assert desired(many)
    many.darkpeak("down", "--volumes", "--yes", timeout=1800)
