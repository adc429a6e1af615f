"""The plan of `up`, as a value: a decision for each container, and for each service its operations in order.

Everything is decided here, from the files and one look at the daemon; the executor decides nothing. Pure.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from darkpeak.collective.model import Collective, Finding, Service
from darkpeak.collective.stand_ins import find_stand_ins
from darkpeak.plan.decisions import (
    BESIDE,
    BUILT,
    NO_FILE,
    Action,
    Decision,
    Outdated,
    decide,
    decide_rollback,
    decide_stack_rollback,
)
from darkpeak.plan.networks import find_moved
from darkpeak.plan.observed import Observed, Running, find_container
from darkpeak.plan.operations import (
    BackUp,
    Build,
    Certify,
    ClearNetwork,
    DeployStack,
    Drain,
    GoBack,
    JoinNetwork,
    MakeClient,
    Operation,
    Remove,
    Represent,
    Route,
    Start,
    StartBeside,
    UseImages,
)
from darkpeak.vocabulary import HAPROXY, ROUTER

DRAIN_SECONDS = 1.0


@dataclass(frozen=True)
class ServicePlan:
    """What is done with one service."""

    service: str
    after: tuple[str, ...]  # services that come first
    depends_on: tuple[str, ...]  # those of `after` whose failure stops this one
    decisions: tuple[Decision, ...]
    operations: tuple[Operation, ...] = ()
    owns_data: bool = False
    volumes: tuple[str, ...] = ()  # in words: those that are made new, or left behind

    @property
    def changes(self) -> tuple[Decision, ...]:
        """The decisions that change something."""
        return tuple(item for item in self.decisions if item.action is not Action.NOTHING)

    def containers(self, *actions: Action) -> tuple[str, ...]:
        """Return the containers with one of these actions."""
        return tuple(item.container for item in self.decisions if item.action in actions)


@dataclass(frozen=True)
class Plan:
    """What is done with each service, sorted by name; drift of the router; orphans."""

    services: tuple[ServicePlan, ...]
    drift: tuple[str, ...] = ()  # how the router differs from the files, if no operation sets routes
    orphans: tuple[str, ...] = ()
    faults: tuple[Finding, ...] = ()  # because of which services are left out of the plan
    routed: bool = True  # a router runs, or will
    files: tuple[str, ...] = ()  # files for plain compose that `up` writes
    clients: tuple[tuple[str, str], ...] = ()  # services that do not change, and how the login page differs
    stand_ins: tuple[str, ...] = ()  # in words: those that are made, made again, or removed
    groups: tuple[str, ...] = ()  # changes of the groups of admins in the directory, in words

    @property
    def changes(self) -> tuple[ServicePlan, ...]:
        """The services that change."""
        return tuple(service for service in self.services if service.changes)

    @property
    def order(self) -> list[str]:
        """The services that change; one comes after those that it depends on."""
        changing = {item.service for item in self.changes}
        after = {item.service: item.after for item in self.services}
        return [name for name in TopologicalSorter(after).static_order() if name in changing]

    def depends_on(self, name: str) -> tuple[str, ...]:
        """Return the services whose failure stops this one."""
        return next((item.depends_on for item in self.services if item.service == name), ())

    @property
    def routes(self) -> bool:
        """Whether an operation sets the routes."""
        return any(isinstance(item, Route) for service in self.services for item in service.operations)


def make_plan(
    collective: Collective,
    observed: Observed,
    names: frozenset[str],
    backup_to: Path | None = None,
    outdated: Outdated = frozenset(),
) -> Plan:
    """Return the plan that makes the named services match the files.

    `backup_to` is where data is saved first; the images of `outdated` containers are built anew, without the cache.
    """
    sound = [service for service in collective.services if service.name not in collective.unsound]
    chosen = [service for service in sound if service.name in names and service.runs]
    decided = {service.name: tuple(decide(service, observed, outdated)) for service in chosen}
    routed = _has_router(collective, observed) or ROUTER in decided
    services = tuple(
        _plan_service(collective, service, decided[service.name], observed, routed, names, backup_to)
        for service in chosen
    )
    known = {service.project for service in collective.services} | {f"darkpeak-{name}" for name in collective.unsound}
    ours = {item.project for item in observed.containers if item.content and not item.scratch}
    return Plan(services, orphans=tuple(sorted(ours - known)), faults=collective.faults, routed=routed)


def make_rollback(
    collective: Collective, service: Service, observed: Observed, images: Mapping[str, str]
) -> ServicePlan:
    """Return the plan that makes a service run these images, by container, whatever its files say."""
    now = observed.images_of(service.project)
    decisions = tuple(
        decide_rollback(container, observed.of(service.project, container.name), images[container.name])
        if not service.stacked
        else decide_stack_rollback(container, now.get(container.name), images[container.name])
        for container in service.containers
        if container.name in images
    )
    used = tuple((name, images[name]) for name in sorted(images))
    operations = _operations(service, decisions, observed, routed=_has_router(collective, observed), backup_to=None)
    given = (UseImages(used), *(item for item in operations if not isinstance(item, Build)))
    changed = any(item.action is not Action.NOTHING for item in decisions)
    return ServicePlan(service.name, (), (), decisions, given if changed else ())


def _has_router(collective: Collective, observed: Observed) -> bool:
    return find_container(collective, observed, ROUTER, HAPROXY) is not None


def _plan_service(  # noqa: PLR0913, PLR0917 (all that a service's plan depends on)
    collective: Collective,
    service: Service,
    decisions: tuple[Decision, ...],
    observed: Observed,
    routed: bool,  # noqa: FBT001 (whether there is a router, or will be)
    names: frozenset[str],
    backup_to: Path | None,
) -> ServicePlan:
    depends_on = tuple(name for name in collective.depends_on(service) if name in names)
    represented = tuple(
        Represent(item) for item in find_stand_ins(collective, collective.here) if service.name in item.users
    )
    first = (ROUTER,) if (service.routes or represented) and ROUTER in names and service.name != ROUTER else ()
    operations = _operations(service, decisions, observed, routed=routed, backup_to=backup_to)
    built = sum(isinstance(item, Build) for item in operations)  # comes first
    operations = (*operations[:built], *represented, *operations[built:]) if operations else ()
    after = tuple(sorted({*depends_on, *first}))
    return ServicePlan(service.name, after, depends_on, decisions, operations, service.owns_data)


def _operations(
    service: Service, decisions: tuple[Decision, ...], observed: Observed, *, routed: bool, backup_to: Path | None
) -> tuple[Operation, ...]:
    """Return the operations that carry out the decisions, in order."""
    if all(item.action is Action.NOTHING for item in decisions):
        return ()
    if service.stacked:
        return _stack(service, decisions, observed, routed=routed, backup_to=backup_to)
    running = {item.container: observed.of(service.project, item.container) for item in decisions}
    by_action = {action: [item.container for item in decisions if item.action is action] for action in Action}
    replaced, tidied = by_action[Action.REPLACE], by_action[Action.TIDY]
    moved = find_moved(service, observed)
    operations = _before(service, decisions, observed, backup_to)
    operations += [ClearNetwork(item.name, item.own, tuple(other for other, _ in item.others)) for item in moved]
    operations += _start_in_place(service, by_action, running)
    operations += [JoinNetwork(item.name, item.others) for item in moved if item.others]
    serving = {item.name: observed.serving(service.project, item) for item in service.containers}
    back = {name: _go_back(serving[name], running[name]) for name in replaced}
    for name in replaced:
        operations += _start_beside(service, name, running[name], back[name])
    if service.certificate and routed:
        operations.append(Certify(service.certificate))
    if routed and (service.routes or service.name == ROUTER):
        operations.append(Route(_route_names(service), tuple(back.values())))
        operations += [Drain(DRAIN_SECONDS, early=_only_http(service))] if replaced or tidied else []
    for name in replaced:
        operations.append(Remove(name, _ids(running[name], ready=True), "the new one has taken over"))
    for name in tidied:
        others = tuple(item.id for item in running[name] if item != serving[name])
        operations.append(Remove(name, others, "an interrupted deploy left it"))
    gone = ((name, tuple(item.id for item in running[name])) for name in by_action[Action.REMOVE])
    return (*operations, *(Remove(name, ids, NO_FILE) for name, ids in gone))


def _stack(
    service: Service, decisions: tuple[Decision, ...], observed: Observed, *, routed: bool, backup_to: Path | None
) -> tuple[Operation, ...]:
    """Return the operations for a service that a swarm runs."""
    before = tuple((item.container, item.image) for item in observed.stack_of(service.project))
    operations = [*_before(service, decisions, observed, backup_to), DeployStack(GoBack(before))]
    if service.certificate and routed:
        operations.append(Certify(service.certificate))
    return (*operations, Route(_route_names(service))) if routed and service.routes else tuple(operations)


def _only_http(service: Service) -> bool:
    """Return whether the router sees each request to a service: it does not in streams."""
    streams = service.routes.tls or service.routes.tcp or service.routes.ssh or service.routes.plain_ssh
    return not streams and service.name != ROUTER


def _before(
    service: Service, decisions: Sequence[Decision], observed: Observed, backup_to: Path | None
) -> list[Operation]:
    """Return what is done before anything is touched: build missing images, save data."""
    built = observed.contents
    changing = {item.container for item in decisions if item.action in BUILT}
    own = [item for item in service.containers if item.name in changing and item.build]
    fresh = tuple(item.container for item in decisions if item.fresh)
    missing = tuple(item.name for item in own if built.get(item.image) != item.content and item.name not in fresh)
    operations: list[Operation] = [Build(missing)] if missing else []
    operations += [Build(fresh, fresh=True)] if fresh else []
    if backup_to and service.owns_data and observed.has(service.project):
        operations.append(BackUp(backup_to / service.name))
    return [*operations, MakeClient()] if service.login else operations


def _start_in_place(
    service: Service, by_action: Mapping[Action, list[str]], running: Mapping[str, Sequence[Running]]
) -> list[Operation]:
    """Return how containers are started that are not replaced side by side.

    Those that are meant to end run first, if they need nothing that changes: if they fail, the others still run.
    """
    started = (*BUILT, Action.RECREATE, Action.START)
    changing = [name for action in started if action is not Action.REPLACE for name in by_action[action]]
    ending = {item.name for item in service.containers if item.ends}
    first = _first(service, changing, ending) if any(running[name] for name in running if name not in ending) else []
    beside = {name for action in BESIDE for name in by_action[action]}
    operations: list[Operation] = []
    if first:
        create, lasting = _untouched_needs(service, first, beside)
        operations.append(Start(tuple(first), ending=True, create=create, needs=lasting))
    if not [name for name in changing if name not in first]:
        return operations
    left = {*first, *beside}
    left |= ending & set(by_action[Action.NOTHING])  # compose would run them again
    named = [name for name in running if name not in left and name not in by_action[Action.REMOVE]]
    updated = [item for name in by_action[Action.UPDATE] if name not in ending for item in running[name]]
    back = GoBack(tuple((item.container, item.image) for item in updated), restart=True) if updated else None
    create, lasting = _untouched_needs(service, named, beside)
    anew = bool(by_action[Action.RECREATE])
    start = Start(tuple(named) if left else (), anew=anew, otherwise=back, create=create, needs=lasting)
    return [*operations, start]


def needs(service: Service, names: Collection[str]) -> tuple[str, ...]:
    """Return the other containers that these need, directly or not (`depends_on`), in the order of the file."""
    direct = {item.name: item.depends_on for item in service.containers}
    found = set(names)
    while more := {other for name in found for other in direct.get(name, ())} - found:
        found |= more
    return tuple(item.name for item in service.containers if item.name in found and item.name not in names)


def _untouched_needs(service: Service, names: Sequence[str], beside: set[str]) -> tuple[bool, tuple[str, ...]]:
    """Return whether these need others that compose may look at, and those of them that run.

    Compose would recreate one that is replaced side by side, and one that itself needs what is recreated.
    """
    found = needs(service, names)
    if not found or beside & set(found) or set(names) & set(needs(service, found)):
        return False, ()
    return True, tuple(item.name for item in service.containers if item.name in found and not item.ends)


def _first(service: Service, changing: Sequence[str], ending: set[str]) -> list[str]:
    """Return the containers that are meant to end, and need no other container that changes."""
    needs = {item.name: set(item.depends_on) for item in service.containers}
    late = {name for name in changing if name not in ending}
    while more := {name for name in changing if name not in late and needs[name] & late}:
        late |= more
    return [name for name in changing if name not in late]


def _start_beside(service: Service, name: str, running: Sequence[Running], back: GoBack) -> list[Operation]:
    unready = _ids(running, ready=False)
    first: list[Operation] = [Remove(name, unready, "it is not ready", patient=False)] if unready else []
    return [*first, StartBeside(name, _ids(running, ready=True), back, needs(service, (name,)))]


def _go_back(serving: Running | None, running: Sequence[Running]) -> GoBack:
    images = ((serving.container, serving.image),) if serving else ()
    return GoBack(images, _ids(running, ready=True))


def _ids(running: Sequence[Running], *, ready: bool) -> tuple[str, ...]:
    return tuple(item.id for item in running if item.ready is ready)


def _route_names(service: Service) -> tuple[str, ...]:
    """Return the router's names for the service's routes."""
    routes = service.routes
    return (
        *(route.label for route in routes.http),
        *(f"tls {route.label}" for route in routes.tls),
        *((f"ssh {service.name}",) if routes.ssh else ()),
        *(f"{service.name}:{route.public}" for route in routes.tcp),
    )
