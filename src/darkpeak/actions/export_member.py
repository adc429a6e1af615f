"""Gather what all services store of a member, in open formats, with an index page."""

import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from darkpeak.collective.model import Service
from darkpeak.deploy.member_gone import find_missing, run_script
from darkpeak.deploy.target import Target
from darkpeak.errors import UsageError
from darkpeak.folders import make_private
from darkpeak.members.exported import INDEX, Exported, make_index
from darkpeak.members.member import check_uid
from darkpeak.progress import Progress
from darkpeak.vocabulary import EXPORT_MEMBER

PARTIAL = ".partial"  # a service's folder gets its name when it is complete, so a later run skips it


def export_member(
    targets: Sequence[Target], uid: str, folder: Path, now: datetime, progress: Progress
) -> list[Exported]:
    """Write what each service stores of a member into a folder of its own, and then the index page.

    What an interrupted run has written completely is kept. A service that fails stops no other.

    Raises:
        UsageError: when the uid is not valid, or when the folder cannot be used.
    """
    check_uid(uid)
    real = make_private(folder)
    exported = [item for target in targets for item in _export_from(target, uid, real, progress)]
    page = make_index(targets[0].collective.name, uid, f"{now:%Y-%m-%d %H:%M}", exported)
    _write(real / INDEX, page)
    return exported


def _export_from(target: Target, uid: str, folder: Path, progress: Progress) -> Iterator[Exported]:
    for service in target.running:
        place = folder / service.name
        missing = find_missing(target.collective, service, EXPORT_MEMBER)
        if place.is_dir():
            yield Exported(service.name, service.about, "exported by an earlier run", _files(place))
        elif missing:
            yield Exported(service.name, service.about, missing)
        else:
            yield from _export(target, service, uid, place, progress)


def _export(target: Target, service: Service, uid: str, place: Path, progress: Progress) -> Iterator[Exported]:
    partial = place.parent / PARTIAL / service.name
    shutil.rmtree(partial, ignore_errors=True)
    progress.step(service.name, "export")
    for ran in run_script(target.compose, [service], EXPORT_MEMBER, (uid, str(partial))):
        if not ran.failed:
            partial.rename(place)
        files = () if ran.failed else _files(place)
        yield Exported(service.name, service.about, ran.done, files, ran.failed)
    shutil.rmtree(place.parent / PARTIAL, ignore_errors=True)


def _files(folder: Path) -> tuple[tuple[str, int], ...]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple((str(path.relative_to(folder)), path.stat().st_size) for path in paths)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", hint="name another folder") from error
