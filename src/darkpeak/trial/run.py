"""A service's whole life in a scratch project beside the live one, which is not touched (`darkpeak test`)."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from darkpeak.actions.scratch import make_file, project_of, read_written, remove
from darkpeak.actions.session import helped
from darkpeak.actions.up import ensure_base_images, with_dependencies
from darkpeak.collective.model import Service
from darkpeak.deploy.target import Target
from darkpeak.errors import DarkpeakError, SystemFailure, UsageError
from darkpeak.evidence.ownership import require_ours
from darkpeak.helper.scripts import Scripts
from darkpeak.plan.trial import FAILED, OK, SKIPPED, STEPS, Failed, Skipped, Step, Trial, images_of, missing_step
from darkpeak.progress import Progress
from darkpeak.trial import steps
from darkpeak.trial.steps import Scratch
from darkpeak.vocabulary import DRILL_LABEL

ACTS: dict[str, Callable[[Scratch], str]] = {
    "lint": steps.lint,
    "build": steps.build,
    "start": steps.start,
    "healthy": steps.healthy,
    "answer": steps.answer,
    "updates": steps.updates,
    "write": steps.write,
    "back up": steps.back_up,
    "destroy": steps.destroy,
    "verify empty": steps.verify_empty,
    "restore": steps.restore,
    "verify": steps.verify,
    "upgrade": steps.upgrade,
    "stop": steps.stop,
    "clean up": steps.clean_up,
}


def try_service(target: Target, service: Service, progress: Progress) -> Trial:
    """Run a service's whole life in a scratch project, and return how each step went; nothing of it is left behind.

    Raises:
        UsageError: when it has no containers, when what it depends on is not deployed, or when the engine is another
            collective's.
        SystemFailure: when the engine fails, or when compose cannot read the service's files.
    """
    require_ours(target.collective, target.engine)
    if not service.runs:
        raise UsageError(f"{service.name} has no containers yet", where=str(service.at), hint="write services:")
    written = read_written(target, service)
    _require_volumes(target, service, written)
    ensure_base_images(target, [service], progress)
    with (
        helped(target.engine, partial(progress.step, service.name)) as scripts,
        _scratch(target, service, scripts, written, progress) as scratch,
    ):
        return _run(scratch)


def _run(scratch: Scratch) -> Trial:
    name, done = scratch.service.name, list[Step]()
    results: dict[str, str] = {}
    for step in STEPS:
        missing = missing_step(step, results)
        if missing:
            done.append(Step(step, SKIPPED, 0.0, f"because of the step “{missing}”"))
        else:
            scratch.progress.step(name, step)
            done.append(_take(step, scratch))
        results[step] = done[-1].result
    scratch.progress.step(name, "failed" if FAILED in results.values() else "passed")
    return Trial(name, tuple(done))


def _take(step: str, scratch: Scratch) -> Step:
    """Take one step; return how it ended."""
    began = time.monotonic()
    log: tuple[str, ...] = ()
    try:
        message, result = ACTS[step](scratch), OK
    except Skipped as reason:
        message, result = str(reason), SKIPPED
    except Failed as failure:
        message, result, log = str(failure), FAILED, failure.log
    except DarkpeakError as error:
        message, result = error.message, FAILED
    return Step(step, result, round(time.monotonic() - began, 1), message, log)


@contextmanager
def _scratch(
    target: Target, service: Service, scripts: Scripts, written: dict[str, Any], progress: Progress
) -> Iterator[Scratch]:
    """Yield the scratch project; whatever happens, nothing of it is left afterwards."""
    name = f"{service.project}-test"
    images = images_of(service, name)
    running = images | {item.name: item.image for item in service.containers if not item.build}
    file = make_file(target, written, running, name, DRILL_LABEL)
    scratch = Scratch(
        target, service, project_of(target, service, name, file), file, written, images, scripts, progress
    )
    remove(scratch.project)
    try:
        yield scratch
    finally:
        with suppress(SystemFailure):  # Ctrl-C as well; what is left over is removed by the next one
            remove(scratch.project)
            scratch.remove_images()


def _require_volumes(target: Target, service: Service, written: dict[str, Any]) -> None:
    """Require the volumes of other services; only what they depend on can make them."""
    wanted = [volume["name"] for volume in (written.get("volumes") or {}).values() if (volume or {}).get("external")]
    missing = next((name for name in sorted(wanted) if target.engine.docker("volume", "inspect", name).code), None)
    if missing:
        others = sorted(with_dependencies(target.collective, [service]) - {service.name})
        what = f"{service.name} needs the volume {missing} of another service, which is not on the engine"
        raise UsageError(what, hint=f"deploy what it depends on: darkpeak up {' '.join(others)}")
