"""What a collective must be able to do with its backups."""

from collections.abc import Iterator

from darkpeak.collective.model import Collective, Finding, Place
from darkpeak.collective.recipients import LEAST_OPENERS, openers
from darkpeak.vocabulary import KEY_FILE


def key_for_two(collective: Collective) -> Iterator[Finding]:
    """If one laptop is lost, somebody else still opens the backups."""
    if not (collective.root / KEY_FILE).is_file():
        return
    can = openers(collective)
    if len(can) < LEAST_OPENERS:
        who = f"only {can[0]}" if can else "no admin"
        hint = 'write ssh = ["ssh-ed25519 …"] for two admins in collective.toml, then darkpeak key add ADMIN'
        yield Finding(Place(KEY_FILE, 1), "backup-key", f"{who} can open the backup key", hint)
