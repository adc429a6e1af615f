"""Find the login page of an engine, and make services its clients: they log members in there by OpenID Connect."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from darkpeak.collective.model import Collective, Service
from darkpeak.engine.engine import VOLUME_LABEL, Engine
from darkpeak.engine.inside import Inside
from darkpeak.errors import SystemFailure
from darkpeak.plan.clients import Client, difference, read_clients, redirects
from darkpeak.plan.observed import Observed, find_container
from darkpeak.result import Result
from darkpeak.vocabulary import ACCOUNT, BASE_IMAGE, LOGIN_VOLUME, PORTAL, PROJECT_LABEL

FOLDER = "/login"
END = "-----END PUBLIC KEY-----\n"
NUMBER_OF_KEYS = 2
Run = Callable[[Sequence[str]], Result]


def find_login_page(collective: Collective, engine: Engine, observed: Observed) -> Run | None:
    """Return a function that runs a program in the login page's container; None if it does not run."""
    running = find_container(collective, observed, ACCOUNT, PORTAL)
    return Inside(engine, running.id).run if running else None


def require_container(collective: Collective, engine: Engine) -> Inside:
    """Return the login page's container.

    Raises:
        SystemFailure: when it does not run.
    """
    running = find_container(collective, engine.observe(), ACCOUNT, PORTAL)
    if running is None:
        what = f"the login page is not running on the engine at {engine.name}"
        raise SystemFailure(what, hint=f"start it: darkpeak up {ACCOUNT}")
    return Inside(engine, running.id)


def require_login_page(collective: Collective, engine: Engine) -> Run:
    """Return a function that runs a program in the login page's container.

    Raises:
        SystemFailure: when it does not run.
    """
    return require_container(collective, engine).run


def make_client(collective: Collective, engine: Engine, service: Service) -> None:
    """Make a service a client of the login page, and write what it needs into its volume.

    Raises:
        SystemFailure: when the login page does not run or refuses, or when the volume cannot be written.
    """
    groups = service.login.groups if service.login else ()
    arguments = (*(f"--group={group}" for group in groups), *redirects(collective, service))
    made = _ask(require_login_page(collective, engine), "add", service.name, *arguments)
    if service.login and service.login.gate:
        return  # the router logs members in
    name = dict(service.own_volumes)[LOGIN_VOLUME]
    engine.create_volume(name, {PROJECT_LABEL: service.project, VOLUME_LABEL: LOGIN_VOLUME})
    create = ("create", "--pull=never", "--network=none", f"--volume={name}:{FOLDER}", BASE_IMAGE, "true")
    writer = engine.docker(*create)
    if writer.code:
        raise SystemFailure(f"the volume {name} was not written: {writer.last_line()}")
    container = writer.text.strip()
    try:
        engine.write_files(container, FOLDER, made[0].files)
    finally:
        engine.docker("rm", "--force", container)


def remove_client(collective: Collective, engine: Engine, service: str) -> bool:
    """Have the login page forget a service; return whether it was a client. Without a login page, it was none.

    Raises:
        SystemFailure: when the login page refuses.
    """
    run = find_login_page(collective, engine, engine.observe())
    if run is None or all(client.name != service for client in _ask(run, "show")):
        return False
    done = run(("client", "remove", service))
    if done.code:
        raise SystemFailure(f"the login page did not remove its client {service}: {done.last_line()}")
    return True


def find_keys(collective: Collective, engine: Engine, observed: Observed) -> tuple[str, ...]:
    """Return the keys with which the login page tells the router who a member is; none if it cannot be asked.

    It is asked only if a service lets in members by the router.
    """
    gated = any(service.login and service.login.gate for service in collective.services)
    run = find_login_page(collective, engine, observed) if gated else None
    done = run(("public-keys",)) if run else None
    found = tuple(f"{key}{END}" for key in done.text.split(END)[:-1]) if done and not done.code else ()
    return tuple(key.lstrip() for key in found) if len(found) == NUMBER_OF_KEYS else ()


def find_unknown(
    collective: Collective, engine: Engine, observed: Observed, names: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Yield each of the named services that runs, and that the login page does not know as its files want, and why.

    If the login page does not run or answer, nothing is known: it comes first, and then each service that changes asks.
    """
    wanted = [service for service in collective.services if service.name in set(names) and service.login]
    run = find_login_page(collective, engine, observed) if wanted else None
    if run is None:
        return
    with suppress(SystemFailure):
        known = {client.name: client for client in _ask(run, "show")}
        for service in wanted:
            files = _files_of(engine, observed, service)
            groups = service.login.groups if service.login else ()
            why = difference(known.get(service.name), redirects(collective, service), groups, files)
            if why and observed.of(service.project):
                yield service.name, why


def _files_of(engine: Engine, observed: Observed, service: Service) -> Mapping[str, bytes] | None:
    """Return what a running container finds in the volume; None if none runs, or if the service needs no volume."""
    if service.login and not service.login.gate:
        for container, folder in service.login_mounts.items():
            running = observed.running(service.project, container)
            if running:
                return engine.read_folder(running.id, folder)
    return None


def _ask(run: Run, *arguments: str) -> list[Client]:
    """Run the login page's program `client`; return the clients that it prints, whose secrets must reach no log."""
    done = run(("client", *arguments))
    hint = f"see why: darkpeak logs {ACCOUNT}"
    if done.code:
        raise SystemFailure(f"the login page did not {arguments[0]} a client: {done.last_line()}", hint=hint)
    try:
        return read_clients(done.stdout)
    except ValueError as error:
        raise SystemFailure("the login page's answer is no client", hint=f"update it: darkpeak up {ACCOUNT}") from error
