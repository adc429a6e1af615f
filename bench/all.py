"""All benches, shortened so that they take about half an hour: one table and one file of JSON.

    bench/run                                  print the table; write artifacts/bench.json
    bench/run bench/all.py --only site,lint    some of them
    bench/run bench/compare.py OLD NEW         what got worse from one such file to another

Each bench is a program of its own, with a time limit. The figures of one that fails or is late are missing, and it is
named at the end. For exact figures, run a bench alone: the head of its file says how.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from bench.figures import Figures, flat

HERE = Path(__file__).parent
OUT = HERE.parent / "artifacts/bench.json"
BENCHES: dict[str, tuple[tuple[str, ...], int]] = {  # options, and the most seconds
    "site": ((), 120),
    "lint": (("--services", "200"), 240),
    "hosts": ((), 240),
    "rest": (("--minutes", "2"), 600),
    "deploy": (("--rounds", "2"), 600),
    "updates": (("--containers", "10"), 600),
    "directory": (("--members", "1000", "--seconds", "2"), 300),
    "account": (("--members", "1000", "--seconds", "2"), 600),
    "peers": ((), 600),
    "backup": (("--mib", "256", "--rounds", "2"), 600),
    "router": ((), 600),
    "floods": (("--rounds", "1"), 300),
}


def run(name: str) -> Figures | str:
    """Run one bench; return its figures, or why there are none."""
    options, seconds = BENCHES[name]
    argv = [sys.executable, str(HERE / f"{name}.py"), "--json", *options]
    try:
        done = subprocess.run(argv, timeout=seconds, stdout=subprocess.PIPE, check=False)
    except subprocess.TimeoutExpired:
        return f"it did not end within {seconds} s"
    try:
        return flat(name, json.loads(done.stdout))
    except ValueError:
        return f"it ended with exit code {done.returncode}"


def main() -> int:
    """Run them; return 1 if one has no figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default=",".join(BENCHES), metavar="NAMES")
    parser.add_argument("--to", type=Path, default=OUT)
    options = parser.parse_args()
    figures, failed = Figures(), dict[str, str]()
    for name in options.only.split(","):
        begun = time.monotonic()
        found = run(name)
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
        if isinstance(found, str):
            failed[name] = found
        else:
            figures |= found
    options.to.parent.mkdir(exist_ok=True)
    options.to.write_text(json.dumps(figures, indent=2) + "\n")
    print("| figure | |\n|---|---|")
    print("".join(f"| {name} | {value:g} |\n" for name, value in figures.items()))
    for name, why in failed.items():
        print(f"{name}: {why}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
