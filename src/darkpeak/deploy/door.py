"""Start the door of a stack: the container that leads the service's loopback ports to its tasks."""

from collections.abc import Callable
from time import monotonic, sleep

from darkpeak.collective.model import Collective, Service
from darkpeak.engine import swarm
from darkpeak.engine.engine import Engine
from darkpeak.errors import SystemFailure
from darkpeak.plan.door import HEALTH, hash_door, make_door, name_of_door, ports_of_door
from darkpeak.vocabulary import CONTENT_LABEL, DOOR_LABEL, HAPROXY, LOOPBACK, PROJECT_LABEL, ROUTER

FOLDER, FILE = "/etc/haproxy", "door.cfg"
READY_SECONDS = 60
PAUSE = 0.2
LIMITS = ("--memory", "256m", "--pids-limit", "100", "--log-driver", "local")
CLOSED = ("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "haproxy", "--no-healthcheck")


def ensure(collective: Collective, service: Service, engine: Engine, step: Callable[[str], None]) -> None:
    """Start a service's door, unless it runs as it should; wait until it leads to a task for each port.

    Raises:
        SystemFailure: when it does not start, or finds no task.
    """
    ports = ports_of_door(service)
    if not ports:
        remove(service, engine)
        return
    name = name_of_door(service.project)
    if (service.project, hash_door(service)) not in engine.observe().doors:
        step("opening its door")
        remove(service, engine)
        swarm.must(engine, *make_create(service, _image(collective, engine)))
        engine.write_files(name, FOLDER, {FILE: make_door(service).encode()})
        swarm.must(engine, "start", name)
    end = monotonic() + READY_SECONDS
    while engine.exec_by_api(name, ("curl", "--silent", "--fail", f"http://{LOOPBACK}:{HEALTH}/")).code:
        if monotonic() > end:
            raise SystemFailure(f"the door of {service.name} finds no task", hint=f"see why: docker logs {name}")
        sleep(PAUSE)


def remove(service: Service, engine: Engine) -> None:
    """Remove a service's door, if it has one."""
    engine.docker("rm", "--force", "--volumes", name_of_door(service.project))


def make_create(service: Service, image: str) -> tuple[str, ...]:
    """Return the docker command that makes the door; its configuration is written into it before it starts."""
    labels = {PROJECT_LABEL: "", "com.docker.compose.service": "", CONTENT_LABEL: ""}  # the image's own say: the router
    labels |= {DOOR_LABEL: service.project, f"{DOOR_LABEL}.hash": hash_door(service)}
    published = (f"{LOOPBACK}:{number}:{number}" for number in ports_of_door(service))
    return (
        *("create", "--name", name_of_door(service.project), "--restart", "always"),
        *("--network", f"{service.project}_default", "--entrypoint", "haproxy"),
        *(word for key, value in labels.items() for word in ("--label", f"{key}={value}")),
        *(word for port in published for word in ("--publish", port)),
        *(*LIMITS, *CLOSED, image, "-db", "-f", f"{FOLDER}/{FILE}"),
    )


def _image(collective: Collective, engine: Engine) -> str:
    """Return the router's image, which has haproxy.

    Raises:
        SystemFailure: when the engine does not have it.
    """
    router = next((item for item in collective.services if item.name == ROUTER), None)
    image = next((item.image for item in router.containers if item.name == HAPROXY), "") if router else ""
    if not image or not engine.has_image(image):
        raise SystemFailure("a stack needs the router, which leads to it", hint="start it: darkpeak up router")
    return image
