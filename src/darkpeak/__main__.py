"""The command `darkpeak`, also as `python -m darkpeak`."""

import os
import signal
import sys

HELP = os.path.join(os.path.dirname(__file__), "cli", "help.txt")  # noqa: PTH118, PTH120 (pathlib takes longer than all of this)
WIDTH = 80  # columns, for which that file is written; help is never wider


def main() -> None:
    """Run the command. Ctrl-C while it is still loading ends it at once: nothing has begun."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.argv[1:] in (["--help"], ["-h"]) and _is_wide():
        with open(HELP, encoding="utf-8") as file:  # noqa: PTH123
            sys.stdout.write(file.read())
        return
    from darkpeak.cli import main as run

    run()


def _is_wide() -> bool:
    """Return whether the help that `bin/reference` has written is what click would write now."""
    if "COLUMNS" in os.environ or "_DARKPEAK_COMPLETE" in os.environ:
        return False
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns >= WIDTH
    except (OSError, ValueError):
        return True  # a file or a pipe


if __name__ == "__main__":
    main()
