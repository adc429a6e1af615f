"""The command `announce`: tell members of planned work, and other news."""

from datetime import UTC, datetime

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import UsageError

MOMENT = click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d"])


@command("announce")
@click.argument("text", metavar="[TEXT]", required=False)
@click.option("--service", metavar="SERVICE", help="It is about this service only.")
@click.option("--from", "since", metavar="TIME", type=MOMENT, help="When it begins (default: now).")
@click.option("--until", metavar="TIME", type=MOMENT, help="When it ends; outages before that are planned.")
@click.option("--remove", "removed", metavar="ID", help="Remove an announcement.")
def announce(  # noqa: PLR0913 (each is an option)
    settings: Settings,
    *,
    text: str | None,
    service: str | None,
    since: datetime | None,
    until: datetime | None,
    removed: str | None,
) -> None:
    """Announce something to members, or list what is announced.

    The pages of `darkpeak site` and the Atom feed show it until its end. With --until, outages in its time are
    planned maintenance and not counted, but only from the announcement on. A TIME is like "2030-01-31 20:00", in this
    machine's time zone. Without TEXT, it lists the announcements.

    \b
    Example: darkpeak announce "We move the wiki" --service wiki
    """
    from darkpeak import output
    from darkpeak.actions.announce import announce as record
    from darkpeak.actions.announce import find_announcements, withdraw
    from darkpeak.actions.publish import renew
    from darkpeak.deploy.target import living

    if (text is None or removed) and (service or since or until):
        raise UsageError(
            "--service, --from and --until need a TEXT", hint='darkpeak announce "back at nine" --service wiki'
        )
    if text and removed:
        raise UsageError("give a TEXT or --remove, not both", hint="see: darkpeak announce --help")
    collective = settings.collective()
    everywhere = living(settings.targets(collective))
    if text is None and removed is None:
        found = find_announcements(everywhere)
        output.show_rows(found, ("id", "service", "since", "until", "who", "text"), {}, as_json=settings.as_json)
        return
    if removed:
        done, said = withdraw(living(settings.own_targets(collective, ())), removed), "removed"
    else:
        where = living(settings.own_targets(collective, (service,) if service else ()))
        done, said = record(where, text or "", service or "", _utc(since), _utc(until)), "announced"
    problem = renew(settings.targets(collective))
    if settings.as_json:
        output.show_json(done)
    else:
        output.show_lines([f"{said} {done.id}: {done.text}"])
    if problem:
        output.note(problem)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None


COMMANDS = (announce,)
