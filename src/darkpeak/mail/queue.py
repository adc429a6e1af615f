"""The queue of the mail service, as Postfix prints it. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from darkpeak.errors import SystemFailure
from darkpeak.result import display


@dataclass(frozen=True)
class Queued:
    """A mail that waits: to whom, since when (an ISO date and time, in UTC), and why."""

    id: str
    since: str
    sender: str
    to: str
    state: str
    why: str


def parse_queue(printed: str) -> list[Queued]:
    """Return the mails in what `postqueue -j` printed, the oldest first.

    Raises:
        SystemFailure: when it is not what Postfix prints.
    """
    try:
        found = [_queued(json.loads(line)) for line in printed.splitlines() if line]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise SystemFailure(
            f"Postfix's list of mails is not JSON: {error}", hint="see why: darkpeak logs mail"
        ) from error
    return sorted(found, key=lambda item: (item.since, item.id))


def _queued(item: Mapping[str, Any]) -> Queued:
    recipients = [(str(one["address"]), str(one.get("delay_reason", ""))) for one in item["recipients"]]
    reasons = {why for _, why in recipients if why}
    since = datetime.fromtimestamp(item["arrival_time"], UTC).isoformat()
    state, sender = str(item["queue_name"]), str(item["sender"])
    to, why = ", ".join(address for address, _ in recipients), "; ".join(sorted(reasons))
    return Queued(str(item["queue_id"]), since, display(sender), display(to), state, display(why))


@dataclass(frozen=True)
class Described:
    """What the mail service says of itself."""

    domain: str
    relay: str  # empty: mails stay in the queue; `direct`; or the server of a mail provider
    selector: str
    key: str  # the public key that verifies its signatures, in base64

    @property
    def direct(self) -> bool:
        """Whether it sends mails to the recipients' own servers."""
        return self.relay == "direct"

    @property
    def relay_host(self) -> str:
        """The name of the mail provider's server; empty without one."""
        return "" if self.direct else self.relay.partition("]")[0].lstrip("[").partition(":")[0]


def parse_described(printed: str) -> Described:
    """Return what `describe` printed in the mail service's container.

    Raises:
        SystemFailure: when something is missing.
    """
    told = dict(_pairs(printed))
    missing = [name for name in ("domain", "relay", "selector", "key") if name not in told]
    if missing:
        what = f"the mail service did not say its {', '.join(missing)}"
        raise SystemFailure(what, hint="update it: darkpeak up mail")
    return Described(told["domain"], told["relay"], told["selector"], told["key"])


def _pairs(printed: str) -> Iterator[tuple[str, str]]:
    for line in printed.splitlines():
        name, _, value = line.partition(" ")
        yield name, value.strip()
