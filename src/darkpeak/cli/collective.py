"""Commands about what is written down: roadmap, ports, lint."""

import sys

import click

from darkpeak.cli.common import Settings, command


@command("roadmap")
def roadmap(settings: Settings) -> None:
    """Show all services by level, ideas too, and who is missing.

    \b
    Example: darkpeak roadmap
    """
    from darkpeak import output
    from darkpeak.plan.status import make_roadmap

    rows = make_roadmap(settings.collective())
    columns = ("level", "service", "kind", "about", "admins", "missing")
    output.show_rows(rows, columns, {"idea": "dim"}, as_json=settings.as_json, key=2)


@command("ports")
def ports(settings: Settings) -> None:
    """Show which port belongs to which service, and a free block.

    \b
    Example: darkpeak ports
    """
    from darkpeak import output
    from darkpeak.plan.status import describe_free_block, make_ports

    collective = settings.collective()
    rows = make_ports(collective)
    output.show_rows(rows, ("port", "service", "container", "target", "route"), {}, as_json=settings.as_json, key=2)
    if not settings.as_json:
        output.note(describe_free_block(collective))


@command("lint")
@click.argument("name", metavar="[SERVICE]", required=False)
def lint(settings: Settings, name: str | None) -> None:
    """Check the files against the rules, and with compose itself.

    Exits 1 if there are findings.

    \b
    Example: darkpeak lint wiki
    """
    from darkpeak import output
    from darkpeak.collective import count
    from darkpeak.collective.environment import stale
    from darkpeak.deploy.check import check_with_compose
    from darkpeak.deploy.target import choose

    checked = settings.checked()
    services = choose(checked.collective, (name,) if name else ())
    found = (*checked.findings, *stale(checked.collective), *check_with_compose(checked.collective, services))
    findings = sorted(set(found))
    if name:
        findings = [finding for finding in findings if finding.at.file.startswith(f"services/{name}/")]
    if settings.as_json:
        output.show_json([{"at": str(f.at), "rule": f.rule, "what": f.what, "hint": f.hint} for f in findings])
    else:
        output.show_lines(f"{f.at}: {f.what} [{f.rule}]\n    {f.hint}" for f in findings)
        output.note(count(len(findings), "finding") if findings else "no findings")
    sys.exit(1 if findings else 0)


COMMANDS = (roadmap, ports, lint)
