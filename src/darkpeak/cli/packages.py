"""Commands about packages: what is out of date, upgrades, what runs, and old images."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import SERVICES, Settings, command
from darkpeak.cli.deploy import BACKUP_FIRST, on_host, require
from darkpeak.cli.key import IDENTITY, read_key, session
from darkpeak.errors import CheckFailed, UsageError, joined

if TYPE_CHECKING:
    from darkpeak.actions.inventory import Inventory
    from darkpeak.collective.model import Collective

FORMATS = ("cyclonedx", "spdx")


@command("updates")
@SERVICES
def updates(settings: Settings, names: tuple[str, ...]) -> None:
    """Show outdated packages in running containers.

    One line for each: SERVICE CONTAINER PACKAGE OLD NEW, and `security` if a security archive has a newer version.
    Nothing runs in the containers: their package lists are compared with the archive's by apt, in a short container
    beside them. The archive's lists are used for an hour. `darkpeak upgrade` upgrades these packages.

    `pypi` or `npm` marks a package from there, of which this machine's pip or npm knows a newer version. `image` marks
    an image of which its registry has another one under the same tag: OLD and NEW are digests. Versions of these are in
    the service's files.

    Exits 1 if there are any, and 3 if that is unknown for a container: it does not run, it is not a Debian system with
    apt, or an archive, index or registry cannot be reached, limits requests, has a bad signature or is too old.

    \b
    Example: darkpeak updates wiki
    """
    from darkpeak import output
    from darkpeak.actions.image_updates import find_image_updates
    from darkpeak.actions.library_updates import find_library_updates
    from darkpeak.actions.updates import find_updates, merge
    from darkpeak.deploy.target import living
    from darkpeak.packages.listed import Kind

    targets = living(settings.targets(settings.collective(), names))
    with settings.progress() as progress:
        found = merge(settings.each(targets, lambda target: [find_updates(target, progress)], side_by_side=True))
        found = found.with_more(find_library_updates(living(targets), progress))
        found = found.with_more(find_image_updates(living(targets), progress))
    doubts = found.doubts()
    if settings.as_json:
        output.show_json(found)
        sys.exit(doubts[0].exit_code if doubts else CheckFailed.exit_code if found.updates else 0)
    output.show_lines(item.line() for item in found.updates)
    if doubts:
        raise joined(doubts)
    if found.updates:
        of_debian = dict.fromkeys(item.service for item in found.updates if item.kind == Kind.DEB)
        by_hand = "write the newer ones into their files (fetch packages with scripts/packages), then: darkpeak up"
        hint = f"upgrade them: darkpeak upgrade {' '.join(of_debian)}" if of_debian else by_hand
        raise CheckFailed(f"out of date: {', '.join(found.services)}", hint=hint)


@command("upgrade")
@SERVICES
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.option("--security-only", is_flag=True, help="Only services that lack a security update.")
@BACKUP_FIRST
def upgrade(
    settings: Settings, names: tuple[str, ...], backup_to: Path | None, *, dry_run: bool, security_only: bool
) -> None:
    """Build and deploy anew what has outdated packages.

    It finds the outdated packages as `darkpeak updates` does, gets the newest base image, builds without the cache, and
    deploys as `darkpeak up` does: if a new version does not become healthy, the version before runs again. Then it
    looks again. Images that are not built here stay as they are.

    With --dry-run it also shows what the newer packages change: the headings of Debian's changelogs after the installed
    version, with the CVEs that are named there. They are read from the archive's own packages.

    Exits 1 if a package is still out of date, with the line that keeps it back; with --dry-run, if there is something
    to do. Exits 3 if a service failed, or if a container's packages are unknown.

    \b
    Example: darkpeak upgrade --dry-run
    """
    from darkpeak import output
    from darkpeak.actions.up import Wanted
    from darkpeak.actions.updates import doubts_of
    from darkpeak.actions.upgrade import upgrade as upgrade_services

    wanted = Wanted(backup_to.absolute() if backup_to else None)
    targets = settings.own_targets(settings.deployable(names), names, deploys=True)
    with settings.progress() as progress:
        done = settings.each(
            targets,
            lambda target: [
                upgrade_services(target, progress, wanted, names=names, security=security_only, dry_run=dry_run)
            ],
        )
    if settings.as_json:
        output.show_json(done)
    else:
        output.show_lines(line for item in done for line in on_host(item.host, item.lines()))
    require(failure for item in done if item.result for failure in item.result.failures)
    doubts = doubts_of((unknown for item in done for unknown in item.unknown), "whether {} has updates")
    if doubts:
        raise joined(doubts)
    kept = [part for item in done for part in item.kept]
    if kept:
        raise CheckFailed("\n  ".join(["still out of date", *(part.line() for part in kept)]))
    if dry_run and any(item.updates for item in done):
        sys.exit(CheckFailed.exit_code)


@command("inventory")
@SERVICES
@click.option("--format", "form", type=click.Choice(FORMATS), help="A software bill of materials, as JSON.")
@click.option("--snapshot", metavar="NAME", help="What ran when this snapshot of one service was made.")
@IDENTITY
def inventory(
    settings: Settings,
    names: tuple[str, ...],
    form: str | None,
    snapshot: str | None,
    identities: tuple[Path, ...],
) -> None:
    """List every package that runs, with its version.

    Nothing runs in the containers: the engine sends their package lists. With --format they are a document that other
    programs read, such as those that look for known vulnerabilities. Exits 3 if the packages of a container are
    unknown: then the document lacks this container.

    Exits 1 if a snapshot does not say what ran, or if your ssh key does not open the backup key or a repository.

    \b
    Example: darkpeak inventory wiki
    """
    from darkpeak import output
    from darkpeak.actions.inventory import make_document, take_inventory
    from darkpeak.actions.updates import doubts_of
    from darkpeak.deploy.target import living

    collective = settings.collective()
    if snapshot:
        found = _saved_inventory(settings, collective, names, snapshot, identities)
    else:
        with settings.progress() as progress:
            found = take_inventory(living(settings.targets(collective, names)), progress)
    doubts = doubts_of(found.unknown, "which packages {} has")
    if form:
        output.show_json(make_document(collective, found, form))
    elif settings.as_json:
        output.show_json(found)
        sys.exit(doubts[0].exit_code if doubts else 0)
    else:
        output.show_rows(
            found.packages, ("service", "container", "package", "version", "kind", "source"), {}, as_json=False
        )
    if doubts:
        raise joined(doubts)


def _saved_inventory(
    settings: Settings, collective: "Collective", names: tuple[str, ...], snapshot: str, identities: tuple[Path, ...]
) -> "Inventory":
    from darkpeak.actions.saved_inventory import read

    if len(names) != 1:
        raise UsageError("a snapshot is of one service", hint="darkpeak inventory SERVICE --snapshot NAME")
    target = settings.targets(collective, names)[0]
    with session(settings, target, read_key(collective, identities)) as work:
        return read(work, names[0], snapshot)


@command("why")
@click.argument("package", metavar="PACKAGE")
def why(settings: Settings, package: str) -> None:
    """Show which services have a package, and why.

    It is named in the Dockerfile, it is part of the base image, or other packages need it: then the shortest chain is
    shown. Exits 1 if no running container has the package, and 3 if that is unknown for one.

    \b
    Example: darkpeak why openssl
    """
    from darkpeak import output
    from darkpeak.actions.inventory import find_reasons
    from darkpeak.actions.updates import doubts_of
    from darkpeak.deploy.target import living

    with settings.progress() as progress:
        found = find_reasons(living(settings.targets(settings.collective())), package, progress)
    doubts = doubts_of(found.unknown, f"whether {{}} has {package}")
    if settings.as_json:
        output.show_json(found)
        sys.exit(doubts[0].exit_code if doubts else 0 if found.reasons else CheckFailed.exit_code)
    if found.reasons:
        output.show_rows(found.reasons, ("service", "container", "version", "why"), {}, as_json=False)
    if doubts:
        raise joined(doubts)
    if not found.reasons:
        raise CheckFailed(f"no running container has {package}", hint="list all packages: darkpeak inventory")


@command("clean")
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
def clean(settings: Settings, *, dry_run: bool) -> None:
    """Remove old images and build cache that nobody needs.

    An image stays if a container uses it, if it has the name of a container's image, or if a deploy in `history` has
    it: so a rollback still works. Build cache goes only if no image has it. The archive's lists of
    `updates` go too; it gets them again. Images of others stay.

    \b
    Example: darkpeak clean --dry-run
    """
    from darkpeak import output
    from darkpeak.actions.clean import clean as clean_engine
    from darkpeak.vocabulary import MIB

    targets = settings.own_targets(settings.collective(), ())
    with settings.progress() as progress:
        done = settings.each(targets, lambda target: [clean_engine(target, progress, dry_run=dry_run)])
    if settings.as_json:
        output.show_json(done)
        return
    for item in done:
        what = "would be removed, at least" if dry_run else "removed,"
        output.show_lines([*(image.name for image in item.images), *item.indexes])
        removed = f"{len(item.images)} image names and {len(item.indexes)} package indexes"
        output.show_lines([f"{removed} {what} {item.bytes / MIB:.0f} MiB of images and build cache"])


COMMANDS = (updates, upgrade, inventory, why, clean)
