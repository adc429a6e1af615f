"""How long `darkpeak lint` takes for many services: the whole command, and each rule.

    bench/run bench/lint.py                   a table
    bench/run bench/lint.py --json            the figures, as one object
    bench/run bench/lint.py --services 200    another number of services (default: 1,000)

The services are copies of the wiki and the chat with names, blocks and subnets of their own; there are 100 blocks, so
they share them, and lint finds that. The first run asks compose about each service and remembers the answers. The
second one is measured: seconds, and seconds of processor time, which other programs on the machine hardly change. The
linters from outside (shellcheck, hadolint) are not installed for it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from darkpeak import collective as files
from darkpeak import lint
from darkpeak.collective.moved import with_block
from darkpeak.lint.written import written_by

if TYPE_CHECKING:
    from collections.abc import Callable

TOP = Path(__file__).parent.parent
KINDS = ("wiki", "chat")


def make_collective(root: Path, number: int) -> None:
    """Write a collective of so many services, besides the router and the directory."""
    shutil.copy(TOP / "collective.toml", root)
    for name in ("router", "directory"):
        shutil.copytree(TOP / "services" / name, root / "services" / name)
    known = {service.name: service for service in files.read(TOP)[0].services}
    for count in range(number):
        kind, name = KINDS[count % len(KINDS)], f"service{count}"
        folder = root / "services" / name
        shutil.copytree(TOP / "services" / kind, folder)
        file = folder / "docker-compose.yml"
        text = with_block(file.read_text(), known[kind], 6000 + 10 * (count % 100)).replace(
            '"5222"', f'"{10000 + count}"'
        )
        file.write_text(text.replace(f"darkpeak-{kind}", f"darkpeak-{name}"))


def run_lint(root: Path, cache: Path) -> tuple[float, float]:
    """Run the command; return its seconds, and its seconds of processor time with those of its programs."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(TOP / "src")}
    command = [sys.executable, "-m", "darkpeak", "lint", "--json", "--collective", str(root)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=3600)
    assert done.returncode in {0, 1}, done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - started, used


def time_by_rule(root: Path) -> dict[str, float]:
    """Return the seconds of each rule's checks; a check of several rules counts for each of them."""
    found, _ = files.read(root)
    lint.check(found)  # what all rules read is read once, and is no rule's time
    written = [one for service in found.services for one in written_by(service)]
    seconds: dict[str, float] = defaultdict(float)
    for rule in lint.RULES.values():
        for of_collective in rule.collective:
            seconds[rule.id] += timed(lambda check=of_collective: list(check(found)))  # type: ignore[misc]
        for of_service in rule.service:
            seconds[rule.id] += timed(lambda check=of_service: [list(check(one)) for one in found.services])  # type: ignore[misc]
        for of_file in rule.file:
            seconds[rule.id] += timed(lambda check=of_file: [list(check(one)) for one in written])  # type: ignore[misc]
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def timed(action: Callable[[], object]) -> float:
    """Return the processor seconds of an action."""
    started = time.process_time()
    action()
    return time.process_time() - started


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--services", type=int, default=1000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder, "collective"), Path(folder, "cache")
        (root / "services").mkdir(parents=True)
        make_collective(root, arguments.services)
        first = run_lint(root, cache)
        runs = [run_lint(root, cache) for _ in range(3)]
        rules = time_by_rule(root)
    seconds, processor = (min(values) for values in zip(*runs, strict=True))
    figures = {
        "services": arguments.services,
        "first_seconds": round(first[0], 2),
        "warm_seconds": round(seconds, 2),
        "warm_processor_seconds": round(processor, 2),
        "rules": {rule: round(value, 4) for rule, value in rules.items()},
    }
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    print(
        f"{arguments.services} services: first {first[0]:.1f} s, warm {seconds:.1f} s ({processor:.1f} s of processor)"
    )
    for rule, value in list(rules.items())[:15]:
        print(f"  {rule:20} {1000 * value:8.0f} ms")


if __name__ == "__main__":
    main()
