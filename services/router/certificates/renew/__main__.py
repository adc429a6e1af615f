"""renew [NAME…]   orders or renews the named certificates.

Without names, it does so for those that are due, and then prints for how many seconds nothing is due. It prints
successes and failures to standard error, and keeps them in records.json.
"""

import fcntl
import os
import random
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from . import haproxy, times
from .files import PUBLIC, Record, alone, make_trusted, read_records, read_wanted, write_records

if TYPE_CHECKING:
    from cryptography import x509

    from . import ca

LOCK = Path("/run/control/lock")
WAKE = Path("/run/control/wake")
SOON = 10
LEAST = 10


def say(line: str) -> None:
    """Write a line into the container's log."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def dice() -> float:
    """Return a number from 0 to 1."""
    return random.SystemRandom().random()


def path_of(name: str) -> Path:
    """Return the path of the certificate for this name."""
    return PUBLIC / f"{name.replace('*', '_')}.pem"


def held(name: str) -> "x509.Certificate | None":
    """Return the certificate that we have for a name, or None."""
    from cryptography import x509

    path = path_of(name)
    return x509.load_pem_x509_certificate(path.read_bytes()) if path.exists() else None


def obtain(name: str, names: list[str], records: dict[str, Record], authority: "ca.Authority", acme: str) -> None:
    """Order one certificate and put it into use; or record the failure, and when to try again."""
    from . import ca

    record = records[name]
    old = held(name) if record.acme == acme else None
    record.failures = record.failures + 1 if record.at == acme else 1
    record.tried, record.at, record.failed = time.time(), acme, ""
    record.again = record.tried + times.pause(record.failures, dice())
    write_records(records)  # as a failure, until it succeeds: after a crash in here we must not retry at once
    try:
        pem = authority.order(names, old)
        haproxy.install(path_of(name), pem, names[-1])
    except (ca.Refused, haproxy.NotInstalled) as error:
        record.failed = str(error)
        if isinstance(error, ca.Refused) and error.limited:
            record.again = max(record.again, record.tried + times.HOUR)
        say(f"{name}: no certificate: {error}; next attempt in {(record.again - record.tried) / 60:.0f} minutes")
        return
    describe(record, names, acme, held(name))
    say(f"{name}: new certificate from {record.issuer}")


def describe(record: Record, names: list[str], acme: str, certificate: "x509.Certificate | None") -> None:
    """Set the record of a new certificate."""
    if certificate is None:
        return
    from cryptography.x509.oid import NameOID

    parts = (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
    record.issuer = " ".join(
        str(item.value) for oid in parts for item in certificate.issuer.get_attributes_for_oid(oid)
    )
    record.begin = certificate.not_valid_before_utc.timestamp()
    record.until = certificate.not_valid_after_utc.timestamp()
    record.names, record.acme, record.window = names, acme, []
    record.renew = times.at_two_thirds(record.begin, record.until, dice())
    record.failures, record.failed, record.again, record.ask = 0, "", 0, 0


def ask(name: str, record: Record, authority: "ca.Authority", acme: str) -> None:
    """Ask the CA when to renew its certificate; without an answer, the time in the record stays."""
    from . import ca

    certificate = held(name)
    if record.failures or record.acme != acme:
        return
    if certificate is None:
        record.renew = 0
        return
    try:
        window, seconds = authority.window(certificate)
    except ca.Refused as error:
        say(f"{name}: cannot ask the CA when to renew it: {error}")
        window, seconds = record.window, ca.ASK_AGAIN
    record.ask = time.time() + seconds
    if window and window != record.window:
        record.window = window
        record.renew = times.in_window(window[0], window[1], record.until, dice())


def forget(records: dict[str, Record], wanted: dict[str, list[str]]) -> None:
    """Remove expired certificates that are not requested any more. Before they expire, they may be requested again."""
    for name in sorted(records.keys() - wanted.keys()):
        if records[name].until < time.time():
            with alone():
                haproxy.remove(path_of(name))
            del records[name]


def run(named: set[str]) -> int:
    """Do what is due, print for how many seconds nothing is due, and return the exit code."""
    wanted, records = read_wanted(), read_records()
    unknown = sorted(named - wanted.certificates.keys())
    if unknown:
        say(f"renew: no certificate is requested for {unknown[0]}; only for: {' '.join(wanted.certificates) or 'none'}")
        return 2
    if not haproxy.ready():
        say("renew: haproxy does not answer: is it running?")
        sys.stdout.write(f"{SOON}\n" * (not named))
        return int(bool(named))
    forget(records, wanted.certificates)
    authority = None
    for name, names in wanted.certificates.items():
        record = records.setdefault(name, Record(names))
        now = time.time()
        if name not in named and not record.due(wanted.acme, names, now) and now < record.next():
            continue
        if authority is None:
            from .ca import Authority

            authority = Authority(wanted)
        if record.ask <= now:
            ask(name, record, authority, wanted.acme)
        if name in named or record.due(wanted.acme, names, now):
            obtain(name, names, records, authority, wanted.acme)
            ask(name, record, authority, wanted.acme)
        write_records(records)
    write_records(records)
    haproxy.lead_to_https(make_trusted(wanted, records))
    if named:
        wake()
    else:
        sys.stdout.write(f"{pause(records, wanted.certificates)}\n")
    return int(any(records[name].failures for name in named))


def wake() -> None:
    """Wake the shell `serve`, so that it sleeps until the new time: it did not start this run."""
    with suppress(OSError), os.fdopen(os.open(WAKE, os.O_WRONLY | os.O_NONBLOCK), "wb") as pipe:
        pipe.write(b"\n")


def pause(records: dict[str, Record], wanted: dict[str, list[str]]) -> int:
    """Return for how many seconds nothing is due."""
    moments = [record.next() if name in wanted else record.until for name, record in records.items()]
    return int(min(max(min(moments, default=time.time() + times.DAY) - time.time(), LEAST), times.DAY))


def main() -> int:
    """Run after any other run has ended."""
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return run(set(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
