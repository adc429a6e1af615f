"""The rules: one small function for each, which yields findings. Pure."""

from collections.abc import Callable, Iterator

from darkpeak.collective.model import Collective, Finding, Service
from darkpeak.lint import (
    anatomy,
    backups,
    blocks,
    databases,
    dockerfiles,
    features,
    foreign,
    hosts,
    people,
    rights,
    routes,
    secrets,
    sharing,
)
from darkpeak.lint.written import Written, written_by

COLLECTIVE_RULES: tuple[Callable[[Collective], Iterator[Finding]], ...] = (
    people.domain,
    people.admin_names,
    people.two_admins,
    people.ssh_keys,
    blocks.one_block_each,
    blocks.one_project_each,
    routes.one_label_each,
    routes.public_ports,
    routes.one_public_port_each,
    routes.one_plain_ssh,
    sharing.defined_somewhere,
    sharing.no_circle,
    foreign.trust,
    backups.key_for_two,
    hosts.known_services,
    hosts.one_place_each,
    hosts.together,
)

# What these find is worth a look, but no reason to keep an old version of a service running.
ADVICE = frozenset(
    {
        *("missing-admin", "unknown-admin", "admin-twice", "ssh-key", "no-restart"),
        *("base-image", "no-trust", "project-name", "secret"),
    }
)

SERVICE_RULES: tuple[Callable[[Service], Iterator[Finding]], ...] = (
    blocks.block_number,
    blocks.project_name,
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
    dockerfiles.bases,
    dockerfiles.copies,
    secrets.in_dockerfiles,
    databases.dumped,
    features.one_compose_file,
    features.variables,
)

WRITTEN_RULES: tuple[Callable[[Written], Iterator[Finding]], ...] = (
    features.replicas,
    features.one_at_a_time,
    features.others_network,
    features.from_shell,
    features.names,
    features.models,
    rights.switches,
    rights.spaces,
    rights.capabilities,
    rights.devices,
    rights.builds,
    rights.files,
    rights.networks,
    rights.bind_volumes,
    foreign.others_volumes,
    foreign.ca_for_two,
    secrets.in_files,
)


def check(collective: Collective) -> list[Finding]:
    """Return the findings of all rules about the collective and its services, sorted by place."""
    found = [finding for rule in COLLECTIVE_RULES for finding in rule(collective)]
    for service in collective.services:
        found += [finding for rule in SERVICE_RULES for finding in rule(service)]
        for written in written_by(collective, service):
            found += check_written(written)
    return sorted(set(found))


def check_written(written: Written) -> list[Finding]:
    """Return the findings about the keys of one compose file, or of what compose made of all of them."""
    return [finding for rule in WRITTEN_RULES for finding in rule(written)]
