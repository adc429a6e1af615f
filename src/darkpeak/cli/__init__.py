"""The command line: parse, call, print. It decides nothing, and imports nothing heavy before a command needs it."""

import signal
import sys
from types import FrameType

import click

from darkpeak.cli.common import Settings, shared_options
from darkpeak.cli.lazy import LazyGroup
from darkpeak.cli.version import show_version
from darkpeak.errors import DarkpeakError, SystemFailure, UsageError, explained

EPILOG = """\b
Exit codes:
  0  done
  1  a check failed (lint findings, a failed drill, pending changes)
  2  wrong use or bad input; nothing was touched
  3  the daemon or another system failed

Example: darkpeak up wiki
"""


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EPILOG,
    invoke_without_command=True,
    no_args_is_help=True,
)
@click.option("--version", is_flag=True, help="Show the version and exit.")
@click.option("--check", is_flag=True, help="With --version: ask pip's index whether a newer release is out.")
@click.pass_context
def root(
    context: click.Context, /, host: str | None, folder: str | None, *, as_json: bool, verbosity: int, **own: bool
) -> None:
    """Run a collective's services: same shape, two admins, tested backups."""
    context.obj = Settings(host, folder, as_json, verbosity)
    if own["version"]:
        show_version(check=own["check"], as_json=as_json)
        context.exit()
    if own["check"]:
        raise click.UsageError("--check is for --version", context)
    if context.invoked_subcommand is None:
        raise click.UsageError("Missing command.", context)


root.params += shared_options()


def main() -> None:
    """Run the command. Only here do errors become lines on the terminal and an exit code."""
    signal.signal(signal.SIGINT, _interrupt)
    try:
        sys.exit(root.main(prog_name="darkpeak", standalone_mode=False) or 0)
    except DarkpeakError as error:
        code = _show(explained(error))
    except click.exceptions.NoArgsIsHelpError as error:
        code = _help(error)
    except click.ClickException as error:
        code = _show(_wrong_use(error))
    except (KeyboardInterrupt, click.Abort):
        code = 130
        _show(UsageError("interrupted", hint="run the same command again; it continues from here"))
    except BrokenPipeError:
        code = 0
    except Exception as error:  # noqa: BLE001 (a bug, which must not end in a traceback)
        code = _show(_bug(error))
    sys.exit(code)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End the programs that run, as Ctrl-C on a terminal does, and then this command."""
    process = sys.modules.get("darkpeak.process")
    if process:
        process.interrupt()
    raise KeyboardInterrupt


def _help(error: click.UsageError) -> int:
    """Show the help of a group that was called without a command; its exit code is that of wrong use, as click's is."""
    from darkpeak import output

    output.note(error.ctx.get_help() if error.ctx else error.format_message())
    return UsageError.exit_code


def _wrong_use(error: click.ClickException) -> UsageError:
    """Return click's error in the form of ours: it begins in lower case and has no full stop."""
    command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "darkpeak"
    message = error.format_message()
    return UsageError(message[:1].lower() + message[1:].rstrip("."), hint=f"see how it is used: {command} --help")


def _bug(error: Exception) -> SystemFailure:
    hint = "please report it, and attach the log; -vv shows more"
    bug = SystemFailure(f"this is a bug in darkpeak: {type(error).__name__}: {error}", hint=hint)
    bug.__cause__ = error
    return bug


def _show(error: DarkpeakError) -> int:
    from darkpeak import output, trace

    trace.failed(error)
    verbose = trace.verbosity > 0
    log = trace.log_file if error.exit_code != UsageError.exit_code else None
    output.show_error(error, log, trace.causes(error) if verbose else (), as_json="--json" in sys.argv[1:])
    return error.exit_code
