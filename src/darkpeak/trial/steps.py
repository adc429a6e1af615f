"""The steps of a trial. Each returns what is said of it, and raises Failed or Skipped."""

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from darkpeak import process
from darkpeak.actions.drill import compare
from darkpeak.actions.scratch import remove
from darkpeak.collective import count
from darkpeak.collective.model import Service
from darkpeak.collective.scripts import SAMPLE, has_sample, has_verify, startable
from darkpeak.deploy.check import check_all, check_files
from darkpeak.deploy.target import Target
from darkpeak.deploy.waiting import NotReady, Waiting, last_lines
from darkpeak.engine.compose import QUIET
from darkpeak.helper.build import image_name, program
from darkpeak.helper.container import WORK
from darkpeak.helper.scripts import ComposeProject, Scripts
from darkpeak.lint import severity_of
from darkpeak.lint.rule import NOTE
from darkpeak.plan.health import stop_seconds
from darkpeak.plan.observed import Running
from darkpeak.plan.trial import Failed, Question, Skipped, compare_empty, judge_stop, make_build, make_questions
from darkpeak.progress import Progress
from darkpeak.repository import snapshots
from darkpeak.repository.snapshots import Part
from darkpeak.result import Result
from darkpeak.vocabulary import COMPOSE_FILE, PROJECT_LABEL

SAVED, AGAIN = f"{WORK}/.saved", f"{WORK}/.again"  # folders of the backups, in the helper
LOG_LINES = 10
UPDATES_SECONDS = 600.0  # each container downloads its package lists
COMPOSE = ("docker", "compose", "--ansi", "never")


@dataclass
class Scratch:
    """The scratch project of a trial, and what its steps found."""

    target: Target
    service: Service
    project: ComposeProject
    file: bytes  # its compose file
    written: Mapping[str, Any]  # the service's own compose files, as compose understands them
    images: Mapping[str, str]  # the names of its images, by container
    scripts: Scripts
    progress: Progress
    wrote: bool = False
    verified: str = ""  # what scripts/verify printed before the backup
    parts: Mapping[str, Part] = field(default_factory=dict)  # of the backup

    @property
    def containers(self) -> tuple[Running, ...]:
        """Its containers, as they are now."""
        return self.target.engine.containers_of(self.project.name)

    def remove_images(self) -> None:
        """Remove the images that it built."""
        present = {*self.target.engine.image_names()} & {f"{name}:latest" for name in self.images.values()}
        if present:
            self.target.engine.docker("image", "rm", *sorted(present))

    def logs(self) -> tuple[str, ...]:
        """Return the last lines of the containers that are not ready, or of all."""
        unready = [item for item in self.containers if not item.ready and not item.ended_well]
        shown = (last_lines(self.target.engine, item, LOG_LINES) for item in unready or self.containers)
        return tuple(line for text in shown for line in text.splitlines())


def lint(scratch: Scratch) -> str:
    """Check the service's files, as `darkpeak lint` does."""
    found = check_all(check_files(scratch.target.collective.root), scratch.service.name)
    own = [item for item in found if severity_of(item) is not NOTE]
    if own:
        raise Failed(count(len(own), "finding"), tuple(f"{item.at}: {item.what} [{item.rule}]" for item in own))
    return ""


def build(scratch: Scratch) -> str:
    """Build all images without the cache."""
    _build(scratch, 1, "--no-cache")
    return ""


def _build(scratch: Scratch, number: int, *options: str) -> None:
    name = scratch.service.name
    file = json.dumps(make_build(scratch.written, scratch.project.name, scratch.images, number)).encode()
    argv = (*COMPOSE, "--project-directory", str(scratch.service.folder), "--file", "-", "build", *options)
    on_line = partial(scratch.progress.line, name)
    built = process.stream(argv, on_line, environment=scratch.target.compose.environment, stdin=file)
    if built.code:
        raise Failed(f"compose did not build it: {built.last_line()}", _lines(built))


def start(scratch: Scratch) -> str:
    """Start all containers, without their ports and their restart policies."""
    started = scratch.project.compose("up", "--detach", "--no-build")
    if started.code:
        raise Failed(f"compose did not start it: {started.last_line()}", scratch.logs())
    return ""


def healthy(scratch: Scratch) -> str:
    """Wait until every container is healthy, in the time that its health check allows."""
    _wait(scratch)
    ending = {item.name for item in scratch.service.containers if item.ends}
    unchecked = sorted(
        item.container for item in scratch.containers if not item.health and item.container not in ending
    )
    if unchecked:
        raise Failed(f"{', '.join(unchecked)} has no health check, so nothing shows whether it is ready")
    return ""


def _wait(scratch: Scratch) -> None:
    containers = scratch.service.containers
    ending = frozenset(item.name for item in containers if item.ends)
    awaited = frozenset(item.name for item in containers if item.awaited)
    waiting = Waiting(scratch.target.engine, scratch.project.name, awaited, ending)
    try:
        waiting.until_ready([item.name for item in containers])
    except NotReady as error:
        lines = (last_lines(scratch.target.engine, item, LOG_LINES) for item in error.containers)
        raise Failed(error.message, tuple(line for text in lines for line in text.splitlines())) from error


def answer(scratch: Scratch) -> str:
    """Ask each route at the port to which the router would lead, with the route's own name."""
    questions = make_questions(scratch.target.collective, scratch.service)
    if not questions:
        raise Skipped("it has no routes")
    return ", ".join(_ask(scratch, question) for question in questions)


def _ask(scratch: Scratch, question: Question) -> str:
    running = next((item for item in scratch.containers if item.container == question.container), None)
    if running is None:
        raise Failed(f"{question.route}: {question.container} does not run")
    asking = program("ask", str(question.port), *([question.host] if question.host else []))
    sharing = ("--network", f"container:{running.id}")
    asked = scratch.target.engine.docker("run", "--rm", "--pull=never", *sharing, image_name(), *asking)
    if asked.code:
        what = f"{question.route} does not answer at port {question.port} of {question.container}: {asked.last_line()}"
        raise Failed(what, scratch.logs())
    return f"{question.route}: {asked.text.strip() or 'accepts connections'}"


def updates(scratch: Scratch) -> str:
    """See that a build without the cache has no outdated packages."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, COMPOSE_FILE)
        file.write_bytes(scratch.file)
        own = {key: value for key, value in scratch.target.compose.environment.items() if key not in QUIET}
        environment = {**own, "COMPOSE_FILE": str(file), "COMPOSE_PROJECT_NAME": scratch.project.name}
        path = startable(scratch.service, "updates")
        ran = process.run((str(path),), environment=environment, seconds=UPDATES_SECONDS)
    if ran.code:
        raise Failed(f"scripts/updates failed: {ran.last_line()}", _lines(ran))
    late = tuple(ran.text.splitlines())
    if late:
        raise Failed(f"{count(len(late), 'package')} out of date right after a build without the cache", late)
    return ""


def write(scratch: Scratch) -> str:
    """Have the service's scripts/sample write what scripts/verify finds."""
    if not has_sample(scratch.service):
        raise Skipped("it has no scripts/sample, so only what the service makes by itself is tested")
    _script(scratch, SAMPLE)
    scratch.wrote = True
    return ""


def back_up(scratch: Scratch) -> str:
    """Run scripts/verify and scripts/backup."""
    scratch.verified = _verify(scratch)
    scratch.parts = _back_up(scratch, SAVED)
    if scratch.service.owns_data and not any(part.size for part in scratch.parts.values()):
        raise Failed("scripts/backup wrote nothing")
    return ", ".join([count(len(scratch.parts), "part"), *([scratch.verified] if scratch.verified else [])])


def destroy(scratch: Scratch) -> str:
    """Remove everything with all data, and start again: empty."""
    remove(scratch.project)
    left = [*scratch.containers, *scratch.target.engine.volumes(f"{PROJECT_LABEL}={scratch.project.name}")]
    if left:
        raise Failed(f"{count(len(left), 'container or volume')} was not removed")
    start(scratch)
    _wait(scratch)
    return ""


def verify_empty(scratch: Scratch) -> str:
    """See that scripts/verify notices that all content is gone."""
    checked = scratch.scripts.verify(scratch.project)
    if checked is None:
        raise Skipped("it has no scripts/verify")
    if checked.code:
        return f"on an empty service, scripts/verify fails: {checked.last_line()}"
    return compare_empty(scratch.verified, checked.last_line(), wrote=scratch.wrote)


def restore(scratch: Scratch) -> str:
    """Run scripts/restore on the empty service, and wait until it is healthy."""
    _script(scratch, "restore", SAVED)
    start(scratch)
    _wait(scratch)
    return ""


def verify(scratch: Scratch) -> str:
    """See that all content is back: by scripts/verify, and by backing it up again."""
    said = _verify_again(scratch)
    lost = compare(scratch.parts, _back_up(scratch, AGAIN))
    if lost:
        raise Failed("; ".join(lost))
    return said or "it has no scripts/verify; only the sizes of a second backup were compared"


def upgrade(scratch: Scratch) -> str:
    """Build again, and start the new images over the data."""
    before = {item.container: item.image for item in scratch.containers}
    _build(scratch, 2)
    start(scratch)
    _wait(scratch)
    old = sorted(item.container for item in scratch.containers if before.get(item.container) == item.image)
    same = [name for name in old if name in scratch.images]
    if same:
        raise Failed(f"{', '.join(same)} still runs the image before")
    return _verify_again(scratch)


def stop(scratch: Scratch) -> str:
    """Stop all containers; each must end by itself in its stop_grace_period."""
    engine = scratch.target.engine
    running = {item.id: item.container for item in scratch.containers if item.state == "running"}
    if not running:
        raise Skipped("no container runs")
    allowed = {name: stop_seconds(engine.inspect(number)) for number, name in running.items()}
    began = time.monotonic()
    stopped = scratch.project.compose("stop")
    if stopped.code:
        raise Failed(f"compose did not stop it: {stopped.last_line()}", scratch.logs())
    codes = {name: int(engine.inspect(number)["State"]["ExitCode"]) for number, name in running.items()}
    judge_stop(codes, allowed)
    return f"in {time.monotonic() - began:.1f} s, of {max(allowed.values()):.0f} s allowed"


def clean_up(scratch: Scratch) -> str:
    """Remove everything, and see that nothing is left."""
    remove(scratch.project)
    scratch.remove_images()
    engine, name = scratch.target.engine, scratch.project.name
    networks = [item["Name"] for item in engine.networks() if (item.get("Labels") or {}).get(PROJECT_LABEL) == name]
    left = [*(item.name for item in scratch.containers), *engine.volumes(f"{PROJECT_LABEL}={name}"), *networks]
    left += [image for image in engine.image_names() if image.startswith(f"{name}-")]
    if left:
        raise Failed(f"left behind: {', '.join(left)}")
    return ""


def _script(scratch: Scratch, name: str, *arguments: str) -> Result:
    ran = scratch.scripts.run(scratch.project, name, *arguments)
    if ran.code:
        raise Failed(f"scripts/{name} failed: {ran.last_line()}", _lines(ran))
    return ran


def _verify(scratch: Scratch) -> str:
    """Return what scripts/verify prints; nothing if there is none."""
    checked = scratch.scripts.verify(scratch.project)
    if checked is None:
        return ""
    if checked.code:
        raise Failed(f"scripts/verify failed: {checked.last_line()}", _lines(checked))
    return checked.last_line()


def _verify_again(scratch: Scratch) -> str:
    said = _verify(scratch)
    differs = snapshots.compare_content((scratch.verified,), said) if has_verify(scratch.service) else ""
    if differs:
        raise Failed(f"scripts/verify printed “{said}”; before, it printed “{scratch.verified}”")
    return said


def _back_up(scratch: Scratch, folder: str) -> dict[str, Part]:
    helper = scratch.scripts.helper
    helper.must("rm", "-rf", folder)
    _script(scratch, "backup", folder)
    return snapshots.make_inventory(helper.inventory(folder))


def _lines(ran: Result) -> tuple[str, ...]:
    return tuple(ran.last_lines(LOG_LINES).splitlines())
