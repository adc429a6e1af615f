"""The command that runs each night."""

from pathlib import Path

from darkpeak.cli.backups import IDENTITY, read_key, session
from darkpeak.cli.common import Settings, command
from darkpeak.errors import NotSo


@command("nightly")
@IDENTITY
def nightly(settings: Settings, identities: tuple[Path, ...]) -> None:
    """Back up all, drill one service in turn, read a share back, prune, ask for updates; 1 when a person must look.

    One line a service. Whoever `darkpeak key secret notify urls` names is told once when something breaks, and once
    when it is well again; the address of `key secret notify ping` is asked for after each good night. Run it from a
    timer or cron, on the server or on any admin's machine that is on at night.

    \b
    Example: darkpeak nightly
    """
    from darkpeak import output
    from darkpeak.backup.nightly import run_night
    from darkpeak.backup.notices import tell

    collective = settings.collective()
    secret = read_key(collective, identities)
    lines = []
    for group in settings.groups(collective):
        with session(settings, group, secret) as work:
            lines += run_night(work, group.services)
    if settings.as_json:
        output.show_json(lines)
    else:
        output.show_lines(f"{'ok  ' if line.good else 'LOOK'} {line.about}: {line.said}" for line in lines)
    told = tell(settings.groups(collective)[0].engine, collective.name, secret, lines)
    if told:
        output.note(f"told: {told}")
    bad = [line.about for line in lines if not line.good]
    if bad:
        raise NotSo(f"somebody must look after: {', '.join(bad)}", mend="the lines above say why")


COMMANDS = (nightly,)
