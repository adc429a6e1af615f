"""The backup key: make it, add and remove admins who can open it, and set the credentials in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from darkpeak.actions.session import Session, opened
from darkpeak.collective.model import Collective
from darkpeak.collective.recipients import openers
from darkpeak.collective.repository_url import parse
from darkpeak.collective.settings import Admin
from darkpeak.deploy.target import Target
from darkpeak.errors import UsageError
from darkpeak.progress import Progress
from darkpeak.repository import key
from darkpeak.repository.key import Secret
from darkpeak.vocabulary import COLLECTIVE_FILE, KEY_FILE, LEAST_ADMINS

NOTIFY, URLS, PING = "notify", "urls", "ping"  # settings of nightly, which are kept like credentials
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
    made = fill(collective, secret or key.make(), given)
    require_credentials(collective, made)
    if secret != made:
        key.write(collective, made, collective.admins if secret is None else _opening(collective))
    names: tuple[str, ...] = ()
    for target in targets:
        with opened(target, made, progress, create=True) as session:
            names = tuple(repository.name for repository in session.repositories.usable())
    return Initialised(secret is None, openers(collective), names)


def fill(collective: Collective, secret: Secret, given: Mapping[str, str]) -> Secret:
    """Return the secret with these credentials for each repository that can have them and has none yet.

    Raises:
        UsageError: when no repository can have one of them.
    """
    credentials = {name: dict(own) for name, own in secret.credentials.items()}
    for name, value in given.items():
        takers = [item for item in collective.backup.repositories if name in parse(item).credentials]
        if not takers:
            known = sorted({word for item in collective.backup.repositories for word in parse(item).credentials})
            hint = f"its credentials can be: {', '.join(known)}" if known else "the repositories need no credentials"
            raise UsageError(f"no repository of {COLLECTIVE_FILE} can have the credential {name}", hint=hint)
        key.check_value(name, value)
        for repository in takers:
            credentials.setdefault(repository, {}).setdefault(name, value)
    return Secret(secret.password, credentials)


def require_credentials(collective: Collective, secret: Secret) -> None:
    """Check that each repository has the credentials that it needs.

    Raises:
        UsageError: for the first that has not; the message names them, and how to give them.
    """
    for repository in map(parse, collective.backup.repositories):
        own = secret.credentials.get(repository.name, {})
        missing = [name for name in repository.needed if not own.get(name, "").strip()]
        if missing:
            what = f"{repository.name} needs a credential that the backup key does not have: {', '.join(missing)}"
            words = " ".join(f"--secret {name}=FILE" for name in missing)
            raise UsageError(
                what, where=COLLECTIVE_FILE, hint=f"nothing was made; give it: darkpeak backup init {words}"
            )


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
    check_credential(collective, repository, name)
    if value.strip():
        key.check_value(name, value)
    own = {**secret.credentials.get(repository, {}), name: value}
    kept = {known: text for known, text in own.items() if text.strip()}
    changed = Secret(secret.password, {**secret.credentials, repository: kept})
    key.write(collective, changed, _opening(collective))
    return KeyChanged(f"{name} of {repository} {'stored' if value.strip() else 'removed'}", openers(collective))


def check_credential(collective: Collective, repository: str, name: str) -> None:
    """Check that a repository can have a credential.

    Raises:
        UsageError: when it cannot, or when there is no such repository.
    """
    known = (*collective.backup.repositories, NOTIFY)
    if repository not in known:
        what = f"there is no repository {repository}"
        raise UsageError(what, where=COLLECTIVE_FILE, hint=f"choose one of: {', '.join(known)}")
    takes = (URLS, PING) if repository == NOTIFY else parse(repository).credentials
    if name not in takes:
        hint = f"its credentials can be: {', '.join(takes)}" if takes else "it needs no credentials"
        raise UsageError(f"{repository} cannot have the credential {name}", hint=hint)


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
