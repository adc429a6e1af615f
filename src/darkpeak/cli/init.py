"""The command that makes a collective, and its questions on a terminal."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkpeak.cli.common import Settings, command
from darkpeak.errors import UsageError

if TYPE_CHECKING:
    from darkpeak.collective.settings import Admin
    from darkpeak.life.init import Initialised

KEY_KINDS = ("ssh-", "ecdsa-", "sk-")
PROPOSED = ("id_ed25519.pub", "id_rsa.pub")  # the first of them that exists; backups can be encrypted to both kinds
AT_LEAST = 2  # admins


@command("init")
@click.argument("target", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", default="", help="The collective's name.")
@click.option("--domain", default="", help="Its domain; localhost needs no DNS.")
@click.option("--admin", "admins", multiple=True, metavar="NAME", help="An admin's short name; give it twice or more.")
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="NAME=FILE",
    help="An admin's ssh public key: its .pub file, or the line itself.",
)
def init(  # noqa: PLR0913 (what a collective has)
    settings: Settings, target: Path, *, name: str, domain: str, admins: tuple[str, ...], keys: tuple[str, ...]
) -> None:
    """Make a collective of your own in a new folder.

    On a terminal, it asks for what you do not give. The folder gets collective.toml, a README, the router and the
    directory, and is committed to git. An admin's key can follow later: backups need it.

    \b
    Example: darkpeak init village --name Village --domain village.test --admin ada --admin grace
    """
    from darkpeak import output
    from darkpeak.life import init as action
    from darkpeak.life.init import Wanted

    action.check_folder(target)
    if not sys.stdin.isatty():
        _require(name, domain, admins)
    name = name or _ask("Name of the collective", action.check_name)
    domain = domain or _ask("Domain", action.check_domain, "localhost")
    wanted = Wanted(name, domain, _admins(admins, _given_keys(keys)))
    made = action.begin(target, wanted)
    if settings.as_json:
        output.show_json(made)
    else:
        output.show_lines(_describe(made))


def _require(name: str, domain: str, admins: tuple[str, ...]) -> None:
    missing = [option for option, value in (("--name", name), ("--domain", domain)) if not value]
    missing += ["--admin (two of them)" if not admins else "another --admin"] * (len(admins) < AT_LEAST)
    if missing:
        hint = "give them, or run this on a terminal, where it asks: darkpeak init --help"
        raise UsageError(f"missing: {', '.join(missing)}", hint=hint)


def _admins(names: tuple[str, ...], keys: dict[str, tuple[str, ...]]) -> "tuple[Admin, ...]":
    """Return the admins, with their ssh keys; on a terminal it asks for those that are missing."""
    from darkpeak.collective.settings import Admin
    from darkpeak.life.init import check_admin

    def check_one(name: str) -> None:
        check_admin(Admin(name))
        if name in names:
            raise UsageError(f"{name} is named twice", hint="name two different people")

    while len(names) < AT_LEAST:
        login = _login() if not names else ""
        names = (*names, _ask(f"Short name of admin {len(names) + 1}", check_one, login))
    unknown = next((name for name in keys if name not in names), "")
    if unknown:
        raise UsageError(f"--key names {unknown}, who is not an admin", hint=f"add: --admin {unknown}")
    return tuple(Admin(name, ssh=keys.get(name) or _ask_key(name, is_own=name == names[0])) for name in names)


def _given_keys(options: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    keys: dict[str, tuple[str, ...]] = {}
    for option in options:
        name, equals, written = option.partition("=")
        if not name or not equals:
            raise UsageError(f"--key {option} has no name", hint="write it like --key ada=~/.ssh/id_ed25519.pub")
        keys[name] = (*keys.get(name, ()), *_read_key(written))
    return keys


def _read_key(written: str) -> tuple[str, ...]:
    """Return the keys of a .pub file, or of a line that is a key itself."""
    from darkpeak.collective.text import NotReadable
    from darkpeak.collective.text import read as read_text

    if written.startswith(KEY_KINDS):
        return (written.strip(),)
    path = Path(written).expanduser()
    try:
        lines = read_text(path).splitlines()
    except NotReadable as error:
        raise UsageError(f"the ssh key {path} cannot be read: {error}", hint="give a .pub file") from error
    if any("PRIVATE KEY" in line for line in lines):
        raise UsageError(f"{path} is a private key, which nobody else may see", hint=f"give {path}.pub")
    keys = tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
    if not keys:
        raise UsageError(f"{path} has no ssh key", hint="give a .pub file")
    return keys


def _ask_key(name: str, *, is_own: bool) -> tuple[str, ...]:
    """Ask for an admin's ssh key; empty: it follows later."""
    from darkpeak.collective.settings import Admin
    from darkpeak.life.init import check_admin

    if not sys.stdin.isatty():
        return ()
    own = (Path.home() / ".ssh" / file for file in PROPOSED) if is_own else iter(())
    default = next((str(path) for path in own if path.is_file()), "")

    def check_one(written: str) -> None:
        if written:
            check_admin(Admin(name, ssh=_read_key(written)))

    written = _ask(f"ssh public key of {name} (.pub file or line; empty: later)", check_one, default, may_be_empty=True)
    return _read_key(written) if written else ()


def _ask(question: str, validate: Callable[[str], None], default: str = "", *, may_be_empty: bool = False) -> str:
    """Ask on the terminal until the answer passes a check."""

    def checked(answer: str) -> str:
        try:
            validate(answer.strip())
        except UsageError as error:
            raise click.UsageError("\n  ".join(error.lines())) from error
        return answer.strip()

    proposed = default or ("" if may_be_empty else None)
    shown = bool(default)
    return str(click.prompt(question, default=proposed, value_proc=checked, show_default=shown, err=True))


def _login() -> str:
    """Return the caller's login, if it can be an admin's name."""
    from darkpeak.caller import who
    from darkpeak.collective.settings import Admin
    from darkpeak.life.init import check_admin

    login = who().partition("@")[0]
    try:
        check_admin(Admin(login))
    except UsageError:
        return ""
    return login


def _describe(made: "Initialised") -> list[str]:
    folder = click.format_filename(made.folder)
    lines = [f"{made.name}: made in {folder}, with {' and '.join(made.services)}, and committed"]
    lines += [f"{name} has no ssh key yet: write it into collective.toml, before backups" for name in made.without_key]
    return [*lines, "next:", f"  cd {folder}", "  darkpeak plan", "  darkpeak up"]


COMMANDS = (init,)
