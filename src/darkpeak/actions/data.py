"""Run a service's own backup and restore scripts here, with a folder of this machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from darkpeak import folders
from darkpeak.actions.ready import make_start
from darkpeak.actions.restore import finish
from darkpeak.collective.model import Service
from darkpeak.collective.scripts import has_verify
from darkpeak.deploy.target import Target
from darkpeak.errors import CheckFailed, DarkpeakError, SystemFailure, UsageError
from darkpeak.evidence.ownership import require_ours
from darkpeak.progress import Progress

SUMS = "SHA256SUMS"  # in a backup of one service


@dataclass(frozen=True)
class ScriptRun:
    """A service's own script that succeeded."""

    service: str
    done: str  # backup or restore
    folder: str
    output: str = ""
    verified: str = ""  # what scripts/verify printed after a restore


def back_up_to(targets: Sequence[Target], folder: Path) -> tuple[list[ScriptRun], list[DarkpeakError]]:
    """Back up services into folders of this machine; return what was done, and the errors of those that failed.

    Raises:
        UsageError: when another user could replace what is written there.
    """
    top, done, failed = folders.make_for_scripts(folder), [], list[DarkpeakError]()
    for target in targets:
        for service in target.running:
            try:
                done.append(_run(target, service, "backup", folders.find_real(top / service.name)))
            except DarkpeakError as error:
                failed.append(error)
    return done, failed


def restore_from(target: Target, folder: Path, progress: Progress) -> ScriptRun:
    """Restore the target's service from a folder that `back_up_to`, or its own backup script, wrote.

    Raises:
        UsageError: when there is no such folder, or when the engine is another collective's, or of another domain.
        SystemFailure: when its script fails.
        CheckFailed: when the restored service does not pass its own check.
    """
    require_ours(target.collective, target.engine, deploys=True)
    service = target.service
    if service.stacked:  # its script would stop a task here, and the swarm would start another one meanwhile
        what = f"{service.name} runs on a swarm, where its script cannot restore from a folder"
        raise UsageError(what, hint="use a repository: darkpeak backup, then darkpeak restore")
    names = [item.name for item in target.collective.services]
    ran = _run(target, service, "restore", find_backup(folder, service.name, names))
    progress.step(service.name, "checking it")
    waited = target.compose.call(service, *make_start(service))
    if waited.code:
        hint = f"see why: darkpeak logs {service.name}"
        raise CheckFailed(f"{service.name} was restored, but is not healthy: {waited.last_line()}", hint=hint)
    verified = verify(target, service)
    finish(target, service, progress)
    return ScriptRun(service.name, ran.done, ran.folder, ran.output, verified)


def find_backup(folder: Path, name: str, services: Sequence[str]) -> Path:
    """Return the folder of a service's backup: this one, or the one in it that has the service's name.

    Raises:
        UsageError: when there is no such folder, or when it has backups of other services only.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", hint="name the folder that `darkpeak backup --to` wrote")
    inside = {path.name for path in folder.iterdir()}
    if (folder / name).is_dir() and SUMS not in inside:
        return (folder / name).absolute()
    others = sorted(inside & {*services})
    if others and SUMS not in inside:
        what = f"{folder} has no backup of {name}"
        raise UsageError(what, hint=f"it has backups of {', '.join(others)}; name the folder of {name}")
    return folder.absolute()


def verify(target: Target, service: Service) -> str:
    """Run scripts/verify of a service that was restored; return what it printed, or nothing if there is none.

    Raises:
        CheckFailed: when it fails.
    """
    if not has_verify(service):
        return ""
    ran = target.compose.script(service, "verify")
    if ran.code:
        what = f"{service.name} was restored, but it does not pass its own check: {ran.last_line()}"
        hint = "restore another backup; the state before is only in the backups that you have: darkpeak snapshots"
        raise CheckFailed(what, where=str(service.folder / "scripts/verify"), hint=hint)
    return ran.last_line()


def _run(target: Target, service: Service, script: str, folder: Path) -> ScriptRun:
    if script == "backup":
        ran = target.compose.back_up(service, folder)
    else:
        ran = target.compose.script(service, script, str(folder))
    if ran.code:
        raise SystemFailure(
            f"{script} of {service.name} failed: {ran.last_line()}",
            where=str(service.folder / "scripts" / script),
            hint=f"see why: darkpeak logs {service.name}",
        )
    output = (ran.stdout + ran.stderr).decode(errors="replace").rstrip()
    return ScriptRun(service.name, script, str(folder), output)
