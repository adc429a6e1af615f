"""The rules: one small function for each, which yields findings. Pure."""

from collections.abc import Callable, Iterator

from darkpeak.collective.model import Collective, Finding, Service
from darkpeak.lint import anatomy, backups, blocks, databases, dockerfiles, hosts, people, routes, sharing

COLLECTIVE_RULES: tuple[Callable[[Collective], Iterator[Finding]], ...] = (
    people.domain,
    people.admin_names,
    blocks.one_block_each,
    blocks.one_project_each,
    routes.one_label_each,
    routes.public_ports,
    routes.one_public_port_each,
    routes.one_plain_ssh,
    sharing.defined_somewhere,
    sharing.no_circle,
    backups.key_for_two,
    hosts.known_services,
    hosts.one_place_each,
    hosts.together,
)

# What these find is worth a look, but no reason to keep an old version of a service running.
ADVICE = frozenset({"missing-admin", "unknown-admin", "admin-twice", "no-restart"})

SERVICE_RULES: tuple[Callable[[Service], Iterator[Finding]], ...] = (
    people.two_admins,
    blocks.block_number,
    blocks.published_ports,
    blocks.published_once,
    blocks.subnets,
    routes.labels,
    routes.lead_to_a_port,
    routes.at_most_a_pair,
    routes.proxied,
    routes.jump_is_taken,
    anatomy.folder_name,
    anatomy.files,
    anatomy.programs,
    anatomy.containers,
    anatomy.certificate,
    anatomy.exposed_ports,
    anatomy.healthchecks,
    anatomy.restart_policies,
    anatomy.host_mounts,
    dockerfiles.instructions,
    databases.dumped,
)


def check(collective: Collective) -> list[Finding]:
    """Return the findings of all rules about the collective and its services, sorted by place."""
    found = [finding for rule in COLLECTIVE_RULES for finding in rule(collective)]
    for service in collective.services:
        found += [finding for rule in SERVICE_RULES for finding in rule(service)]
    return sorted(set(found))
