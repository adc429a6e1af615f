"""Rules about volumes and networks of others: a service uses what another one shares, and nothing else of it."""

from collections.abc import Iterator

from darkpeak.collective.model import Collective, Finding, Service
from darkpeak.collective.tree import EMPTY, Tree
from darkpeak.lint.rule import ERROR, WARNING, Rule
from darkpeak.lint.written import Written, child
from darkpeak.vocabulary import DIRECTORY, ROUTER

CA, TRUST, NETWORK = "darkpeak-ca", "darkpeak-trust", "darkpeak-directory"
CA_USERS = {ROUTER, DIRECTORY}  # they sign certificates
REPOSITORY = "volume:"


def others_volumes(written: Written) -> Iterator[Finding]:
    """A service mounts no volume of another one, and joins no network of it, unless that one shares it by a name."""
    for section, noun in (("volumes", "volume"), ("networks", "network")):
        for key, entry in written.section(section):
            name = _name(written.service, key, entry)
            owner = _owner(written.collective, written.service, name)
            if owner:
                what = f"the {noun} {name} belongs to {owner}"
                hint = f"use a {noun} of your own; or let {owner} share this one, with a name: in its compose file"
                yield written.finding(entry.key_line("name"), "others-data", what, hint)


def ca_for_two(written: Written) -> Iterator[Finding]:
    """Only the router and the directory have the CA's private key."""
    for key, entry in written.section("volumes"):
        if _name(written.service, key, entry) == CA and written.service.name not in CA_USERS:
            hint = (
                f"to verify certificates, use the volume {TRUST}; for one of your own, write certificate: in x-darkpeak"
            )
            what = f"the volume {CA} has the private key of the collective's CA"
            yield written.finding(entry.key_line("name"), "others-data", what, hint)


def trust(collective: Collective) -> Iterator[Finding]:
    """A service that uses the directory has the certificate with which it verifies it."""
    shared = {item.name for service in collective.services for item in service.volumes if not item.external}
    for service in collective.services:
        network = next((item for item in service.networks if item.external and item.name == NETWORK), None)
        if network and TRUST in shared and TRUST not in {item.name for item in service.volumes}:
            what = f"{service.name} uses the directory, but has no volume {TRUST} to verify it"
            hint = f"write trust: {{name: {TRUST}, external: true}} under volumes:, and mount it: trust:/trust:ro"
            yield Finding(network.at, "no-trust", what, hint)


def _name(service: Service, key: str, entry: Tree) -> str:
    """Return the name that a volume or a network has on the engine."""
    external = child(entry, "external")
    name = child(entry, "name").text() or external.mapping().get("name", EMPTY).text()
    is_external = external.text() == "true" or bool(external.mapping())
    return name or (key if is_external else f"{service.project}_{key}")


def _owner(collective: Collective, service: Service, name: str) -> str:
    """Return whose a volume or network is: another service's, or the backups'; empty if this service may use it."""
    words = name.split("_")
    beginnings = ("_".join(words[:count]) for count in range(len(words) - 1, 0, -1))  # the longest first
    owner = next((collective.by_project[one] for one in beginnings if one in collective.by_project), service)
    shared = {item.name for item in owner.shared if not item.external}
    if owner.project != service.project and name not in shared:
        return owner.name
    kept = {text.removeprefix(REPOSITORY) for text in collective.backup.repositories if text.startswith(REPOSITORY)}
    return "the backups" if name in kept else ""


RULES = (
    Rule(
        "others-data",
        ERROR,
        "A service that reads or changes another one's data can break it, or read what its members wrote. The "
        "CA's key is only for the router and the directory.",
        "use a volume of your own; or let the other service share one, with a name:",
        file=(others_volumes, ca_for_two),
    ),
    Rule(
        "no-trust",
        WARNING,
        "A service that uses the directory without its certificate cannot know whether it sends passwords to the "
        "directory.",
        "mount the volume darkpeak-trust: trust:/trust:ro",
        collective=(trust,),
    ),
)
