"""Rules about what is of others: volumes, networks, images. A service uses what another one shares, and no more."""

from collections.abc import Iterator

from darkpeak.collective.model import Collective, Finding, Service, Use
from darkpeak.lint.rule import ERROR, WARNING, Rule
from darkpeak.vocabulary import DIRECTORY, ROUTER

CA, TRUST, NETWORK = "darkpeak-ca", "darkpeak-trust", "darkpeak-directory"
CA_USERS = {ROUTER, DIRECTORY}  # they sign certificates
REPOSITORY = "volume:"


def others_data(collective: Collective) -> Iterator[Finding]:
    """A service mounts no volume of another one, and joins no network of it, unless that one shares it by a name."""
    kept = {text.removeprefix(REPOSITORY) for text in collective.backup.repositories if text.startswith(REPOSITORY)}
    shared = {
        service.name: {item.name for item in service.shared if not item.external} for service in collective.services
    }
    for service in collective.services:
        for use in _uses(service):
            owner = _owner(collective, service, use.name)
            others = owner.project != service.project and use.name not in shared[owner.name]
            whose = owner.name if others else "the backups" if use.name in kept else ""
            if whose:
                what = f"the {use.noun} {use.name} belongs to {whose}"
                hint = f"use a {use.noun} of your own; or let {whose} share this one: write name: in its compose file"
                yield Finding(use.at, "others-data", what, hint)


def ca_for_two(service: Service) -> Iterator[Finding]:
    """Only the router and the directory have the CA's private key."""
    for use in _uses(service):
        if (use.noun, use.name) == ("volume", CA) and service.name not in CA_USERS:
            hint = (
                f"to verify certificates, use the volume {TRUST}; for one of your own, write certificate: in x-darkpeak"
            )
            what = f"the volume {CA} has the private key of the collective's CA"
            yield Finding(use.at, "others-data", what, hint)


def trust(collective: Collective) -> Iterator[Finding]:
    """A service that uses the directory has the certificate with which it verifies it."""
    shared = {item.name for service in collective.services for item in service.volumes if not item.external}
    for service in collective.services:
        network = next((item for item in service.networks if item.external and item.name == NETWORK), None)
        if network and TRUST in shared and TRUST not in {item.name for item in service.volumes}:
            what = f"{service.name} uses the directory, but has no volume {TRUST} to verify it"
            hint = f"write trust: {{name: {TRUST}, external: true}} under volumes:, and mount it: trust:/trust:ro"
            yield Finding(network.at, "no-trust", what, hint)


def others_image(collective: Collective) -> Iterator[Finding]:
    """No service gives its image the name of another service's image."""
    usual = {
        f"{service.project}-{item.name}": service.name for service in collective.services for item in service.containers
    }
    named = [
        (service, item, item.image.removesuffix(":latest"))
        for service in collective.services
        for item in service.containers
    ]
    for service, item, image in named:
        others = {other.name for other, _, name in named if name == image and other.name != service.name}
        if others and usual.get(image) != service.name:
            what = f"{item.name} has the name {image} for its image, which {', '.join(sorted(others))} has too"
            yield Finding(item.at, "others-image", what, "remove image:, so that compose names it after the service")


def _uses(service: Service) -> Iterator[Use]:
    yield from service.uses
    for override in service.overrides:
        yield from override.uses


def _owner(collective: Collective, service: Service, name: str) -> Service:
    """Return whose a volume or network is, by the project's name with which its name begins; else `service`."""
    words = name.split("_")
    beginnings = ("_".join(words[:count]) for count in range(len(words) - 1, 0, -1))  # the longest first
    return next((collective.by_project[one] for one in beginnings if one in collective.by_project), service)


RULES = (
    Rule(
        "others-data",
        ERROR,
        "A service that reads or changes another one's data can break it, or read what its members wrote. The "
        "CA's key is only for the router and the directory.",
        "use a volume of your own; or let the other service share one: write name: in its compose file",
        collective=(others_data,),
        service=(ca_for_two,),
    ),
    Rule(
        "others-image",
        ERROR,
        "Two services with one name for their images overwrite each other's: the next start of one runs the program "
        "of the other.",
        "remove image:, so that compose names it after the service",
        collective=(others_image,),
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
