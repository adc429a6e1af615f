"""How long `darkpeak lint` takes for many services: the whole command, and each rule.

    bench/run bench/lint.py                   a table
    bench/run bench/lint.py --json            the figures, as one object
    bench/run bench/lint.py --services 200    another number of services (default: 1,000)

The services are copies of the wiki and the chat with names, blocks and subnets of their own; there are 100 blocks, so
they share them, and lint finds that. `first` is a run that remembers nothing but the answers of compose; `warm` is the
fastest of three runs after it. compose is asked about a few services, and its answers for the other copies are made of
these: a thousand questions would take minutes. Processor time is there too, since other programs on the machine hardly
change it. shellcheck and hadolint do not run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from darkpeak import collective as files
from darkpeak import lint
from darkpeak.collective.moved import with_block
from darkpeak.collective.resolved import question, without_folder
from darkpeak.deploy.linters import LINTERS
from darkpeak.engine.resolve import cache_folder, keep, resolve
from darkpeak.lint.written import written_by
from darkpeak.vocabulary import COMPOSE_FILE, subnet_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from darkpeak.collective.model import Service

TOP = Path(__file__).parent.parent
KINDS = ("wiki", "chat")
FILES = (COMPOSE_FILE,)
PUBLIC = '"5222"'  # the public port of the chat
SECONDS = 100  # for one run


def say(text: str) -> None:
    """Show what is done now."""
    print(text, file=sys.stderr, flush=True)


def make_collective(root: Path, number: int) -> None:
    """Write a collective of so many services, besides the router and the directory, and what compose says of them."""
    shutil.copy(TOP / "collective.toml", root)
    for name in ("router", "directory"):
        shutil.copytree(TOP / "services" / name, root / "services" / name)
    found = files.read(TOP)[0]
    kinds = [next(service for service in found.services if service.name == kind) for kind in KINDS]
    answers = [json.dumps(resolve(question(kind.folder, FILES, found.variables, os.environ))) for kind in kinds]
    for count in range(number):
        at = count % len(KINDS)
        copy = Copy(kinds[at], root / "services" / f"service{count}", 6000 + 10 * (count % 100), 10_000 + count)
        copy.write()
        answer = copy.answer(answers[at])
        asked = question(copy.folder, FILES, found.variables, os.environ)
        if count < len(KINDS):
            assert resolve(asked) == json.loads(answer), "compose itself says something else"
        keep(cache_folder() / f"{asked.digest}.json", without_folder(answer, copy.folder).encode())


@dataclass(frozen=True)
class Copy:
    """A copy of a service, in another folder and in another block."""

    kind: Service
    folder: Path
    block: int
    port: int  # its public port, if it has one

    def write(self) -> None:
        """Write its files."""
        shutil.copytree(self.kind.folder, self.folder)
        file = self.folder / COMPOSE_FILE
        text = with_block(file.read_text(), self.kind, self.block).replace(PUBLIC, f'"{self.port}"')
        file.write_text(text.replace(self.kind.project, f"darkpeak-{self.folder.name}"))

    def answer(self, text: str) -> str:
        """Return what compose makes of its files, from what it makes of the service's own."""
        old = self.kind.block or 0
        text = text.replace(str(self.kind.folder), str(self.folder))
        text = text.replace(self.kind.project, f"darkpeak-{self.folder.name}")
        text = text.replace(subnet_of(old).removesuffix("0/24"), subnet_of(self.block).removesuffix("0/24"))
        text = text.replace(PUBLIC, f'"{self.port}"')
        return re.sub(rf"(?<![\d=]){old // 10}(\d)\b", rf"{self.block // 10}\1", text)


def run_lint(root: Path, python: Path) -> tuple[float, float]:
    """Run the command; return its seconds, and its seconds of processor time."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    packages = sysconfig.get_path("purelib")
    environment = {**os.environ, "PATH": str(python.parent), "PYTHONPATH": f"{TOP / 'src'}:{packages}"}
    command = [str(python), "-m", "darkpeak", "lint", "--json", "--collective", str(root)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode in {0, 1}, done.stderr
    assert done.stderr.count("is not installed") == len(LINTERS), done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - started, used


def without_linters(folder: Path) -> Path:
    """Make a folder with only docker and this Python, and return the latter; lint looks for linters beside it."""
    folder.mkdir()
    for name, program in (("docker", shutil.which("docker")), ("python3", sys.executable)):
        (folder / name).symlink_to(os.path.realpath(program or name))
    return folder / "python3"


def time_by_rule(root: Path) -> dict[str, float]:
    """Return the processor seconds of each rule's checks; a check of several rules counts for each of them."""
    found, _ = files.read(root)
    lint.check(found)  # what all rules read is read once, and is no rule's time
    written = [one for service in found.services for one in written_by(service)]
    seconds: dict[str, float] = defaultdict(float)
    for rule in lint.RULES.values():
        for check in rule.collective:
            seconds[rule.id] += timed(lambda check=check: list(check(found)))  # type: ignore[misc]
        for checks, things in ((rule.service, found.services), (rule.file, written)):
            for check in checks:  # type: ignore[assignment]
                seconds[rule.id] += timed(lambda check=check, things=things: [list(check(one)) for one in things])  # type: ignore[misc]
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def timed(action: Callable[[], object]) -> float:
    """Return the processor seconds of an action."""
    started = time.process_time()
    action()
    return time.process_time() - started


def measure(number: int, folder: Path) -> dict[str, object]:
    """Return all figures."""
    root, python = folder / "collective", without_linters(folder / "bin")
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    (root / "services").mkdir(parents=True)
    say(f"writing {number} services …")
    make_collective(root, number)
    say("the first run …")
    first = run_lint(root, python)
    say("three warm runs …")
    seconds, processor = (min(values) for values in zip(*(run_lint(root, python) for _ in range(3)), strict=True))
    say("each rule …")
    rules = time_by_rule(root)
    return {
        "services": number,
        "first_seconds": round(first[0], 2),
        "first_processor_seconds": round(first[1], 2),
        "warm_seconds": round(seconds, 2),
        "warm_processor_seconds": round(processor, 2),
        "first_to_warm": round(first[1] / processor, 1),
        "rules": {rule: round(value, 4) for rule, value in rules.items()},
    }


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--services", type=int, default=1000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(arguments.services, Path(folder))
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    rules = figures.pop("rules")
    assert isinstance(rules, dict)
    for name, value in [*figures.items(), *list(rules.items())[:15]]:
        print(f"  {name:24} {value:10}")


if __name__ == "__main__":
    main()
