"""Rules about backups."""

from collections.abc import Iterator

from darkpeak.collective.model import Collective, Finding, Place
from darkpeak.collective.recipients import is_public_key, openers
from darkpeak.lint.rule import ERROR, Rule
from darkpeak.vocabulary import KEY_FILE, LEAST_ADMINS


def key_for_two(collective: Collective) -> Iterator[Finding]:
    """At least two admins can open the backup key, so that one lost laptop does not lose the backups."""
    if not (collective.root / KEY_FILE).is_file():
        return
    if not all(is_public_key(key) for admin in collective.admins for key in admin.ssh):
        return  # people.ssh_keys has a finding, and this one could be wrong
    can = openers(collective)
    if len(can) < LEAST_ADMINS:
        who = f"only {can[0]}" if can else "no admin"
        hint = 'write ssh = ["ssh-ed25519 …"] for a second admin in collective.toml, then run `darkpeak key add ADMIN`'
        yield Finding(Place(KEY_FILE, 1), "backup-key", f"{who} can open the backup key", hint)


RULES = (
    Rule(
        "backup-key",
        ERROR,
        "If only one admin can open the backups, one lost laptop loses them all.",
        "write the ssh key of a second admin in collective.toml, then: darkpeak key add ADMIN",
        page="docs/backup.md",
        collective=(key_for_two,),
    ),
)
