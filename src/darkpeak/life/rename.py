"""Give a service another name, another block, or a volume another key; its data goes with it."""

import os
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from darkpeak.actions.up import bring_up, ensure_base_images, lock_services, plan_up
from darkpeak.collective.content import replace_file
from darkpeak.collective.model import Service
from darkpeak.collective.moved import with_block, with_name
from darkpeak.deploy.check import check_files, deployable
from darkpeak.deploy.login_page import remove_client
from darkpeak.deploy.target import Target, require_plain
from darkpeak.engine.engine import VOLUME_LABEL
from darkpeak.errors import DarkpeakError, SystemFailure, UsageError
from darkpeak.life.remove import records_of
from darkpeak.progress import Progress
from darkpeak.vocabulary import BASE_IMAGE, BLOCKS, COMPOSE_FILE, KNOWN_BY_NAME, LABEL, PROJECT_LABEL

COPY = ("cp", "-a", "/from/.", "/to/")


@dataclass(frozen=True)
class Copied:
    """A volume whose data was copied: its names before and now. The one before is kept."""

    before: str
    now: str


def move(target: Target, block: int) -> Path:
    """Write another block into a service's compose file; return the file. `up` then changes what runs.

    Raises:
        UsageError: when there is no such block, when it belongs to another service, or when the service has none.
        SystemFailure: when the file cannot be written; it is as it was.
    """
    service = target.service
    other = next((item.name for item in target.collective.services if item.block == block), None)
    if block not in BLOCKS[1:]:
        raise UsageError(f"there is no block {block}", hint=f"use a multiple of ten from {BLOCKS[1]} to {BLOCKS[-1]}")
    if other:
        raise UsageError(f"block {block} already belongs to {other}", hint="see which ones are in use: darkpeak ports")
    if service.block is None:
        raise UsageError(f"{service.name} has no block", where=str(service.at), hint=f"write block: {block}")
    file = service.folder / COMPOSE_FILE
    try:
        replace_file(file, with_block(_text(file), service, block).encode())
    except OSError as error:
        what = f"{file} cannot be written: {error.strerror}"
        raise SystemFailure(what, hint="see who may write there, and the free space: df .") from error
    return file


def rename(target: Target, new: str, progress: Progress, volume: str = "") -> tuple[Copied, ...]:
    """Give a service (or with `volume` that volume) another name; return the copied volumes.

    Raises:
        UsageError: when it cannot be renamed; nothing was touched.
        SystemFailure: when it failed; the service has its old name.
    """
    require_plain((target.service,), "be renamed")
    return rename_volume(target, volume, new, progress) if volume else rename_service(target, new, progress)


def rename_service(target: Target, new: str, progress: Progress) -> tuple[Copied, ...]:
    """Give a service another name: its folder, its project, and copies of its volumes; return these.

    The service is stopped meanwhile. If it does not become healthy under its new name, it gets the old one back. The
    old volumes are kept.

    Raises:
        UsageError: when it cannot be renamed; nothing was touched.
        SystemFailure: when it failed; the service has its old name.
    """
    old = target.service
    project = _project(target, old, new)
    own = ((key, name) for key, name in old.own_volumes if name == f"{old.project}_{key}")
    volumes = [(key, name, f"{project}_{key}") for key, name in own]
    _check_rename(target, old, new, [name for _, _, name in volumes])
    ensure_base_images(target, [], progress)
    earlier = records_of(target, new)
    renamed = replace(old, folder=old.folder.with_name(new), project=project)
    copied: list[Copied] = []
    with ExitStack() as back:  # after a failure or Ctrl-C, the steps back, the last one first
        back.callback(_remove_copies, target, project, copied)
        back.callback(_start_again, target, old.name, progress)
        with ExitStack() as stack:
            compose = lock_services(stack, target, [old.name], progress)
            progress.step(old.name, "copying its volumes")
            back.callback(compose.call, old, "stop")  # an interrupted stop goes on in the engine: wait for its end
            compose.call(old, "stop")
            _copy_all(target, project, volumes, copied)
            down = compose.call(old, "down")
            if down.code:
                raise _not_renamed(old.name, f"it was not stopped: {down.last_line()}")
            back.callback(_remove_records, target, new, earlier)
            back.callback(_name_back, renamed, old)
            try:
                _rename_files(old, new, project)
            except OSError as error:
                raise _not_renamed(old.name, f"its files cannot be renamed: {error.strerror}") from error
            back.callback(compose.call, renamed, "down")
            failure = _deploy(target, new, progress)
            if failure:
                raise _not_renamed(old.name, failure)
        back.pop_all()
    remove_client(target.collective, target.engine, old.name)
    return tuple(copied)


def rename_volume(target: Target, before: str, now: str, progress: Progress) -> tuple[Copied, ...]:
    """Copy a volume's data to the key that it has in the compose file now, and deploy; the old volume is kept.

    Raises:
        UsageError: when there is no such volume, or when the new one already exists; nothing was touched.
        SystemFailure: when it failed.
    """
    service = target.service
    known = target.engine.volumes(f"{PROJECT_LABEL}={service.project}")
    old = next((name for name, labels in known.items() if labels.get(VOLUME_LABEL) == before), None)
    new = dict(service.own_volumes).get(now)
    if not new or before in dict(service.own_volumes):
        hint = f"write {now} in place of {before} in {service.name}/{COMPOSE_FILE} first"
        raise UsageError(f"{service.name} has no volume {now}, or still has {before}", hint=hint)
    if not old:
        raise UsageError(f"the engine has no volume {before} of {service.name}", hint="see them: docker volume ls")
    if new in known:
        raise UsageError(f"the volume {new} already exists", hint=f"if it has nothing of value: docker volume rm {new}")
    ensure_base_images(target, [], progress)
    copied: list[Copied] = []
    with ExitStack() as stack:
        compose = lock_services(stack, target, [service.name], progress)
        back = stack.enter_context(ExitStack())
        progress.step(service.name, f"copying {old} to {new}")
        back.callback(_remove_copies, target, service.project, copied)
        back.callback(compose.call, service, "restart")  # an interrupted stop goes on in the engine, so not `start`
        compose.call(service, "stop")
        _copy_all(target, service.project, [(now, old, new)], copied)
        back.pop_all()
    failure = _deploy(target, service.name, progress)
    if failure:
        raise SystemFailure(f"{service.name} {failure}", hint=f"continue: darkpeak up {service.name}")
    return tuple(copied)


def _project(target: Target, old: Service, new: str) -> str:
    """Return the new project name; its line in the compose file must be one that can be changed."""
    project = old.project.removesuffix(old.name) + new if old.project.endswith(old.name) else old.project
    text = _text(old.folder / COMPOSE_FILE)
    if old.project == project or with_name(text, old.project, project) == text:
        where = str((old.folder / COMPOSE_FILE).relative_to(target.collective.root))
        raise UsageError(f"the project of {old.name} is not named after it", where, f"write name: darkpeak-{old.name}")
    return project


def _check_rename(target: Target, old: Service, new: str, volumes: list[str]) -> None:
    services = target.collective.services
    if old.name in KNOWN_BY_NAME:
        raise UsageError(f"{old.name} must keep its name: others know it by that")
    if not LABEL.fullmatch(new):
        raise UsageError(f"{new!r} cannot be a service's name", hint="use lower-case letters, digits and inner hyphens")
    if old.folder.with_name(new).exists():
        raise UsageError(f"services/{new} already exists", hint="choose another name")
    if not all(os.access(place, os.W_OK) for place in (old.folder.parent, old.folder)):
        raise UsageError(
            f"services/{old.name} cannot be renamed: you may not write there", hint="let your login write there"
        )
    needing = next((item.name for item in services if old.name in target.collective.depends_on(item)), None)
    if needing:
        raise UsageError(f"{needing} depends on {old.name}", hint="rename services that no other needs")
    host = next((item for item in target.collective.hosts if old.name in item.services), None)
    if host:
        raise UsageError(f"[hosts.{host.name}] names {old.name}", where=str(host.at), hint="remove it there first")
    existing = sorted(set(volumes) & set(target.engine.volumes(PROJECT_LABEL)))
    if existing:
        raise UsageError(f"the volume {existing[0]} already exists", hint="choose another name, or remove that volume")
    if any(item.service == old.name for item in plan_up(target).changes):
        raise UsageError(f"{old.name} differs from its files", hint=f"deploy it first: darkpeak up {old.name}")


def _copy_all(target: Target, project: str, volumes: list[tuple[str, str, str]], copied: list[Copied]) -> None:
    """Copy volumes (key, name, new name); add each to `copied` before it is made.

    Raises:
        SystemFailure: when one cannot be copied.
    """
    engine, existing = target.engine, target.engine.volumes(PROJECT_LABEL)
    for key, before, now in volumes:
        if before not in existing:
            continue
        copied.append(Copied(before, now))
        engine.create_volume(now, {PROJECT_LABEL: project, VOLUME_LABEL: key})
        mounts = ("--volume", f"{before}:/from:ro", "--volume", f"{now}:/to")
        words = ("--rm", "--pull=never", "--network=none", "--name", _copier(project), *mounts, BASE_IMAGE, *COPY)
        done = engine.docker("run", *words, seconds=14400)
        if done.code:
            raise SystemFailure(f"the volume {before} was not copied: {done.last_line()}", hint="see: darkpeak doctor")


def _copier(project: str) -> str:
    return f"{project}-copier"


def _remove_copies(target: Target, project: str, copied: list[Copied]) -> None:
    """Remove copies of volumes, also while one is being made."""
    target.engine.docker("rm", "--force", _copier(project))
    for item in copied:
        target.engine.docker("volume", "rm", "--force", item.now)


def _not_renamed(name: str, why: str) -> SystemFailure:
    what = f"{name} was not renamed: {why}; it runs under its old name again"
    return SystemFailure(what, hint=f"see what it has written: darkpeak logs {name}")


def _start_again(target: Target, name: str, progress: Progress) -> None:
    """Deploy a service whose files have the old name again.

    Raises:
        SystemFailure: when it does not run.
    """
    failure = _deploy(target, name, progress)
    if failure:
        raise SystemFailure(f"{name} was not renamed, and does not run: {failure}", hint=f"then: darkpeak up {name}")


def _remove_records(target: Target, name: str, earlier: Collection[str]) -> None:
    for volume in set(records_of(target, name)) - set(earlier):
        target.engine.remove_volume(volume)


def _rename_files(old: Service, new: str, project: str) -> None:
    """Rename a service's folder, and the project in its compose file; both or none.

    Raises:
        OSError: when that is not possible.
    """
    folder = old.folder.with_name(new)
    old.folder.rename(folder)
    try:
        file = folder / COMPOSE_FILE
        replace_file(file, with_name(_text(file), old.project, project).encode())
    except OSError:
        folder.rename(old.folder)
        raise


def _name_back(renamed: Service, old: Service) -> None:
    """Give a service's files the old name again, also if they were renamed in part."""
    if renamed.folder.exists():
        _rename_files(renamed, old.name, old.project)


def _text(file: Path) -> str:
    """Return a file's text, with its line ends."""
    return file.read_bytes().decode()


def _deploy(target: Target, name: str, progress: Progress) -> str:
    """Deploy a service from the files as they are now; return why that failed, or nothing."""
    collective = deployable(check_files(target.collective.root))
    service = next((item for item in collective.services if item.name == name), None)
    if service is None:
        return f"services/{name} cannot be read"
    try:
        result = bring_up(replace(target, collective=collective, services=(service,)), progress)
    except DarkpeakError as error:
        return error.message
    return "; ".join(f"{item.service} {item.failure}" for item in result.failures)
