"""The command `darkpeak`, also as `python -m darkpeak`."""

import signal


def main() -> None:
    """Run the command. Ctrl-C while it is still loading ends it at once: nothing has begun."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from darkpeak.cli import main as run

    run()


if __name__ == "__main__":
    main()
