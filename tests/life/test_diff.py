"""What the catalogue has changed since a service was made from it is shown, and merged into the service's own files."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from darkpeak import catalogue
from darkpeak.collective.model import Service
from darkpeak.deploy.check import check_files
from darkpeak.errors import UsageError
from darkpeak.life.add import add, new
from darkpeak.life.diff import Taken, diff, take

TOML = 'name = "Test"\ndomain = "localhost"\n[admins.kim]\nname = "Kim"\n[admins.lou]\nname = "Lou"\n[admins.max]\nname = "Max"\n'
Change = Callable[[Path], object]


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the catalogue, which is used instead of the real one and can be changed."""
    copy = tmp_path / "catalogue"
    for name in ("router", "directory", "wiki"):
        shutil.copytree(catalogue.services()[name], copy / "services" / name)
    shutil.copytree(catalogue.shapes(), copy / "shapes")
    monkeypatch.setattr("darkpeak.catalogue._folder", lambda name: copy / name)
    return copy


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a collective, in git, with a service of the catalogue under another name, in another block."""
    root = tmp_path_factory.mktemp("ours")
    (root / "collective.toml").write_text(TOML)
    git(root, "init", "-q")
    for name in ("router", "directory"):
        add(check_files(root), name, "", ("kim", "lou"))
    folder = root / "services/first"
    folder.mkdir()
    block = "block: 6010, admins: [kim, lou], kind: user, level: idea"
    (folder / "docker-compose.yml").write_text(f"name: darkpeak-first\nx-darkpeak: {{about: First, {block}}}\n")
    add(check_files(root), "wiki", "notes", ("kim", "lou"))
    commit(root)
    return root


@pytest.fixture
def root(theirs: Path, made: Path, tmp_path: Path) -> Path:
    """Return a copy of that collective, made from the catalogue that can be changed."""
    assert theirs
    return shutil.copytree(made, tmp_path / "ours")


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Kim", "-c", "user.email=kim@darkpeak.test")
    done = subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "All")


def notes(root: Path, name: str = "notes") -> Service:
    return next(item for item in check_files(root).collective.services if item.name == name)


def taken(root: Path) -> Taken:
    return take(check_files(root).collective, notes(root))


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_nothing_has_changed(root: Path) -> None:
    assert diff(notes(root)).lines == ()
    assert taken(root) == Taken("notes", (), (), {})
    assert git(root, "status", "--porcelain") == ""


def test_a_change_is_shown_and_taken(root: Path, theirs: Path) -> None:
    edit(theirs / "services/wiki/docker-compose.yml", "mem_limit: 768m", "mem_limit: 900m")
    lines = diff(notes(root)).lines
    assert [line for line in lines if line[0] in "+-"] == [
        "--- a/docker-compose.yml",
        "+++ b/docker-compose.yml",
        "-    mem_limit: 768m",
        "+    mem_limit: 900m",
    ]
    assert taken(root) == Taken("notes", ("docker-compose.yml",), (), {})
    changed = git(root, "diff", "-U0", "--", "services/notes/docker-compose.yml").splitlines()[5:]
    assert changed == ["-    mem_limit: 768m", "+    mem_limit: 900m"]
    assert diff(notes(root)).lines == ()


def test_what_is_local_does_not_conflict(root: Path, theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another name, block, admins and level, beside lines that the catalogue changed; and a newer version."""
    monkeypatch.setattr("darkpeak.life.diff.__version__", "0.2.0")
    compose = root / "services/notes/docker-compose.yml"
    edit(compose, "admins: [kim, lou]", "admins: [lou, max, kim]")
    edit(compose, "level: alpha", "level: beta")
    commit(root)
    file = theirs / "services/wiki/docker-compose.yml"
    edit(file, "about: The members' wiki", "about: The wiki of the members")
    edit(file, "stop_signal: SIGINT\n", "stop_signal: SIGINT\n    stop_grace_period: 20s\n")
    edit(theirs / "services/wiki/README.md", "http://wiki.DOMAIN", "The pages: http://wiki.DOMAIN")
    assert taken(root) == Taken("notes", ("README.md", "docker-compose.yml"), (), {})
    text = compose.read_text()
    assert "from: services/wiki 0.2.0\n" in text
    assert "admins: [lou, max, kim]\n" in text
    assert "block: 6030\n" in text
    assert "stop_grace_period: 20s" in text
    assert "The pages: http://notes.DOMAIN" in (root / "services/notes/README.md").read_text()


def add_file(folder: Path) -> None:
    (folder / "webserver/bin/new").write_text("#!/bin/sh\necho new\n")
    (folder / "webserver/bin/new").chmod(0o755)


def rename_file(folder: Path) -> None:
    (folder / "webserver/php.ini").rename(folder / "webserver/settings.ini")


def append(name: str, text: str) -> Change:
    def change(folder: Path) -> None:
        with (folder / name).open("a") as file:
            file.write(text)

    return change


def both(*changes: Change) -> Change:
    return lambda folder: [change(folder) for change in changes]


def nothing(_: Path) -> None:
    """Change nothing."""


def binary(content: bytes) -> Change:
    return lambda folder: (folder / "webserver/logo").write_bytes(content)


README, INI = "README.md", "webserver/php.ini"
CASES = {
    "a new program": (nothing, add_file, ({"webserver/bin/new"}, set(), set())),
    "removed there": (nothing, lambda folder: (folder / INI).unlink(), (set(), {INI}, set())),
    "removed there, changed here": (append(INI, "; own\n"), lambda folder: (folder / INI).unlink(), (set(), set(), {INI})),
    "removed here, changed there": (lambda folder: (folder / INI).unlink(), append(INI, "; new\n"), (set(), set(), {INI})),
    "removed here, the same there": (lambda folder: (folder / INI).unlink(), nothing, (set(), set(), set())),
    "removed here and there": (lambda folder: (folder / INI).unlink(), lambda folder: (folder / INI).unlink(), (set(), set(), set())),
    "renamed there": (nothing, rename_file, ({"webserver/settings.ini"}, {INI}, set())),
    "renamed there, changed here": (append(INI, "; own\n"), rename_file, ({"webserver/settings.ini"}, {INI}, set())),
    "renamed and changed there": (append(README, "Own.\n"), both(rename_file, append("webserver/settings.ini", "; new\n")), ({"webserver/settings.ini"}, {INI}, set())),
    "renamed there, removed here": (lambda folder: (folder / INI).unlink(), rename_file, (set(), set(), set())),
    "renamed and changed there, removed here": (lambda folder: (folder / INI).unlink(), both(rename_file, append("webserver/settings.ini", "; new\n")), (set(), set(), {"webserver/settings.ini"})),
    "a mode": (nothing, lambda folder: (folder / "scripts/verify").chmod(0o644), ({"scripts/verify"}, set(), set())),
    "a mode there, a change here": (append("scripts/verify", "# own\n"), lambda folder: (folder / "scripts/verify").chmod(0o644), ({"scripts/verify"}, set(), set())),
    "the same lines": (append(README, "Own.\n"), append(README, "New.\n"), (set(), set(), {README})),
    "the same change": (append(README, "Both.\n"), append(README, "Both.\n"), (set(), set(), set())),
    "other lines": (lambda folder: edit(folder / README, "# Notes", "# Our notes"), append(README, "New.\n"), ({README}, set(), set())),
    "a new file on both sides": (append("webserver/extra", "own\n"), append("webserver/extra", "new\n"), (set(), set(), {"webserver/extra"})),
    "not text, new there": (nothing, binary(b"\0new"), ({"webserver/logo"}, set(), set())),
    "not text, on both sides": (binary(b"\0own"), binary(b"\0new"), (set(), set(), {"webserver/logo"})),
    "a file of its own": (append("webserver/own", "own\n"), nothing, (set(), set(), set())),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_files_are_merged(root: Path, theirs: Path, case: str) -> None:
    here, there, (changed, removed, conflicts) = CASES[case]
    here(root / "services/notes")
    commit(root)
    there(theirs / "services/wiki")
    found = taken(root)
    assert (set(found.changed), set(found.removed), set(found.conflicts)) == (changed, removed, conflicts)
    assert diff(notes(root)).lines == ()
    commit(root)
    assert taken(root) == Taken("notes", (), (), {})


def test_a_renamed_file_keeps_its_own_changes(root: Path, theirs: Path) -> None:
    own, new = CASES["renamed there, changed here"][:2]
    own(root / "services/notes")
    commit(root)
    both(new, lambda folder: edit(folder / "webserver/settings.ini", "\n", "\n; from the catalogue\n"))(
        theirs / "services/wiki"
    )
    assert "rename to webserver/settings.ini" in diff(notes(root)).lines
    taken(root)
    text = (root / "services/notes/webserver/settings.ini").read_text()
    assert "; own\n" in text
    assert "; from the catalogue\n" in text


def test_a_conflict_is_between_markers_and_a_mode_is_kept(root: Path, theirs: Path) -> None:
    append("scripts/verify", "# own\n")(root / "services/notes")
    commit(root)
    append("scripts/verify", "# new\n")(theirs / "services/wiki")
    assert taken(root).conflicts == {"scripts/verify": "was changed in the same lines: see the markers"}
    file = root / "services/notes/scripts/verify"
    assert file.read_text().endswith("<<<<<<< this collective\n# own\n=======\n# new\n>>>>>>> the catalogue now\n")
    assert file.stat().st_mode & 0o777 == 0o755


def test_what_is_not_committed_stops_it(root: Path, theirs: Path) -> None:
    append(README, "New.\n")(theirs / "services/wiki")
    append(README, "Own.\n")(root / "services/notes")
    with pytest.raises(UsageError, match="services/notes has changes that are not committed"):
        taken(root)
    assert "New." not in (root / "services/notes/README.md").read_text()


def test_a_clone_can_take_it_too(root: Path, theirs: Path, tmp_path: Path) -> None:
    git(root, "clone", "-q", str(root), str(tmp_path / "clone"))
    append(README, "New.\n")(theirs / "services/wiki")
    assert taken(tmp_path / "clone").changed == (README,)


def test_a_link_out_of_the_service_is_refused(root: Path, theirs: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("outside\n")
    (root / "services/notes/webserver/php.ini").unlink()
    (root / "services/notes/webserver/php.ini").symlink_to(tmp_path / "outside")
    commit(root)
    append(INI, "; new\n")(theirs / "services/wiki")
    with pytest.raises(UsageError, match="is a link"):
        taken(root)
    assert (tmp_path / "outside").read_text() == "outside\n"


def test_a_service_of_ones_own_has_nothing_to_compare(root: Path) -> None:
    with pytest.raises(UsageError, match="first is not from the catalogue"):
        diff(notes(root, "first"))


def test_a_service_that_the_catalogue_has_no_more(root: Path, theirs: Path) -> None:
    shutil.rmtree(theirs / "services/wiki")
    with pytest.raises(UsageError, match=r"the catalogue of darkpeak \S+ has no services/wiki"):
        diff(notes(root))


def test_without_the_files_that_it_was_made_from(root: Path) -> None:
    (root / "services/notes/.from.tar.gz").write_bytes(b"x")
    with pytest.raises(UsageError, match="the files from which notes was made"):
        diff(notes(root))


def test_outside_git_nothing_is_taken(root: Path, theirs: Path) -> None:
    shutil.rmtree(root / ".git")
    append(README, "New.\n")(theirs / "services/wiki")
    with pytest.raises(UsageError, match="is not in git"):
        taken(root)


def test_a_shape_can_be_compared(root: Path, theirs: Path) -> None:
    new(check_files(root), "mine", "web-sqlite", "debian", ("kim", "max"))
    edit(root / "services/mine/README.md", "Write me: what this service is", "Dates")
    commit(root)
    edit(theirs / "shapes/web-sqlite/docker-compose.yml", "mem_limit: 256m", "mem_limit: 300m")
    assert take(check_files(root).collective, notes(root, "mine")) == Taken("mine", ("docker-compose.yml",), (), {})
