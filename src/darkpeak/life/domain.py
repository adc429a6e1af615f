"""Change the domain of a collective: what that changes, as a value, and the steps before `up` starts all again."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from darkpeak import lint
from darkpeak.actions.down import take_down
from darkpeak.actions.up import plan_up
from darkpeak.collective.content import replace_file
from darkpeak.collective.environment import COMPOSE_FILES, differing
from darkpeak.collective.identity import with_domain
from darkpeak.collective.model import Collective, Service
from darkpeak.collective.text import read_or_empty
from darkpeak.deploy.check import require_sound
from darkpeak.deploy.target import Target
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.life.init import check_domain
from darkpeak.plan.observed import Observed
from darkpeak.plan.routes import list_routes
from darkpeak.progress import Progress
from darkpeak.vocabulary import CA_VOLUME, COLLECTIVE_FILE, DOMAIN_VARIABLE, PROJECT_LABEL


@dataclass(frozen=True)
class DomainChange:
    """What another domain changes."""

    before: str
    now: str
    addresses: tuple[tuple[str, str], ...]  # before and now
    stopped: tuple[str, ...]  # services, for some minutes
    knowing: tuple[str, ...]  # services whose compose files use the domain
    files: tuple[str, ...]
    acme: bool  # whether a public CA certifies the addresses

    def lines(self) -> list[str]:
        """Return it for people."""
        width = max((len(before) for before, _ in self.addresses), default=0)
        public = ["  a public CA certifies the new addresses, when their DNS leads here"] if self.acme else []
        return [
            f"{self.before} becomes {self.now}:",
            *(f"  {before.ljust(width)}  ->  {now}" for before, now in self.addresses),
            f"stopped for some minutes: {', '.join(self.stopped) or 'nothing, since nothing runs'}",
            "certificates:",
            "  the collective's own CA is made again; every member must trust the new one: darkpeak ca",
            *public,
            "stays: all data, and the members with their passwords and groups",
            "members must change on their devices:",
            "  bookmarks, ssh settings, git remotes, accounts of chat and mail programs, passkeys",
            *([f"  see the pages of: {', '.join(self.knowing)}"] if self.knowing else []),
            "files to commit:",
            *(f"  {file}" for file in self.files),
        ]


def plan_domain(targets: Sequence[Target], domain: str) -> DomainChange:
    """Return what another domain changes; nothing is touched.

    Raises:
        UsageError: when it cannot be changed.
        SystemFailure: when an engine does not answer.
    """
    collective = targets[0].collective
    check_domain(domain)
    if domain == collective.domain:
        raise UsageError(f"the domain is already {domain}", hint="deploy it: darkpeak up")
    require_sound(collective.faults)  # a service that does not come back would be stopped
    changed = replace(collective, domain=domain)
    require_sound(set(lint.check_together(changed)) - set(lint.check_together(collective)))
    new_text(collective, domain)
    files = (collective.root / COLLECTIVE_FILE, *differing(changed))
    for file in files:
        _require_writable(collective, file)
    seen = [(target, _require_ready(target)) for target in targets]
    return DomainChange(
        collective.domain,
        domain,
        tuple(_addresses(collective, changed, seen[0][1])),
        tuple(sorted({item.name for target, observed in seen for item in target.running if observed.of(item.project)})),
        tuple(item.name for item in collective.services if _knows_domain(item)),
        tuple(str(file.relative_to(collective.root)) for file in files),
        collective.certificates is not None,
    )


def change_domain(targets: Sequence[Target], domain: str, progress: Progress) -> None:
    """Remove all containers and the CA, and write the domain; the data stays. `up` then starts all again.

    Until the domain is written, `up` goes back to the one before; afterwards, it goes on.

    Raises:
        SystemFailure: when an engine does not do it, or when the file cannot be written.
    """
    for target in targets:
        take_down(target, progress, volumes=False)
    for target in targets:
        if CA_VOLUME in target.engine.volumes(PROJECT_LABEL):
            target.engine.remove_volume(CA_VOLUME)
    collective = targets[0].collective
    path = collective.root / COLLECTIVE_FILE
    try:
        replace_file(path, new_text(collective, domain).encode())  # its line ends stay
    except OSError as error:
        hint = f"go back: darkpeak up; or mend it, then: darkpeak domain {domain}"
        raise SystemFailure(f"{COLLECTIVE_FILE} cannot be written: {error.strerror}", hint=hint) from error


def new_text(collective: Collective, domain: str) -> str:
    """Return the text of collective.toml with another domain.

    Raises:
        UsageError: when the line is not one that can be changed.
    """
    text = with_domain((collective.root / COLLECTIVE_FILE).read_bytes().decode(), domain)
    if not text:
        hint = f'write it on a line of its own: domain = "{collective.domain}"'
        raise UsageError("the line with the domain cannot be changed", COLLECTIVE_FILE, hint)
    return text


def _require_writable(collective: Collective, file: Path) -> None:
    if not all(os.access(place, os.W_OK) for place in (file.parent, file) if place.exists()):
        where = str(file.relative_to(collective.root))
        raise UsageError("it cannot be written", where, "let your login write there")


def _require_ready(target: Target) -> Observed:
    """Return what runs on an engine. What runs there matches the files, and only it uses the CA."""
    observed = target.engine.observe()
    known = {item.name: item.project for item in target.services}
    pending = [item.service for item in plan_up(target).changes if observed.of(known.get(item.service, ""))]
    if pending:
        raise UsageError(f"{', '.join(pending)} differs from its files; nothing was touched", hint="first: darkpeak up")
    own = {item.project for item in target.collective.services}
    shape = ("--format", f'{{{{.Label "{PROJECT_LABEL}"}}}} {{{{.Names}}}}')
    using = target.engine.docker("ps", "--all", "--filter", f"volume={CA_VOLUME}", *shape).text.splitlines()
    others = [name for project, _, name in (line.partition(" ") for line in using) if project not in own]
    if others:
        what = f"the container {others[0]} uses the CA, and is of no service; nothing was touched"
        raise UsageError(what, hint=f"remove it first: docker rm -f {others[0]}")
    return observed


def _addresses(collective: Collective, changed: Collective, observed: Observed) -> Iterator[tuple[str, str]]:
    """Yield each address that changes, before and now. Whole host names of routes stay."""
    stays = {route.address for route in list_routes(changed, observed)}
    for route in list_routes(collective, observed):
        if route.address not in stays:
            head, _, tail = route.address.rpartition(collective.domain)
            yield route.address, f"{head}{changed.domain}{tail}"


def _knows_domain(service: Service) -> bool:
    files = (file for pattern in COMPOSE_FILES for file in service.folder.glob(pattern))
    return any(DOMAIN_VARIABLE in read_or_empty(file) for file in files)
