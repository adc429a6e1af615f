"""Rules about what of compose cannot work here: beside another version, in a drill's copy, or for another admin.

docs/service.md has the whole table, with the rules' names.
"""

from collections.abc import Iterator

from darkpeak.collective.hosts import stacks_of
from darkpeak.collective.model import Collective, Container, Finding, Place, Service
from darkpeak.collective.text import read_or_empty
from darkpeak.lint.rule import ERROR, Rule
from darkpeak.lint.written import Written, child, is_on, written_by
from darkpeak.vocabulary import COMPOSE_FILE

# Plain compose takes the first of these that exists (docs.docker.com/compose/intro/compose-application-model).
OTHER_FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml")
ONCE = "remove it, and let the program itself start several processes"
DECIDING = ("COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES", "COMPOSE_ENV_FILES", "COMPOSE_PATH_SEPARATOR")


def replicas(written: Written) -> Iterator[Finding]:
    """A container runs once: a second one would be taken for the rest of a deploy."""
    for name, container in written.containers():
        for part, key in ((container, "scale"), (child(container, "deploy"), "mode")):
            text = child(part, key).text()
            if text not in ("", "1", "replicated"):
                what = f"{name} has {key}: {text}, but each container runs once"
                yield written.finding(part.key_line(key), "replicas", what, ONCE)


def replicas_without_swarm(collective: Collective) -> Iterator[Finding]:
    """A container has replicas only on a swarm."""
    stacks = {service.name for service in stacks_of(collective)}
    for service in collective.services:
        for container in service.containers if service.name not in stacks else ():
            if container.replicas not in ("", "1"):
                what = f"{container.name} has replicas: {container.replicas}, but each container runs once"
                hint = f"{ONCE}; or assign {service.name} to a host with a swarm"
                yield Finding(_place_of_replicas(service, container), "replicas", what, hint)


def _place_of_replicas(service: Service, container: Container) -> Place:
    """Return where it is written, or else (by `extends`) the place of the container."""
    for written in written_by(service):
        deploy = child(child(child(written.tree, "services"), container.name), "deploy")
        if child(deploy, "replicas").text():
            return Place(written.file, deploy.key_line("replicas"))
    return container.at


def one_at_a_time(written: Written) -> Iterator[Finding]:
    """With a pair of ports, two versions run side by side, so they cannot have one name or one address."""
    beside = {container.name for container in written.service.containers if container.spare_port}
    for name, container in written.containers():
        if name not in beside:
            continue
        networks = [value for _, value in child(container, "networks").mapping().items()]
        keys = [(container, "container_name"), (container, "mac_address")]
        keys += [(one, key) for one in networks for key in ("ipv4_address", "ipv6_address", "mac_address")]
        for part, key in keys:
            if child(part, key).text():
                what = f"{name} has {key} and a pair of ports: two versions cannot run side by side"
                hint = f"remove {key}; or publish one port, then a deploy stops the old version first"
                yield written.finding(part.key_line(key), "one-at-a-time", what, hint)


def others_network(written: Written) -> Iterator[Finding]:
    """A container has its own network: one that uses another's loses it whenever that one restarts."""
    for name, container in written.containers():
        mode = child(container, "network_mode").text()
        if mode.startswith("service:"):
            what = f"{name} uses the network of {mode.removeprefix('service:')}, and loses it when that one restarts"
            hint = "remove it: containers of a service reach each other by their names"
            yield written.finding(container.key_line("network_mode"), "others-network", what, hint)


def names(written: Written) -> Iterator[Finding]:
    """Names are in lower case, since images are named after them; the project has one name, in the main file."""
    for name, container in written.containers():
        if name != name.lower():
            what = f"the container {name} has capital letters, which the name of an image cannot have"
            yield written.finding(container.line, "lower-case", what, f"write {name.lower()}")
    if "name" in written.tree.mapping() and not written.is_main:
        line = written.tree.key_line("name")
        what = "the project gets another name here, so what runs would not be found"
        yield written.finding(line, "other-project", what, f"write the name only in {COMPOSE_FILE}")
    if "x-darkpeak" in written.tree.mapping() and not written.is_main:
        line, hint = written.tree.key_line("x-darkpeak"), f"move it to {COMPOSE_FILE}"
        yield written.finding(line, "unknown-key", f"x-darkpeak counts only in {COMPOSE_FILE}", hint)


def models(written: Written) -> Iterator[Finding]:
    """Models are run by another program than the engine: backups and drills would not have them."""
    if "models" in written.tree.mapping():
        line = written.tree.key_line("models")
        yield written.finding(line, "models", "models are not supported", "remove it, and run a container")


def swarm_only(written: Written) -> Iterator[Finding]:
    """Configs and secrets are files or texts: compose builds the images, and then refuses those that Swarm keeps."""
    for section in ("secrets", "configs"):
        for name, entry in written.section(section):
            for key in ("external", "driver", "driver_opts", "template_driver"):
                if key in entry.mapping() and (key != "external" or is_on(entry, key)):
                    what = f"{name} in {section} has {key}, which compose does not support"
                    yield written.finding(
                        entry.key_line(key), "swarm-only", what, "write file: or, of a config, content:"
                    )


def one_compose_file(service: Service) -> Iterator[Finding]:
    """There is no other compose file that plain compose would take instead."""
    folder = service.at.file.rpartition("/")[0]
    for name in OTHER_FILES:
        if (service.folder / name).exists():
            what = f"plain compose would use {name}, and not {COMPOSE_FILE}"
            yield Finding(Place(f"{folder}/{name}", 1), "other-compose-file", what, f"merge it into {COMPOSE_FILE}")


def variables(service: Service) -> Iterator[Finding]:
    """.env has values for the files; it does not choose other files, another project, or profiles."""
    path = service.folder / ".env"
    file = f"{service.at.file.rpartition('/')[0]}/.env"
    for number, line in enumerate(read_or_empty(path).splitlines(), 1):
        name = line.removeprefix("export ").partition("=")[0].strip()
        if name in DECIDING:
            what = f"{name} makes plain compose do something else than darkpeak"
            yield Finding(
                Place(file, number), "compose-variable", what, "remove it, and write it into the compose file"
            )


RULES = (
    Rule(
        "replicas",
        ERROR,
        "Darkpeak would take a second container for one that a deploy has left over. Only a swarm runs several.",
        ONCE,
        collective=(replicas_without_swarm,),
        file=(replicas,),
    ),
    Rule(
        "one-at-a-time",
        ERROR,
        "With a pair of ports, two versions run side by side in a deploy; they cannot have one name or one address.",
        "remove the name or the address; or publish one port",
        file=(one_at_a_time,),
    ),
    Rule(
        "others-network",
        ERROR,
        "A container that uses another one's network loses it when that one restarts.",
        "remove it: containers of a service reach each other by their names",
        file=(others_network,),
    ),
    Rule(
        "lower-case",
        ERROR,
        "An image is named after its container, and names of images have no capital letters.",
        "write the name in lower case",
        file=(names,),
    ),
    Rule(
        "other-project",
        ERROR,
        "With another project name, darkpeak would not find the containers that run.",
        "write the name only in docker-compose.yml",
        file=(names,),
    ),
    Rule(
        "models",
        ERROR,
        "Models are run by another program than the engine, so backups and drills would not have them.",
        "remove it, and run a container",
        file=(models,),
    ),
    Rule(
        "swarm-only",
        ERROR,
        "Only Swarm keeps configs and secrets outside of files. Compose would refuse them in the midst of a deploy.",
        "write file: or, of a config, content:",
        file=(swarm_only,),
    ),
    Rule(
        "other-compose-file",
        ERROR,
        "Plain compose takes another file first, if it exists. Then two files would say what the service is.",
        "merge it into docker-compose.yml",
        service=(one_compose_file,),
    ),
    Rule(
        "compose-variable",
        ERROR,
        "A variable in .env that chooses files, projects or profiles makes plain compose do something else than "
        "darkpeak.",
        "remove it, and write it into the compose file",
        service=(variables,),
    ),
)
