"""Run a service's own backup and restore scripts here, with a folder of this machine."""

from dataclasses import dataclass
from pathlib import Path

from darkpeak.actions.target import Target
from darkpeak.collective.model import Service
from darkpeak.errors import SystemFailure


@dataclass(frozen=True)
class ScriptRun:
    """A service's own script that succeeded."""

    service: str
    done: str  # backup or restore
    folder: str
    output: str = ""


def run_script(target: Target, service: Service, script: str, folder: Path) -> ScriptRun:
    """Run one of a service's own scripts with a folder.

    Raises:
        SystemFailure: when it fails.
    """
    where = folder.absolute()
    ran = target.compose.script(service, script, str(where))
    if ran.code:
        raise SystemFailure(
            f"{script} of {service.name} failed: {ran.last_line()}",
            where=str(service.folder / "scripts" / script),
            hint=f"see why: darkpeak logs {service.name}",
        )
    output = (ran.stdout + ran.stderr).decode(errors="replace").rstrip()
    return ScriptRun(service.name, script, str(where), output)
