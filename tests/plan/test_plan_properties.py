"""Properties of plans, carried out on a model of an engine: the result matches the files, and nothing is left to do."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from darkpeak.collective.model import Collective, Container, NamedRoute, Place, Port, Routes, Service, Shared
from darkpeak.plan.decisions import Action
from darkpeak.plan.observed import Observed, Running
from darkpeak.plan.operations import Build, Operation, Remove, Route, Start, StartBeside
from darkpeak.plan.plan import Plan, make_plan
from darkpeak.plan.text import make_text

AT = Place("docker-compose.yml", 1)
NAMES = ("alpha", "beta", "gamma")


@st.composite
def containers(draw: st.DrawFn, project: str) -> tuple[Container, ...]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    return tuple(
        Container(
            name,
            AT,
            build=name,
            ports=(Port("127.0.0.1", range(6010, draw(st.sampled_from((6011, 6012)))), range(80, 81), AT),),
            healthcheck=draw(st.booleans()),
            image=f"{project}-{name}",
            content=draw(st.sampled_from(("one", "two"))),
        )
        for name in names
    )


@st.composite
def collectives(draw: st.DrawFn) -> Collective:
    services = []
    chosen = draw(st.lists(st.sampled_from(("wiki", "chat", "git", "router")), min_size=1, unique=True))
    for number, name in enumerate(chosen):
        needed = (Shared(f"net-{number - 1}", external=True, at=AT),) if number and draw(st.booleans()) else ()
        own = (Shared(f"net-{number}", external=False, at=AT),)
        routes = Routes(http=(NamedRoute(name, 6010, AT),)) if draw(st.booleans()) else Routes()
        found = draw(containers(name))
        services.append(
            Service(name, Path(name), AT, project=name, routes=routes, containers=found, networks=(*own, *needed))
        )
    return Collective(Path(), "Test", "localhost", services=tuple(services))


@st.composite
def snapshots(draw: st.DrawFn) -> Observed:
    """Draw what can be on a daemon: containers that match or differ, unhealthy ones, several, copies, orphans."""
    found = []
    projects = st.sampled_from(("wiki", "chat", "git", "router", "another"))
    for number in range(draw(st.integers(0, 6))):
        project, name = draw(projects), draw(st.sampled_from((*NAMES, "old", "haproxy")))
        state = draw(st.sampled_from(("running", "exited", "created", "restarting")))
        found.append(
            Running(
                id=f"id-{number}",
                project=project,
                container=name,
                number=number,
                name=f"{project}-{name}-{number}",
                state=state,
                health=draw(st.sampled_from(("healthy", "unhealthy", "starting", ""))) if state == "running" else "",
                content=draw(st.sampled_from(("one", "two", ""))),
                image=draw(st.sampled_from(("image-1", "image-2"))),
            )
        )
    images = tuple((f"{item.project}-{item.container}", "image-2") for item in found)
    return Observed(tuple(found), tuple(sorted(set(images))))


class Model:
    """A model of an engine with compose, which is enough for plans."""

    def __init__(self, collective: Collective, before: Observed) -> None:
        self.collective, self.running = collective, list(before.containers)
        self.images, self.started = dict(before.images), 0
        self.routed: dict[str, list[str]] = {}  # the containers that served when a service was routed

    def carry_out(self, plan: Plan) -> Observed:
        """Carry out every operation of a plan; return what is on the daemon then."""
        for planned in plan.services:
            service = next(item for item in self.collective.services if item.name == planned.service)
            for operation in planned.operations:
                self.one(service, operation)
        return Observed(tuple(self.running), tuple(sorted(self.images.items())))

    def one(self, service: Service, operation: Operation) -> None:
        """Carry out one operation."""
        match operation:
            case Build(names):
                self.images |= {self.entry(service, name).image: f"built-{service.name}-{name}" for name in names}
            case Start(names, anew):
                for container in service.containers:
                    if container.name in (names or [item.name for item in service.containers]):
                        self.bring_up(service, container, anew=anew)
            case StartBeside(name, beside):
                assert set(beside) <= {item.id for item in self.running}, "a container that serves still runs"
                self.start(service, self.entry(service, name))
            case Route():
                self.routed[service.name] = [item.id for item in self.running if item.project == service.project]
            case Remove(_, ids):
                self.running = [item for item in self.running if item.id not in ids]

    def bring_up(self, service: Service, container: Container, *, anew: bool) -> None:
        """Do what `docker compose up` does: recreate a container whose content or image differs, start the others."""
        own = [item for item in self.running if (item.project, item.container) == (service.project, container.name)]
        image = self.images.get(container.image)
        fresh = [item for item in own if item.content == container.content and image in (item.image, None)]
        self.running = [item for item in self.running if item not in own]
        if fresh and not anew:
            self.running.append(replace(fresh[-1], state="running", health="healthy"))
        else:
            self.start(service, container)

    def start(self, service: Service, container: Container) -> None:
        """Start a new container."""
        self.started += 1
        self.running.append(
            Running(
                id=f"new-{self.started}",
                project=service.project,
                container=container.name,
                number=90 + self.started,
                name="new",
                state="running",
                health="healthy",
                content=container.content,
                image=self.images.setdefault(container.image, f"built-{service.name}-{container.name}"),
            )
        )

    def entry(self, service: Service, name: str) -> Container:
        """Return a container as in the files."""
        return next(item for item in service.containers if item.name == name)


def all_names(collective: Collective) -> frozenset[str]:
    return frozenset(service.name for service in collective.services)


@given(collectives(), snapshots())
def test_a_plan_carried_out_leaves_nothing_to_do(collective: Collective, before: Observed) -> None:
    plan = make_plan(collective, before, all_names(collective))
    after = Model(collective, before).carry_out(plan)
    assert make_plan(collective, after, all_names(collective)).changes == ()
    for service in collective.services:
        for container in service.containers:
            (item,) = after.of(service.project, container.name)
            assert item.ready
            assert item.content == container.content


@given(collectives(), snapshots())
def test_the_old_instance_runs_until_the_route_has_changed(collective: Collective, before: Observed) -> None:
    """If both fit side by side, the old container must still run when the new one starts, which `Model` checks."""
    plan = make_plan(collective, before, all_names(collective))
    model = Model(collective, before)
    model.carry_out(plan)
    for service in collective.services:
        planned = next(item for item in plan.services if item.service == service.name)
        for container in service.containers:
            served = [item.id for item in before.of(service.project, container.name) if item.ready]
            decision = next(item for item in planned.decisions if item.container == container.name)
            if served and container.spare_port and container.healthcheck:
                assert decision.action in (Action.NOTHING, Action.REPLACE, Action.TIDY)
            if decision.action is Action.REPLACE and service.name in model.routed:
                assert set(served) < set(model.routed[service.name])


@given(collectives(), snapshots())
def test_only_containers_that_the_plan_names_are_removed(collective: Collective, before: Observed) -> None:
    """Containers of other projects, and of services that do not change, are not touched."""
    plan = make_plan(collective, before, all_names(collective))
    after = Model(collective, before).carry_out(plan)
    changing = {item.service for item in plan.changes}
    left_alone = [item for item in before.containers if item.project not in changing]
    assert [item for item in after.containers if item in left_alone] == left_alone


@given(collectives(), snapshots())
def test_the_same_state_gives_the_same_plan_in_the_same_words(collective: Collective, before: Observed) -> None:
    turned = replace(before, containers=before.containers[::-1])
    first, second = (make_plan(collective, seen, all_names(collective)) for seen in (before, before))
    assert list(make_text(first)) == list(make_text(second))
    decided = [[(item.container, item.action) for item in planned.decisions] for planned in first.services]
    again = make_plan(collective, turned, all_names(collective))
    assert [[(item.container, item.action) for item in planned.decisions] for planned in again.services] == decided
