"""The command line: parse, call, print. No decisions, and no heavy import before a command needs it."""

import sys

import click

from darkpeak import __version__
from darkpeak.cli import backups, care, data, dns, hosts, keys, members, nightly, routing, run, show, vm
from darkpeak.cli.common import HOST_HELP, Settings
from darkpeak.errors import DarkpeakError, SystemFailure, UsageError

EPILOG = """\b
Exit codes:
  0  done
  1  the thing asked about is not so (findings, something that failed a check)
  2  wrong use or bad input; nothing was touched
  3  the daemon or another system failed

Example: darkpeak up wiki
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(__version__, message="darkpeak %(version)s")
@click.option("--host", metavar="HOST", help=HOST_HELP)
@click.option("--collective", "folder", metavar="FOLDER", help="The collective's folder (else the nearest above here).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def root(context: click.Context, host: str | None, folder: str | None, *, as_json: bool) -> None:
    """Run a collective's services: same shape, two admins, proven to restore."""
    context.obj = Settings(host, folder, as_json)


ROOMS = (run, show, data, backups, care, keys, nightly, members, hosts, routing, dns, vm)

for command in (item for room in ROOMS for item in room.COMMANDS):
    root.add_command(command)


def main() -> None:
    """Run the command, and turn every error into its lines and its exit code: the one place that does."""
    as_json = "--json" in sys.argv[1:]
    try:
        sys.exit(root.main(prog_name="darkpeak", standalone_mode=False) or 0)
    except DarkpeakError as error:
        code = _say(_of_a_cut(error), as_json=as_json)
    except click.ClickException as error:
        usage = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "darkpeak"
        code = _say(UsageError(error.format_message(), hint=f"{usage} --help shows how"), as_json=as_json)
    except (KeyboardInterrupt, click.Abort):
        code = 130
        _say(DarkpeakError("interrupted", hint="the same command goes on from here"), as_json=as_json)
    except BrokenPipeError:
        code = 0
    sys.exit(code)


def _of_a_cut(error: DarkpeakError) -> DarkpeakError:
    """Return the error, or what is behind it: that a connection to a daemon was cut, and so whatever went over it."""
    ssh = sys.modules.get("darkpeak.engine.ssh")
    cut = ssh.find_cut() if ssh and isinstance(error, SystemFailure) else ""
    if not cut:
        return error
    first = error.message.partition("\n")[0]
    hint = "what is done stays done; the same command goes on from here"
    return SystemFailure(f"the ssh connection to {cut} was cut: {first}", hint=hint)


def _say(error: DarkpeakError, *, as_json: bool) -> int:
    from darkpeak import output

    output.show_error(error, as_json=as_json)
    return error.exit_code
