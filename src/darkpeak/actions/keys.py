"""The backup key: make it, add and remove admins who can open it, and set the credentials in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from darkpeak.actions.session import Session, opened
from darkpeak.collective.model import Collective
from darkpeak.collective.recipients import openers
from darkpeak.collective.settings import Admin
from darkpeak.deploy.target import Target, living
from darkpeak.errors import UsageError
from darkpeak.progress import Progress
from darkpeak.repository import credentials, key
from darkpeak.repository.key import Secret
from darkpeak.vocabulary import COLLECTIVE_FILE, KEY_FILE, LEAST_ADMINS

NEW = "new-password"  # the secret file in the helper for a new password


@dataclass(frozen=True)
class KeyChanged:
    """What was done to the key, and who can open it now."""

    done: str
    opens_for: tuple[str, ...]

    @property
    def enough(self) -> bool:
        """Whether at least two admins can open it."""
        return len(self.opens_for) >= LEAST_ADMINS


@dataclass(frozen=True)
class Initialised:
    """The key and the repositories, after `backup init`."""

    made: bool  # the key is new; else it was already there
    opens_for: tuple[str, ...]
    repositories: tuple[str, ...]

    @property
    def enough(self) -> bool:
        """Whether at least two admins can open the key."""
        return len(self.opens_for) >= LEAST_ADMINS


def has_key(collective: Collective) -> bool:
    """Return whether the collective has a backup key."""
    return (collective.root / KEY_FILE).is_file()


def initialise(
    targets: Sequence[Target], secret: Secret | None, given: Mapping[str, str], progress: Progress
) -> Initialised:
    """Make the key (if `secret` is None), and every repository that does not exist yet.

    `given` are credentials by their names, like ssh-key: each repository that needs one and has none yet gets it.

    Raises:
        UsageError: when a repository lacks a credential that it needs; nothing was touched.
        DarkpeakError: when a repository cannot be made or used.
    """
    collective = targets[0].collective
    made = credentials.fill(collective, secret or key.make(), given)
    credentials.require(collective, made)
    if secret != made:
        key.write(collective, made, collective.admins if secret is None else _opening(collective))
    names: tuple[str, ...] = ()
    for target in living(targets):
        with opened(target, made, progress, create=True) as session:
            names = tuple(repository.name for repository in session.repositories.usable())
    return Initialised(secret is None, openers(collective), names)


def add_admin(collective: Collective, name: str, secret: Secret) -> KeyChanged:
    """Encrypt the key to one more admin.

    Raises:
        UsageError: when there is no such admin, or when the admin has no ssh key.
    """
    admin = find_admin(collective, name)
    if not admin.ssh:
        hint = f'write ssh = ["ssh-ed25519 AAAA…"] under [admins.{name}]'
        raise UsageError(f"{name} has no ssh key", where=COLLECTIVE_FILE, hint=hint)
    others = [item for item in _opening(collective) if item.name != name]
    key.write(collective, secret, [*others, admin])
    return KeyChanged(f"{name} added", openers(collective))


def remaining(collective: Collective, name: str) -> list[Admin]:
    """Return the other admins who can open the key.

    Raises:
        UsageError: when there is no other.
    """
    rest = [admin for admin in _opening(collective) if admin.name != name]
    if not rest:
        what = f"without {name}, no admin could open the backup key"
        raise UsageError(what, hint="add another admin first: darkpeak key add ADMIN")
    return rest


def remove_admin(session: Session, name: str, secret: Secret, rest: Sequence[Admin]) -> KeyChanged:
    """Change every repository's password, and encrypt the new one only to the rest of the admins.

    If this is killed at any moment, the key file that is there then opens every repository.

    Raises:
        DarkpeakError: when a repository cannot be used; nothing was changed.
    """
    if session.repositories.unusable():
        raise session.repositories.unusable()[0]
    collective, new = session.target.collective, key.make()
    session.helper.put_secrets({NEW: new.password + "\n"})
    for repository in session.repositories.usable():
        repository.add_password(NEW)
    # Both passwords open all repositories now: the old key file does until the next line, and then the new one.
    key.write(collective, Secret(new.password, secret.credentials), rest)
    for repository in session.repositories.usable():
        repository.remove_other_passwords(NEW)
    return KeyChanged(f"{name} removed", openers(collective))


def check(session: Session) -> KeyChanged:
    """Check that the key opens every repository.

    Raises:
        DarkpeakError: for the first repository that it does not open.
    """
    if session.repositories.unusable():
        raise session.repositories.unusable()[0]
    return KeyChanged("the backup key opens every repository", openers(session.target.collective))


def set_credential(collective: Collective, secret: Secret, repository: str, name: str, value: str) -> KeyChanged:
    """Store a repository's credential in the key file; an empty value removes it.

    Raises:
        UsageError: when there is no such repository, or when it cannot have this credential.
    """
    credentials.check(collective, repository, name)
    if value.strip():
        credentials.check_value(name, value)
    own = {**secret.credentials.get(repository, {}), name: value}
    kept = {known: text for known, text in own.items() if text.strip()}
    changed = Secret(secret.password, {**secret.credentials, repository: kept})
    key.write(collective, changed, _opening(collective))
    return KeyChanged(f"{name} of {repository} {'stored' if value.strip() else 'removed'}", openers(collective))


def find_admin(collective: Collective, name: str) -> Admin:
    """Return an admin by name.

    Raises:
        UsageError: when there is no such admin.
    """
    for admin in collective.admins:
        if admin.name == name:
            return admin
    known = ", ".join(admin.name for admin in collective.admins)
    raise UsageError(f"unknown admin {name!r}", where=COLLECTIVE_FILE, hint=f"the admins are: {known}")


def _opening(collective: Collective) -> list[Admin]:
    can = openers(collective)
    return [admin for admin in collective.admins if admin.name in can]
