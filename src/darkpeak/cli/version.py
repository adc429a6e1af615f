"""`darkpeak --version`: which version this is, and (only when asked) whether a newer release is out."""

from darkpeak import __version__
from darkpeak.errors import CheckFailed, SystemFailure

NAME = "darkpeak"


def show_version(*, check: bool, as_json: bool) -> None:
    """Print the version; with `check`, ask the index that pip is configured for whether there is a newer one.

    Raises:
        CheckFailed: when there is.
        SystemFailure: when that cannot be told.
    """
    from darkpeak import output

    newer = find_newer() if check else ""
    if as_json:
        output.show_json({"version": __version__, **({"newer": newer or None} if check else {})})
    else:
        output.show_lines([f"{NAME} {__version__}"])
    if newer:
        hint = f"read what has changed, then upgrade it as you installed it: pipx upgrade {NAME}"
        raise CheckFailed(f"{NAME} {newer} is out", hint=hint)
    if check and not as_json:
        output.show_lines(["it is the newest release"])


def find_newer() -> str:
    """Return the newest release, if it is newer than this one.

    Raises:
        SystemFailure: when that cannot be told.
    """
    from darkpeak.packages import newest
    from darkpeak.packages.container import CannotTell
    from darkpeak.packages.libraries import Library
    from darkpeak.packages.listed import Kind

    (answer,) = newest.find_newer([Library(Kind.PYPI, NAME, __version__)]).values()
    if isinstance(answer, CannotTell):
        raise SystemFailure(f"cannot tell whether a newer release is out, because {answer}") from answer
    return answer
