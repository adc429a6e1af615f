"""How long the pages for members and the overview for admins take, by the number of services.

    bench/run bench/site.py           10, 100 and 1,000 services
    bench/run bench/site.py --json    the figures, as one object

Only making the pages is measured, not asking the engines: that depends on their number and not on ours.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING

from darkpeak.site.metrics import make_metrics
from darkpeak.site.overview import make_overview
from darkpeak.site.pages import make_pages
from lab.pages import an_overview, many

if TYPE_CHECKING:
    from collections.abc import Callable


NUMBERS = (10, 100, 1000)


def seconds(make: Callable[[], object]) -> float:
    """Return the processor time of the fastest of three runs."""
    times = []
    for _ in range(3):
        began = time.process_time()
        make()
        times.append(time.process_time() - began)
    return round(min(times), 3)


def measure(number: int) -> dict[str, float]:
    """Return how long each kind takes, in seconds, and how large the members' pages are, in bytes."""
    site = many(number)
    return {
        "members": seconds(lambda: make_pages(site)),
        "admins": seconds(lambda: make_overview(an_overview(site))),
        "metrics": seconds(lambda: make_metrics(site)),
        "bytes": sum(len(text.encode()) for text in make_pages(site).values()),
    }


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    found = {number: measure(number) for number in NUMBERS}
    if parser.parse_args().json:
        print(json.dumps(found))
        return
    print(f"{'services':>8}  {'members':>9}  {'admins':>9}  {'metrics':>9}  {'size':>9}")
    for number, row in found.items():
        times = "  ".join(f"{row[kind]:>7.3f} s" for kind in ("members", "admins", "metrics"))
        print(f"{number:>8}  {times}  {row['bytes'] / 1e6:>6.1f} MB")


if __name__ == "__main__":
    main()
