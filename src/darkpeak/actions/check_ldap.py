"""Prove a service's LDAP settings against the live directory, from where its containers are.

A container with OpenLDAP's programs, of the directory's own image, is started in the network and with the volumes of
each container of the service that asks the directory. So names, routes and the CA are what the service itself has.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from darkpeak.actions.directory import find_directory
from darkpeak.collective.content import read_files
from darkpeak.collective.model import Container, Service
from darkpeak.deploy.target import Target
from darkpeak.engine.engine import Engine
from darkpeak.engine.inside import Inside
from darkpeak.engine.send import send
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.helper.container import keep_running
from darkpeak.members import ldap_checks as judge
from darkpeak.members.ldap_checks import Check, Joined, Person
from darkpeak.members.ldap_settings import DEFAULT_FILTER, Settings, fill_in, find_settings
from darkpeak.members.ldif_text import member_dn
from darkpeak.plan.observed import find_container
from darkpeak.result import Result, Verdict
from darkpeak.vocabulary import DIRECTORY, DIRECTORY_NETWORK, SLAPD


@dataclass(frozen=True)
class People:
    """Whom the checks search for: a member, and one who is in a group, if there is any."""

    member: Person
    grouped: Person | None


@dataclass(frozen=True)
class Asker:
    """A container of a service that asks the directory, and its settings."""

    name: str
    id: str
    settings: Settings


def check_ldap(there: Target, directory: Target, given: Settings, container: str, uid: str) -> list[Check]:
    """Return all checks of a service's containers; settings that are given win over those in its files.

    Raises:
        UsageError: when the service does not ask the directory, or there is no such member.
        SystemFailure: when the service or the directory is not running.
    """
    askers = _find_askers(there, given, container)
    people = _find_people(directory, uid)
    image = _ensure_image(directory, there.engine)
    slapd = _slapd(directory)
    checks = []
    for asker in askers:
        checks += list(_check(there.engine, image, asker, people, slapd))
    return checks


def _check(engine: Engine, image: str, asker: Asker, people: People, slapd: Inside) -> Iterator[Check]:
    """Yield the checks of one container, up to the first that failed: those after it need it."""
    details = engine.inspect(asker.id)
    joined = _joined(engine, details)
    yield (network := judge.judge_network(asker.name, joined))
    if network.verdict is Verdict.BAD:
        return
    with _beside(engine, image, asker.id) as beside:
        for check in _ask(asker, people, beside):
            yield check
            if check.verdict is Verdict.BAD:
                return
    settings, grouped = asker.settings, people.grouped
    if settings.group_filter.value and settings.group_base.value and grouped:
        found = slapd.run(judge.make_group_search(settings, grouped))
        yield judge.judge_groups(asker.name, settings, grouped, found)


def _ask(asker: Asker, people: People, beside: Inside) -> Iterator[Check]:
    """Yield what a program with the settings would find, step by step as in a login."""
    name, settings, member = asker.name, asker.settings, people.member
    yield judge.judge_name(name, settings, beside.run(("getent", "ahosts", settings.host)))
    unsafe = judge.judge_line(name, settings)
    if unsafe:
        yield unsafe
    elif beside.run(("test", "-r", settings.ca.value)).code:
        yield judge.judge_ca(name, settings)
    else:
        asked = beside.run(judge.make_root_search(settings))
        anyone = beside.run(judge.make_root_search(settings, verify=False)) if asked.code else asked
        yield judge.judge_tls(name, settings, asked, anyone)
    yield judge.judge_search(name, settings, member, _search(beside, settings, member.uid, member.dn))
    yield judge.judge_stranger(name, settings, _search(beside, settings, judge.NOBODY, member_dn(judge.NOBODY)))
    wrong = secrets.token_urlsafe().encode()
    yield judge.judge_password(name, member, beside.run(judge.make_login(settings, member.dn), wrong))


def _search(beside: Inside, settings: Settings, uid: str, dn: str) -> Result:
    filter_ = fill_in(settings.filter.value or DEFAULT_FILTER, uid, dn)
    return beside.run(judge.make_search(settings, settings.base.value, filter_))


def _find_askers(there: Target, given: Settings, wanted: str) -> list[Asker]:
    """Return the containers of a service that ask the directory, with their settings."""
    service, chosen = there.service, {key: value for key, value in vars(given).items() if value.value}
    containers = [item for item in service.containers if wanted in ("", item.name)]
    if not containers:
        names = ", ".join(item.name for item in service.containers) or "there are none"
        raise UsageError(f"{service.name} has no container {wanted}", hint=f"its containers: {names}")
    askers = []
    observed = there.engine.observe()
    for container in containers:
        running = observed.running(service.project, container.name)
        texts = _texts(service, container)
        if running:
            texts |= _environment(there.engine.inspect(running.id), container.name)
        found = list(find_settings(texts)) or ([Settings()] if "address" in chosen and wanted else [])
        if found and not running:
            what = f"the container {container.name} of {service.name} is not running"
            raise SystemFailure(what, hint=f"start it: darkpeak up {service.name}")
        askers += [Asker(container.name, running.id, replace(item, **chosen)) for item in found if running]
    if not askers:
        hint = "if a program has the settings elsewhere, give them: --container web --address ldaps://directory"
        raise UsageError(f"no file of {service.name} has the address of a directory (ldaps://…)", hint=hint)
    return askers


def _texts(service: Service, container: Container) -> dict[str, str]:
    """Return the text files from which a container's image is built, by their names in the collective."""
    if not container.build:
        return {}
    top = Path("services") / service.name / container.build
    files = read_files(service.folder / container.build)
    return {str(top / name): file.text for name, file in files.items() if file.text is not None}


def _environment(details: Mapping[str, Any], container: str) -> dict[str, str]:
    """Return what a container is told in variables and arguments, as a text with a line for each."""
    config = details["Config"]
    lines: Sequence[str] = [*(config.get("Env") or ()), *(config.get("Cmd") or ())]
    return {f"the variables and arguments of {container}": "\n".join(line.replace("\n", " ") for line in lines)}


def _find_people(directory: Target, uid: str) -> People:
    found = find_directory(directory)
    if uid:
        found.account(uid)
    names = [uid] if uid else [member.uid for member in found.members()]
    if not names:
        raise UsageError("the directory has no members", hint="add one first: darkpeak member add ada")
    grouped = next((name for group in found.groups() for name in group.members if name in names), "")
    member = grouped or names[0]
    return People(_person(member), _person(grouped) if grouped else None)


def _person(uid: str) -> Person:
    return Person(uid, member_dn(uid))


def _slapd(directory: Target) -> Inside:
    running = find_container(directory.collective, directory.engine.observe(), DIRECTORY, SLAPD)
    assert running  # noqa: S101 (find_directory has found it)
    return Inside(directory.engine, running.id)


def _ensure_image(directory: Target, there: Engine) -> str:
    """Return the image with OpenLDAP's programs: the directory's; send it to another engine that lacks it."""
    image = next(item.image for item in directory.service.containers if item.name == SLAPD)
    if not there.has_image(image):
        send((image,), directory.engine, there)
    return image


def _joined(engine: Engine, details: Mapping[str, Any]) -> Joined:
    mode = details["HostConfig"]["NetworkMode"]
    if mode.startswith("container:"):
        return _joined(engine, engine.inspect(mode.removeprefix("container:")))
    return Joined(DIRECTORY_NETWORK in details["NetworkSettings"]["Networks"], mode == "host")


@contextmanager
def _beside(engine: Engine, image: str, container: str) -> Iterator[Inside]:
    """Start a container in the network and with the volumes of another, and yield it; it ends with this block."""
    name = f"darkpeak-ldap-{secrets.token_hex(4)}"
    with keep_running(engine, make_beside(image, container, name), "the check's container"):
        yield Inside(engine, name)


def make_beside(image: str, container: str, name: str) -> tuple[str, ...]:
    """Return the command that starts a container beside another: it sees what that one has, and changes nothing."""
    return (
        *("docker", "run", "--rm", "--interactive", "--init", "--pull=never", "--log-driver=none", "--read-only"),
        *("--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=64m", "--no-healthcheck"),
        *(f"--name={name}", f"--network=container:{container}", f"--volumes-from={container}:ro"),
        *(image, "sh", "-c", "echo ready; exec cat"),
    )
