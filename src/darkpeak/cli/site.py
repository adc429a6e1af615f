"""The command about the pages for members."""

from pathlib import Path

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import UsageError


@command("site")
@click.option("--to", metavar="DIR", type=click.Path(path_type=Path), help="Write them into this folder instead.")
@click.option("--admins", is_flag=True, help="With --to: the page for admins instead.")
def site(settings: Settings, to: Path | None, *, admins: bool) -> None:
    """Renew the pages for members, or write them into a folder.

    One page shows the services: what each one is for, its address, how to log in, what it promises, and who runs it.
    The status page shows what works now, the last 90 days of each service, and its outages; they are also an Atom
    feed. If the collective has a file about.md, its text is on the first page.

    The service home shows the pages at the collective's domain; `up` and `nightly` renew them too. With --to, they are
    plain files, for any web server: on another machine, they answer when yours is off.

    What only members may see (`shown: members`) is not among them: home shows it to members who have logged in.

    With --admins, it writes the overview for admins: what is wrong and the command that helps, and for each service its
    level, state, uptime, newest snapshot, last drill, memory, processor, data, updates, last deploy and admins. Each
    service also has a page of its own. Do not publish them.

    \b
    Example: darkpeak site --to /var/www/html
    """
    from darkpeak import output
    from darkpeak.actions.overview import find_overview
    from darkpeak.actions.publish import publish
    from darkpeak.actions.site import find_site, write_files
    from darkpeak.site.overview import make_overview
    from darkpeak.site.pages import make_pages

    if admins and to is None:
        raise UsageError("--admins needs a folder", hint="for instance: darkpeak site --admins --to ./overview")
    collective = settings.collective()
    if admins and to:
        overview = find_overview(collective, settings.targets(collective))
        found = overview.site
        write_files(make_overview(overview), to)
        done = f"wrote the overview; open {to / 'overview.html'}"
    elif to is None:
        found = publish(settings.own_targets(collective, ()))
        done = f"renewed the pages at {collective.address('http', collective.domain)}"
    else:
        found = find_site(collective, settings.targets(collective))
        written = write_files(make_pages(found.for_everybody()), to)
        done = f"wrote {len(written)} files into {to}; open {to / 'index.html'}"
    if settings.as_json:
        output.show_json({"folder": str(to) if to else None, "at": found.at.isoformat(), "unknown": found.unknown})
    else:
        output.show_lines([done])
    for reason in found.unknown:
        output.note(f"note: what runs is not known, so the pages show only what the files say: {reason}")


COMMANDS = (site,)
