"""A plan in words, as a tree."""

from collections.abc import Iterator

from darkpeak.plan.plan import Action, Plan, ServicePlan

WORDS = {
    Action.CREATE: "built and started",
    Action.REPLACE: "built, started beside the old one, routed, the old one removed",
    Action.UPDATE: "built, stopped and started anew",
    Action.RECREATE: "made anew",
    Action.START: "started",
    Action.TIDY: "routed, the old one removed",
    Action.REMOVE: "removed",
    Action.NOTHING: "nothing",
}


def make_tree(plan: Plan) -> Iterator[str]:
    """Return the plan's lines: services that change with each container and its cause, then the others in one line."""
    for service in plan.changes:
        yield from _branch(service)
    same = [service.service for service in plan.services if not service.changes]
    if same:
        yield f"nothing to do: {', '.join(same)}"
    for project in plan.orphans:
        yield f"on the daemon, and in no file: {project} (docker compose -p {project} down removes it)"


def _branch(service: ServicePlan) -> Iterator[str]:
    yield service.service + f" (after {', '.join(service.after)})" * bool(service.after)
    for number, step in enumerate(service.steps, 1):
        mark = "└──" if number == len(service.steps) else "├──"
        yield f"{mark} {step.container}: {WORDS[step.action]}, since {step.cause}"
    if service.owns_data and service.containers(Action.REPLACE, Action.UPDATE):
        yield "    what the new version does to its data is not undone: up --backup-first DIR saves that before"
