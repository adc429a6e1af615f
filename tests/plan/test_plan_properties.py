"""Properties of plans: applied to what was observed, a plan gives what is desired, and the plan of that is empty."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from darkpeak.collective.model import Collective, Container, Place, Port, Service, Shared
from darkpeak.plan.observed import Observed, Running
from darkpeak.plan.plan import Action, Plan, make_plan, newest_ready
from darkpeak.plan.text import make_tree

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
    for number, name in enumerate(draw(st.lists(st.sampled_from(("wiki", "chat", "git")), min_size=1, unique=True))):
        relied = (Shared(f"net-{number - 1}", external=True, at=AT),) if number and draw(st.booleans()) else ()
        own = (Shared(f"net-{number}", external=False, at=AT),)
        services.append(
            Service(name, Path(name), AT, project=name, containers=draw(containers(name)), networks=(*own, *relied))
        )
    return Collective(Path(), "Test", "localhost", services=tuple(services))


@st.composite
def snapshots(draw: st.DrawFn) -> Observed:
    """Draw whatever could be on a daemon: right, wrong, ill, several, strangers."""
    found = []
    projects = st.sampled_from(("wiki", "chat", "git", "stranger"))
    for number in range(draw(st.integers(0, 6))):
        project, name = draw(projects), draw(st.sampled_from((*NAMES, "old")))
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
                created=number,
            )
        )
    images = tuple((f"{item.project}-{item.container}", "image-2") for item in found)
    return Observed(tuple(found), tuple(sorted(set(images))))


def carried_out(plan: Plan, collective: Collective, before: Observed) -> Observed:
    """Return what is there after each step has done what its name says."""
    after = [item for item in before.containers if item.project not in {service.service for service in plan.services}]
    images = before.image_ids
    for planned in plan.services:
        service = next(item for item in collective.services if item.name == planned.service)
        for container in service.containers:
            running = before.of(service.project, container.name)
            step = next(step for step in planned.steps if step.container == container.name)
            fresh = Running(
                id=f"new-{service.name}-{container.name}",
                project=service.project,
                container=container.name,
                number=99,
                name="new",
                state="running",
                health="healthy",
                content=container.content,
                image=images.get(container.image, "image-new"),
                created=99,
            )
            match step.action:
                case Action.NOTHING:
                    after += running
                case Action.TIDY:
                    stays = newest_ready(running)
                    assert stays
                    after.append(stays)
                case _:
                    after.append(fresh)
    return replace(before, containers=tuple(after))


@given(collectives(), snapshots())
def test_a_plan_carried_out_leaves_nothing_to_do(collective: Collective, before: Observed) -> None:
    names = frozenset(service.name for service in collective.services)
    plan = make_plan(collective, before, names)
    after = carried_out(plan, collective, before)
    assert make_plan(collective, after, names).changes == ()
    for service in collective.services:
        for container in service.containers:
            (item,) = after.of(service.project, container.name)
            assert item.ready
            assert item.content == container.content


@given(collectives(), snapshots())
def test_what_serves_is_never_stopped_where_a_new_one_fits_beside_it(collective: Collective, before: Observed) -> None:
    plan = make_plan(collective, before, frozenset(service.name for service in collective.services))
    for service in collective.services:
        planned = next(item for item in plan.services if item.service == service.name)
        for container in service.containers:
            served = any(item.ready for item in before.of(service.project, container.name))
            step = next(step for step in planned.steps if step.container == container.name)
            if served and container.spare_port and container.healthcheck:
                assert step.action in (Action.NOTHING, Action.REPLACE, Action.TIDY)


@given(collectives(), snapshots())
def test_the_same_state_gives_the_same_plan_in_the_same_words(collective: Collective, before: Observed) -> None:
    names = frozenset(service.name for service in collective.services)
    turned = replace(before, containers=before.containers[::-1])
    first, second = make_plan(collective, before, names), make_plan(collective, before, names)
    assert list(make_tree(first)) == list(make_tree(second))
    steps = [[(step.container, step.action) for step in item.steps] for item in first.services]
    again = make_plan(collective, turned, names)
    assert [[(step.container, step.action) for step in item.steps] for item in again.services] == steps
