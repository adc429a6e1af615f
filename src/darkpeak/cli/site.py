"""The command about the pages for members."""

from pathlib import Path

import click

from darkpeak.cli.common import Settings, command


@command("site")
@click.option("--to", required=True, metavar="DIR", type=click.Path(path_type=Path), help="Where to write.")
def site(settings: Settings, to: Path) -> None:
    """Write the pages for members into a folder.

    One page shows the services: what each one is for, its address, how to log in, what it promises, and who runs it.
    The status page shows what works now, the last 90 days of each service, and its outages; they are also an Atom
    feed. If the collective has a file about.md, its text is on the first page. Any web server can show the pages. Put
    them on another machine, so that members can read them when the server is off.

    \b
    Example: darkpeak site --to /var/www/html
    """
    from darkpeak import output
    from darkpeak.actions.site import find_site, write_site

    collective = settings.collective()
    found = find_site(collective, settings.targets(collective))
    written = write_site(found, to)
    if settings.as_json:
        output.show_json({"folder": str(to), "files": written, "unknown": found.unknown})
    else:
        output.show_lines([f"wrote {len(written)} files into {to}; open {to / 'index.html'}"])
    for reason in found.unknown:
        output.note(f"note: what runs is not known, so the pages show only what the files say: {reason}")


COMMANDS = (site,)
