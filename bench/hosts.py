"""How long `darkpeak status` takes, by the number of hosts.

    bench/run bench/hosts.py           1, 3 and 10 hosts
    bench/run bench/hosts.py --json    the figures, as one object

The engines are stand-ins on loopback that answer each request after 0.1 s, and one after 0.5 s, as over a slow line. So
what is measured is the tool and the waiting, and not the engines.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

from darkpeak.collective import count
from lab import toy
from lab.collectives import Collective, copy_of_ours
from lab.hosts import Host
from lab.standin import engines

NUMBERS = (1, 3, 10)
USUAL, SLOWEST = 0.1, 0.5  # seconds before an answer
ROUNDS = 3


def place(collective: Collective, before: str, names: list[str], uris: list[str]) -> None:
    """Write [hosts]: one service on each."""
    tables = (
        f'[hosts.h{number}]\ndocker = "{uri}"\nservices = ["{name}"]\n'
        for number, (name, uri) in enumerate(zip(names, uris, strict=True))
    )
    (collective.top / "collective.toml").write_text(before + "\n" + "\n".join(tables))


def measure(collective: Collective, *arguments: str) -> dict[str, float]:
    """Return the time of the fastest of three runs, and its processor time, in seconds."""
    found = []
    for _ in range(ROUNDS):
        used, began = _processor(), time.monotonic()
        collective.darkpeak("status", "--json", *arguments)
        found.append((round(time.monotonic() - began, 2), round(_processor() - used, 2)))
    seconds, processor = min(found)
    return {"seconds": seconds, "processor": processor}


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        collective = copy_of_ours(Path(folder, "ours"), Host.current())
        for service in collective.top.glob("services/[!r]*"):  # all but the router
            service.rename(Path(folder, service.name))
        names = toy.add_many(collective, max(NUMBERS))
        before = (collective.top / "collective.toml").read_text()
        with engines([SLOWEST] + [USUAL] * (max(NUMBERS) - 1)) as uris:
            place(collective, before, names, uris)
            found["the slowest alone"] = measure(collective, "--host", "h0")
            for number in NUMBERS:
                for name in names[number:]:
                    collective.folder(name).rename(Path(folder, name))
                place(collective, before, names[:number], uris[:number])
                found[count(number, "host")] = measure(collective)
                for name in names[number:]:
                    Path(folder, name).rename(collective.folder(name))
    if as_json:
        print(json.dumps(found))
        return
    for what, row in found.items():
        print(f"{what:18} {row['seconds']:6.2f} s, of which a processor worked {row['processor']:.2f} s")


if __name__ == "__main__":
    main()
