"""What got worse from one run of all benches to another.

    bench/run bench/compare.py OLD.json NEW.json                 figures that are worse by more than a tenth
    bench/run bench/compare.py OLD.json NEW.json --factor 1.5    by more than a half

It ends with 1 if there is such a figure. Ratios can be compared between machines; times and rates only on one machine.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bench.figures import compare


def main() -> int:
    """Compare two files; return 1 if something got worse."""
    parser = argparse.ArgumentParser()
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--factor", type=float, default=1.1)
    options = parser.parse_args()
    before, after = (json.loads(path.read_text()) for path in (options.old, options.new))
    worse = [change for change in compare(before, after) if change.worse > options.factor]
    for change in worse:
        print(f"{change.name}: {change.before:g}, now {change.after:g} ({change.worse:.2f} times worse)")
    missing = sorted(before.keys() - after.keys())
    if missing:
        print(f"no longer there: {', '.join(missing)}")
    if not worse and not missing:
        print(f"nothing is worse by more than a factor of {options.factor:g}")
    return 1 if worse or missing else 0


if __name__ == "__main__":
    sys.exit(main())
