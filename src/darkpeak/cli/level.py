"""Commands about levels: level, review, admin check and list."""

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import SERVICE, Settings, command
from darkpeak.cli.key import IDENTITY, ask_passphrase
from darkpeak.errors import CheckFailed, DarkpeakError, SystemFailure, UsageError

if TYPE_CHECKING:
    from darkpeak.actions.admin import Proof
    from darkpeak.collective.model import Collective
    from darkpeak.levels.judge import Judged
    from darkpeak.repository.key import Ask

COLOURS = {"yes": "green", "NO": "red"}


@command("level")
@click.argument("name", metavar="[SERVICE]", required=False)
def level(settings: Settings, name: str | None) -> None:
    """Show which level services really have.

    Each requirement of alpha, beta and live is met or not by evidence: what runs, the newest snapshot and drill, the
    admins' proofs, the uptime, the updates, the files. An old proof counts no more. With SERVICE, it shows each
    requirement, and what to do next. Exits 1 if a service claims a level that it does not have.

    \b
    Example: darkpeak level wiki
    """
    from darkpeak import output
    from darkpeak.actions.level import find_levels
    from darkpeak.deploy.target import choose

    collective = settings.collective()
    chosen = {service.name for service in choose(collective, (name,) if name else ())}
    judged = [item for item in find_levels(settings.targets(collective)) if item.service in chosen]
    if name and not judged:
        raise UsageError(f"{name} does not run on {settings.host}", hint="see where it runs: darkpeak status")
    if settings.as_json:
        output.show_json(judged)
    elif name:
        for item in judged:
            _show_one(item)
    else:
        _show_all(judged)
    unknown = sorted({item.unknown for item in judged} - {"", *map(str, settings.failures.values())})
    if unknown:
        raise SystemFailure("; ".join(unknown), hint="the levels above are those of the files alone")
    if any(not item.kept for item in judged):
        sys.exit(CheckFailed.exit_code)


def _show_all(judged: "list[Judged]") -> None:
    from darkpeak import output

    placed = ("host",) if any(item.host for item in judged) else ()
    rows = [
        [item.service, *([item.host] if placed else []), item.claimed, item.measured, item.lacks or "nothing"]
        for item in judged
    ]
    output.show_table(("service", *placed, "claimed", "measured", "lacks"), rows)
    output.note("for each requirement, and what to do: darkpeak level SERVICE")


def _show_one(item: "Judged") -> None:
    from darkpeak import output

    where = f" on {item.host}" if item.host else ""
    output.show_lines([f"{item.service}{where} claims {item.claimed}, and has {item.measured}", ""])
    rows = [[row.level, row.requirement, "yes" if row.met else "NO", row.why] for row in item.rows]
    output.show_table(("level", "requirement", "met", "why"), rows, COLOURS)
    steps = [f"  {row.requirement}: {row.next}" for row in item.lacking(item.wanted) if row.next]
    output.show_lines(["", f"to do for {item.wanted}:", *steps] if steps else [])


@command("review")
@SERVICE
@click.option("--note", default="", metavar="TEXT", help="What was agreed.")
def review(settings: Settings, name: str, note: str) -> None:
    """Record that you reviewed a service today.

    A level is looked at each year, by people who do not only run the service: read `darkpeak level SERVICE`, its
    README and its history together, and agree whether the claimed level is right. Beta and live need such a review.

    \b
    Example: darkpeak review wiki --note "agreed by the meeting of 3 May"
    """
    from darkpeak import output
    from darkpeak.actions import level as action

    collective = settings.collective()
    target = settings.own_targets(collective, (name,))[0]
    done = action.review(target, note)
    if settings.as_json:
        output.show_json(done)
    else:
        output.show_lines([f"{name}: reviewed by {done.who}, as {done.level}"])


@click.group("admin")
def admin() -> None:
    """Prove that you can do what an admin must do; see who did.

    \b
    Example: darkpeak admin check
    """


@command("check")
@IDENTITY
def check(settings: Settings, identities: tuple[Path, ...]) -> None:
    """Prove your own access, and record it.

    Your ssh key shows who you are. The proof has three parts: you reach every engine, your key opens the backup key,
    and you are in the directory. It counts for half a year. Exits 1 if a part fails.

    \b
    Example: darkpeak admin check
    """
    from darkpeak import output
    from darkpeak.actions.admin import prove
    from darkpeak.repository.key import find_owner

    collective = settings.collective()
    ask = cache(ask_passphrase)
    person = find_owner(collective, identities, ask)
    proofs = prove(collective, settings.own_targets(collective, ()), person, _try_key(collective, identities, ask))
    if settings.as_json:
        output.show_json({"admin": person.name, "proofs": proofs})
    else:
        rows = [[proof.what, "yes" if proof.good else "NO", proof.message] for proof in proofs]
        output.show_table((f"{person.name} can", "proved", "how"), rows, COLOURS)
    failed = [proof.what for proof in proofs if not proof.good]
    if failed:
        raise CheckFailed(f"{person.name} cannot: {'; '.join(failed)}", hint="the lines above show why")


def _try_key(collective: "Collective", identities: tuple[Path, ...], ask: "Ask") -> "Proof":
    from darkpeak.actions.admin import Proof
    from darkpeak.actions.keys import has_key
    from darkpeak.repository import key

    what = "open the backup key"
    if not has_key(collective):
        return Proof(what, good=True, message="the collective has none yet")
    try:
        key.read(collective, identities, ask)
    except DarkpeakError as error:
        return Proof(what, good=False, message=error.message)
    return Proof(what, good=True, message="it opens")


@command("list")
def list_admins(settings: Settings) -> None:
    """Show all admins, their services, and what they proved when.

    \b
    Example: darkpeak admin list
    """
    from darkpeak import output
    from darkpeak.actions.admin import list_admins as found

    rows = settings.each(settings.targets(settings.collective()), found, side_by_side=True)
    placed = ("host",) if any(row.host for row in rows) else ()
    columns = ("admin", *placed, "proved", "opens_key", "is_member", "board", "services")
    output.show_rows(rows, columns, {"NEVER": "red", "no": "red"}, as_json=settings.as_json)


for each in (check, list_admins):
    admin.add_command(each)
COMMANDS = (level, review, admin)
