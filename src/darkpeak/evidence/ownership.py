"""Whose engine it is: two collectives cannot share one, since their services have the same names and ports."""

import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from darkpeak.collective.content import replace_file
from darkpeak.collective.identity import with_id
from darkpeak.collective.model import Collective
from darkpeak.collective.read import read
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.evidence import store
from darkpeak.evidence.owners import ENGINE, OwnerRecord, foreign, is_ours, other_domain
from darkpeak.evidence.record import now
from darkpeak.vocabulary import CA_VOLUME, COLLECTIVE_FILE, PROJECT_LABEL

ID_BYTES = 8


def require_ours(collective: Collective, engine: Engine, *, deploys: bool = False) -> OwnerRecord | None:
    """Return the record of the collective to which an engine belongs; None if no `up` has recorded one.

    Raises:
        UsageError: when it belongs to another collective, or (deploys) when its CA is for another domain.
    """
    known = store.find(engine, OwnerRecord, ENGINE)
    if known and not is_ours(collective, known):
        raise foreign(collective, known, engine.name)
    if deploys and known and known.domain != collective.domain and _has_ca(engine):
        raise other_domain(collective, known, engine.name)
    return known


def require_all_ours(places: Iterable[tuple[Collective, Engine]], *, deploys: bool = False) -> None:
    """Check several engines before the first is touched; one that does not answer is left to the command.

    Raises:
        UsageError: as `require_ours`, for the first engine of another collective.
    """
    for collective, engine in places:
        with suppress(SystemFailure):
            require_ours(collective, engine, deploys=deploys)


def claim(collective: Collective, engine: Engine, known: OwnerRecord | None) -> bool:
    """Record that the engine is this collective's, if that is not recorded; make its id if it has none.

    Return whether the id was written into collective.toml.

    Raises:
        UsageError: when the id cannot be written into collective.toml.
        SystemFailure: when the engine does not write the record.
    """
    # The `up` of another host has perhaps just made it.
    written = collective.id or read(collective.root)[0].id
    own = written or _write_id(collective, known.id if known else "")
    wanted = OwnerRecord(own, now(), collective.name, collective.domain)
    if known is None or replace(known, when=wanted.when) != wanted:
        store.write(engine, wanted)
    return not written


def make_id() -> str:
    """Return an id for a new collective, at random."""
    return secrets.token_hex(ID_BYTES)


def _write_id(collective: Collective, known: str) -> str:
    """Write an id into collective.toml, the one that the engine knows or a new one; return it."""
    own = known or make_id()
    path = collective.root / COLLECTIVE_FILE
    try:
        replace_file(path, with_id(path.read_bytes().decode(), own).encode())  # its line endings stay
    except OSError as error:
        hint = f'write it there: id = "{own}"'
        raise UsageError(f"the collective's id cannot be written: {error.strerror}", COLLECTIVE_FILE, hint) from error
    return own


def _has_ca(engine: Engine) -> bool:
    return CA_VOLUME in engine.volumes(PROJECT_LABEL)
