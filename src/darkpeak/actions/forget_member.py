"""Forget a member: each service removes what it stores of them, and then all volumes are searched for what is left."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from darkpeak.actions.directory import end_sessions
from darkpeak.actions.forgotten import Backups, Forgotten, kept_until
from darkpeak.collective.hosts import place
from darkpeak.collective.model import Collective, Service
from darkpeak.deploy.member_gone import Ended, find_missing, run_script
from darkpeak.deploy.target import Target, living
from darkpeak.errors import UsageError
from darkpeak.evidence import deploys, store
from darkpeak.evidence.backups import BackupRecord
from darkpeak.helper.image.texts import Search
from darkpeak.helper.search import Found, search_logs, search_volumes
from darkpeak.members.directory import Directory
from darkpeak.members.member import Account, check_uid
from darkpeak.progress import Progress
from darkpeak.result import display
from darkpeak.vocabulary import DIRECTORY, FORGET_MEMBER, PROJECT_LABEL


def find_account(directory: Directory, uid: str) -> Account | None:
    """Return a member; None if the directory has none with this name, for instance after an interrupted run.

    Raises:
        UsageError: when the name is not valid.
        SystemFailure: when the directory does not answer.
    """
    check_uid(uid)
    try:
        return directory.account(uid)
    except UsageError:
        return None


def require_whole(collective: Collective, host: str) -> None:
    """Raise UsageError if services are on several engines, since only those on this one would be asked.

    The directory would then have the member no more, whom other services still know.
    """
    if len(place(collective, collective.services)) > 1:
        what = f"not all services are on {host}: the others would keep the member's data"
        raise UsageError(what, hint="nothing was changed; give the command without --host")


def texts_about(uid: str, account: Account | None, also: Sequence[str]) -> tuple[str, ...]:
    """Return what is searched: the uid, the full name, the mail address, and what was given.

    Raises:
        UsageError: when what was given is not text.
    """
    try:
        for text in also:
            text.encode()
    except UnicodeEncodeError as error:
        what = f"--also {display(error.object)} is not valid UTF-8"
        raise UsageError(what, hint="type it on a terminal that uses UTF-8; nothing was changed") from error
    known = (account.name, account.mail) if account else ()
    return tuple(dict.fromkeys(text for text in (uid, *known, *also) if text))


def forget_member(targets: Sequence[Target], uid: str, texts: Sequence[str], progress: Progress) -> Forgotten:
    """Have each service forget a member, and search for what is left. The member must be locked, or not exist.

    The failure of a service stops no other; but the directory is last, and keeps the member until all others are done.
    So the same command goes on where it stopped.
    """
    ended = [item for item in end_sessions(targets, uid, stays=False) if item.failed]
    done = [item for target in targets for item in _forget_in(target, uid, progress, last=False)]
    if any(item.failed for item in (*ended, *done)):
        done.append(Ended(DIRECTORY, f"{uid} stays locked in the directory until all services are done", failed=True))
    else:
        done += [item for target in targets for item in _forget_in(target, uid, progress, last=True)]
    return _report(targets, uid, texts, (*ended, *done), progress)


def look_for_member(targets: Sequence[Target], uid: str, texts: Sequence[str], progress: Progress) -> Forgotten:
    """Return what `forget_member` would do, and where the member is found now. Nothing is changed."""
    would = [
        Ended(service.name, f"would run scripts/{FORGET_MEMBER} {uid}")
        for target in targets
        for service in target.running
        if _has_script(service)
    ]
    return _report(targets, uid, texts, would, progress)


def _forget_in(target: Target, uid: str, progress: Progress, *, last: bool) -> Iterator[Ended]:
    for service in target.running:
        if _has_script(service) and (service.name == DIRECTORY) == last:
            progress.step(service.name, "forgetting")
            yield from run_script(target.compose, [service], FORGET_MEMBER, (uid,))


def _has_script(service: Service) -> bool:
    return (service.folder / "scripts" / FORGET_MEMBER).exists()


def _report(
    targets: Sequence[Target], uid: str, texts: Sequence[str], services: Sequence[Ended], progress: Progress
) -> Forgotten:
    answering = living(targets)  # the error at the end of the command names the others
    volumes = {target.engine: _volumes(target) for target in answering}
    found: list[Found] = []
    for target in answering:
        found += search_volumes(target.engine, volumes[target.engine], texts, partial(progress.step, "search"))
        found += _in_records(target, texts)
        for service in target.running:
            found += search_logs(target.engine, service.project, texts)
    return Forgotten(
        uid,
        tuple(services),
        tuple(line for target in targets for line in _without_script(target)),
        _backups(answering),
        tuple(texts),
        sum(map(len, volumes.values())),
        tuple(found),
    )


def _volumes(target: Target) -> list[str]:
    """Return the volumes of the collective's services, also those of copies."""
    labels = target.engine.volumes(PROJECT_LABEL)
    return sorted(name for name, own in labels.items() if is_of(target.collective, own[PROJECT_LABEL]))


def is_of(collective: Collective, project: str) -> bool:
    """Return whether a project is a service, or a copy of one, such as darkpeak-wiki-old; darkpeak-wiki2 is neither."""
    own = [service.project for service in collective.services]
    return project in own or project.startswith(tuple(name + mark for name in own for mark in "-_"))


def _in_records(target: Target, texts: Sequence[str]) -> Iterator[Found]:
    labels = (own for label in (store.LABEL, deploys.LABEL) for own in target.engine.volumes(label).values())
    found = Search(texts).find(f"{key}={value}\n".encode() for own in labels for key, value in own.items())
    if found:
        yield Found("records of deploys, backups and drills: who ran them", "", tuple(sorted(found)))


def _without_script(target: Target) -> Iterator[str]:
    for service in target.running:
        missing = find_missing(target.collective, service, FORGET_MEMBER)
        if missing:
            yield f"{service.name}: {missing}"


def _backups(targets: Sequence[Target]) -> Backups:
    backup = targets[0].collective.backup
    known = [item for target in targets for item in store.read(target.engine).all(BackupRecord)]
    newest = tuple(sorted(item.snapshot for item in known if item.snapshot))
    return Backups(newest, backup.repositories, kept_until(backup.keep, datetime.now().astimezone().date()))
