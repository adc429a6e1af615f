"""The credentials of repositories, which are kept in the backup key: which are needed, and whether they can work."""

from collections.abc import Mapping

from darkpeak.collective.model import Collective
from darkpeak.collective.repository_url import parse
from darkpeak.errors import UsageError
from darkpeak.repository.key import Secret
from darkpeak.vocabulary import COLLECTIVE_FILE

NOTIFY, URLS, PING = "notify", "urls", "ping"  # settings of nightly, which are kept like credentials


def fill(collective: Collective, secret: Secret, given: Mapping[str, str]) -> Secret:
    """Return the secret with these credentials, for each repository that can have them and has none yet.

    If there is only one that can have it, a new value replaces the old one.

    Raises:
        UsageError: when no repository can have one of them, or when it is not clear for which one it is.
    """
    credentials = {name: dict(own) for name, own in secret.credentials.items()}
    for name, value in given.items():
        check_value(name, value)
        for repository in _takers(collective, secret, name):
            credentials.setdefault(repository, {})[name] = value
    return Secret(secret.password, credentials)


def require(collective: Collective, secret: Secret) -> None:
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


def check(collective: Collective, repository: str, name: str) -> None:
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


def check_value(name: str, value: str) -> None:
    """Check a credential: an ssh key must be a private one without a passphrase, which nobody could type at night.

    Raises:
        UsageError: when it is not, or when it is empty.
    """
    if not value.strip():
        raise UsageError(f"the credential {name} is empty", hint="name the file that contains it")
    if name != "ssh-key":
        return
    from cryptography.hazmat.primitives import serialization as form

    hint = "make one for the backups: ssh-keygen -t ed25519 -N '' -f backup-login"
    try:
        form.load_ssh_private_key(value.encode(), None)
    except TypeError as error:
        raise UsageError("the ssh-key has a passphrase, which nobody can type at night", hint=hint) from error
    except ValueError as error:
        if "BEGIN" not in value:
            raise UsageError("the ssh-key is not a private ssh key", hint=hint) from error
        # A key in another form (PEM), which ssh itself reads.


def _takers(collective: Collective, secret: Secret, name: str) -> list[str]:
    """Return the repositories that get a credential with this name."""
    able = [item for item in collective.backup.repositories if name in parse(item).credentials]
    if not able:
        known = sorted({word for item in collective.backup.repositories for word in parse(item).credentials})
        hint = f"its credentials can be: {', '.join(known)}" if known else "the repositories need no credentials"
        raise UsageError(f"no repository of {COLLECTIVE_FILE} can have the credential {name}", hint=hint)
    lacking = [item for item in able if not secret.credentials.get(item, {}).get(name, "").strip()]
    if not lacking and len(able) > 1:
        hint = f"replace it for one of them: darkpeak key secret {able[0]} {name} <FILE"
        raise UsageError(f"{len(able)} repositories have the credential {name} already", hint=hint)
    return lacking or able
