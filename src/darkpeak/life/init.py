"""Make a collective: its folder with collective.toml, a README, the router and the directory, in git."""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from darkpeak import process
from darkpeak.collective import Collective
from darkpeak.collective.environment import differing
from darkpeak.collective.identity import with_id
from darkpeak.collective.model import Finding
from darkpeak.collective.settings import Admin
from darkpeak.deploy.check import check_files, require_sound
from darkpeak.errors import SystemFailure, UsageError
from darkpeak.evidence.ownership import make_id
from darkpeak.life.add import add
from darkpeak.lint import people
from darkpeak.members.member import Member, check_member
from darkpeak.result import Result
from darkpeak.vocabulary import COLLECTIVE_FILE, DIRECTORY, LEAST_ADMINS, ROUTER

SERVICES = (ROUTER, DIRECTORY)  # every collective has them; the directory needs the router's CA
IGNORED = """\
# What commands of the documentation write here, and must not be in git.
/backups/
/*.crt
*~
*.swp
"""
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
GIT_HINT = "install it: apt-get install git"
OTHER_REPOSITORY = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")  # of a git hook, for instance


@dataclass(frozen=True)
class Wanted:
    """What a new collective is to be."""

    name: str
    domain: str
    admins: tuple[Admin, ...]


@dataclass(frozen=True)
class Initialised:
    """A new collective: its folder, its services, and the admins who have no ssh key yet."""

    folder: str
    name: str
    domain: str
    services: tuple[str, ...]
    without_key: tuple[str, ...]


def begin(folder: Path, wanted: Wanted) -> Initialised:
    """Make a collective in a folder that does not exist, or is empty; commit it.

    Raises:
        UsageError: when that is not possible; nothing was written.
        SystemFailure: when the files or the commit cannot be written; what was written is removed.
    """
    check_folder(folder)
    check_name(wanted.name)
    check_domain(wanted.domain)
    check_admins(wanted.admins)
    author = _author(wanted)
    with _removed_on_failure(folder):
        _write(folder, wanted)
        _commit(folder, author, f"Begin {wanted.name}")
    keyless = tuple(admin.name for admin in wanted.admins if not admin.ssh)
    return Initialised(str(folder), wanted.name, wanted.domain, SERVICES, keyless)


def check_folder(folder: Path) -> None:
    """Raise UsageError if this folder cannot become a collective."""
    try:
        _check_empty(folder)
    except OSError as error:  # the name is too long, or one may not enter a folder above it
        raise UsageError(f"{folder} cannot be used: {error.strerror}", hint="choose another folder") from error


def _check_empty(folder: Path) -> None:
    if folder.is_symlink() and not folder.exists():
        raise UsageError(f"{folder} is a link that leads to nothing", hint="choose another folder, or remove it")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", hint="choose another folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty", hint="choose a new folder, or an empty one")


def check_name(name: str) -> None:
    """Raise UsageError if a collective cannot have this name."""
    if not name.strip() or not name.isprintable():
        raise UsageError(f"{name!r} cannot be the name of a collective", hint="give one like 'Dark Peak'")


def check_domain(domain: str) -> None:
    """Raise UsageError if a collective cannot have this domain; the rule of `darkpeak lint` decides."""
    _refuse(people.domain(Collective(Path(), "", domain)))


def check_admins(admins: Sequence[Admin]) -> None:
    """Raise UsageError if these cannot be the admins of a collective; they are at least two people."""
    for admin in admins:
        check_admin(admin)
    names = [admin.name for admin in admins]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise UsageError(f"{twice} is named twice", hint="name two different people")
    if len(names) < LEAST_ADMINS:
        raise UsageError("a collective needs two admins", hint="name another: --admin NAME")


def check_admin(admin: Admin) -> None:
    """Raise UsageError if this cannot be an admin: the name is as a member's, and the ssh keys are public keys."""
    check_member(Member(admin.name, admin.full_name or admin.name, admin.mail))
    _refuse(people.ssh_keys(Collective(Path(), "", "localhost", (admin,))))


def make_collective_toml(wanted: Wanted) -> str:
    """Return the text of a new collective.toml, with an id."""
    lines = [f"name = {_quoted(wanted.name)}", f"domain = {_quoted(wanted.domain)}"]
    for admin in wanted.admins:
        lines += ["", f"[admins.{admin.name if BARE_KEY.fullmatch(admin.name) else _quoted(admin.name)}]"]
        note = "" if admin.ssh else " # the line of their .pub file; backups need it"
        lines += [f"ssh = [{', '.join(map(_quoted, admin.ssh))}]{note}"]
    return with_id("\n".join(lines) + "\n", make_id())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # of printable text, JSON's form is also TOML's


def _refuse(findings: Iterator[Finding]) -> None:
    for finding in findings:
        raise UsageError(finding.what, hint=finding.hint)


def _write(folder: Path, wanted: Wanted) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / COLLECTIVE_FILE).write_text(make_collective_toml(wanted), encoding="utf-8")
    (folder / ".gitignore").write_text(IGNORED, encoding="utf-8")
    readme = Template(files(__package__).joinpath("init.md").read_text(encoding="utf-8"))
    (folder / "README.md").write_text(readme.substitute(name=wanted.name), encoding="utf-8")
    for service in SERVICES:
        add(check_files(folder), service, admins=tuple(admin.name for admin in wanted.admins))
    checked = check_files(folder)
    require_sound(checked.findings)
    for path, text in differing(checked.collective).items():
        path.write_text(text, encoding="utf-8")


@contextmanager
def _removed_on_failure(folder: Path) -> Iterator[None]:
    """Remove what was written if it cannot be completed, so that the same command can be given again."""
    existed = folder.is_dir()
    try:
        yield
    except BaseException as error:
        for item in folder.iterdir() if folder.is_dir() else ():
            shutil.rmtree(item) if item.is_dir() and not item.is_symlink() else item.unlink()
        if not existed and folder.is_dir():
            folder.rmdir()
        if isinstance(error, OSError):
            what = f"{error.filename or folder} cannot be written: {error.strerror}"
            raise SystemFailure(what, hint="see who may write there, and the free space: df .") from error
        raise


def _author(wanted: Wanted) -> tuple[str, ...]:
    """Return git's options for the author of the commit: none if git knows the caller; else the first admin.

    Raises:
        SystemFailure: when git is not installed; nothing was written.
    """
    try:
        known = _git(Path.cwd(), "var", "GIT_COMMITTER_IDENT")
    except SystemFailure as error:
        raise SystemFailure("git is not installed", hint=GIT_HINT) from error
    if not known.code:
        return ()
    first = wanted.admins[0].name
    return ("-c", f"user.name={first}", "-c", f"user.email={first}@{wanted.domain}")


def _commit(folder: Path, author: tuple[str, ...], message: str) -> None:
    """Commit all files; the caller's git hooks, signatures and ignored files have no say in it."""
    ours = (*author, "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null", "-c", "core.autocrlf=false")
    for arguments in (
        ("init", "--quiet", "--initial-branch", "main"),
        (*ours, "add", "--all", "--force"),
        (*ours, "commit", "--quiet", "--message", message),
    ):
        done = _git(folder, *arguments)
        if done.code:
            raise SystemFailure(f"git could not commit the collective: {done.last_line()}", str(folder), "fix this")


def _git(folder: Path, *arguments: str) -> Result:
    own = {name: value for name, value in process.own_environment().items() if name not in OTHER_REPOSITORY}
    return process.run(("git", "-C", str(folder), *arguments), environment=own)
