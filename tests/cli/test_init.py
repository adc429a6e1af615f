"""`darkpeak init`: what it makes, what it refuses before it writes anything, and its questions on a terminal."""

import errno
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from darkpeak.collective import read
from darkpeak.deploy.check import check_files
from darkpeak.errors import UsageError
from darkpeak.life.init import check_folder

NAMED = ("--name", "Our “Village”", "--domain", "village.test")
GIVEN = (*NAMED, "--admin", "ada", "--admin", "grace.hopper")
MADE = [".git", ".gitignore", "README.md", "collective.toml", "services"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of somebody with an ssh key, whom git does not know."""
    folder = tmp_path_factory.mktemp("home")
    (folder / ".ssh").mkdir()
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", folder / ".ssh/id_ed25519"], check=True
    )
    return folder


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "EMAIL": ""}


def init(home: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run it in the folder above the new one, without a terminal."""
    argv = [sys.executable, "-m", "darkpeak", "init", folder.name, *options]
    ours = {"cwd": folder.parent, "env": environment(home), "stdin": subprocess.DEVNULL}
    return subprocess.run(argv, **ours, capture_output=True, text=True, check=False)  # type: ignore[call-overload,no-any-return]


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True).stdout


def test_a_collective_is_made_and_committed_and_sound(home: Path, tmp_path: Path) -> None:
    key = home / ".ssh/id_ed25519.pub"
    done = init(home, tmp_path / "village", *GIVEN, "--key", f"ada={key}", "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["services"], made["without_key"]) == (["router", "directory"], ["grace.hopper"])
    checked = check_files(tmp_path / "village")
    assert checked.findings == ()
    found = checked.collective
    assert (found.name, found.domain, bool(found.id)) == ("Our “Village”", "village.test", True)
    assert [(admin.name, admin.ssh) for admin in found.admins] == [
        ("ada", (key.read_text().strip(),)),
        ("grace.hopper", ()),
    ]
    assert {service.name: service.admins for service in found.services} == dict.fromkeys(
        ("directory", "router"), ("ada", "grace.hopper")
    )
    assert sorted(path.name for path in (tmp_path / "village").iterdir()) == MADE
    assert git(tmp_path / "village", "status", "--porcelain", "--ignored") == ""
    assert git(tmp_path / "village", "log", "--format=%an <%ae> %s") == "ada <ada@village.test> Begin Our “Village”\n"
    assert (tmp_path / "village/services/router/haproxy/bin/serve").stat().st_mode & 0o111


def test_a_known_author_and_an_empty_folder_are_taken_as_they_are(home: Path, tmp_path: Path) -> None:
    (tmp_path / ".gitconfig").write_text(
        "[user]\nname = Lena\nemail = lena@village.example\n"
        "[commit]\ngpgsign = true\n[core]\nexcludesFile = ~/ignored\n"
    )
    (tmp_path / "ignored").write_text("bin\n.env\n")
    (tmp_path / "village").mkdir()
    before = (tmp_path / "village").stat().st_ino
    done = init(tmp_path, tmp_path / "village", *GIVEN)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "village").stat().st_ino == before, "a shell in it stays in it"
    assert git(tmp_path / "village", "log", "--format=%an") == "Lena\n"
    committed = git(tmp_path / "village", "ls-files").split()
    assert {"services/router/haproxy/bin/serve", "services/router/.env"} <= set(committed)
    assert home != tmp_path


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "missing: --name, --domain, --admin (two of them)"),
        ((*NAMED, "--admin", "ada"), "missing: another --admin"),
        ((*NAMED, "--admin", "ada", "--admin", "ada"), "ada is named twice"),
        ((*NAMED, "--admin", "ada", "--admin", "Grace H"), "'Grace H' is not valid as the name of a member"),
        ((*NAMED, "--admin", "ada", "--admin", "root"), "the name root is reserved"),
        ((*GIVEN, "--domain", "village.dev"), "the domain cannot end in .dev"),
        ((*GIVEN, "--domain", "Our Village"), "'Our Village' is not a domain"),
        ((*GIVEN, "--name", "  "), "'  ' cannot be the name of a collective"),
        ((*GIVEN, "--name", "a\nb"), "cannot be the name of a collective"),
        ((*GIVEN, "--key", "lena=ssh-ed25519 AAAA"), "--key names lena, who is not an admin"),
        ((*GIVEN, "--key", "ada=ssh-ed25519 AAAA"), "of ada is not an ssh public key"),
        ((*GIVEN, "--key", "ada=nowhere.pub"), "the ssh key nowhere.pub cannot be read"),
        ((*GIVEN, "--key", "ada=/dev/zero"), "the ssh key /dev/zero cannot be read"),
        ((*GIVEN, "--key", "ada=~/.ssh/id_ed25519"), "id_ed25519 is a private key"),
        ((*GIVEN, "--key", "~/.ssh/id_ed25519.pub"), "has no name"),
    ],
    ids=lambda value: "" if isinstance(value, tuple) else value[:30],
)
def test_bad_input_is_refused_and_nothing_is_written(
    home: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    done = init(home, tmp_path / "village", *options)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert len(done.stderr.splitlines()) <= 3
    assert list(tmp_path.iterdir()) == []


def test_a_folder_whose_name_is_too_long_is_refused(home: Path, tmp_path: Path) -> None:
    done = init(home, tmp_path / ("a" * 300), *GIVEN)
    assert (done.returncode, "cannot be used: File name too long" in done.stderr) == (2, True), done.stderr


def test_a_folder_that_one_may_not_enter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: str) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "is_symlink", refuse)
    with pytest.raises(UsageError, match="/closed/village cannot be used: Permission denied"):
        check_folder(Path("/closed/village"))


def test_a_folder_that_is_not_empty_is_left_as_it_is(home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/.hidden").touch()
    for name, said in (("file", "is a file"), ("link", "leads to nothing"), ("full", "is not empty")):
        done = init(home, tmp_path / name, *GIVEN)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        *("file", "full", "full/.hidden", "link")
    ]


@pytest.mark.parametrize("name", ["no", "null", "e1"])
def test_a_name_that_yaml_takes_for_another_value_stays_a_name(home: Path, tmp_path: Path, name: str) -> None:
    done = init(home, tmp_path / "village", *NAMED, "--admin", name, "--admin", "ada")
    assert done.returncode == 0, done.stderr
    assert {service.admins for service in read(tmp_path / "village")[0].services} == {(name, "ada")}


def test_a_commit_that_fails_leaves_nothing(home: Path, tmp_path: Path) -> None:
    (tmp_path / ".gitconfig").write_text("[user]\nname = Lena\nemail = lena@village.example\n[core]\nbare = maybe\n")
    done = init(tmp_path, tmp_path / "village", *GIVEN)
    assert done.returncode == 3, done.stderr
    assert not (tmp_path / "village").exists()
    assert home != tmp_path


def test_on_a_terminal_it_asks_until_each_answer_is_right(home: Path, tmp_path: Path) -> None:
    """A wrong domain and a wrong key are asked for again; the caller's own key is proposed."""
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-m", "darkpeak", "init", "village"]
    answers = ("Village", "village.dev", "", "ada", "grace", "", "nonsense", "")
    with subprocess.Popen(argv, cwd=tmp_path, env=environment(home), stdin=theirs, stdout=theirs, stderr=theirs) as it:
        os.close(theirs)
        os.write(ours, "".join(f"{answer}\n" for answer in answers).encode() + b"\x04")  # no more answers
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:  # its end
            pass
        assert it.wait() == 0, shown.decode()
    text = shown.decode()
    assert "Error: the domain cannot end in .dev" in text
    assert f"[{home}/.ssh/id_ed25519.pub]" in text
    found = read(tmp_path / "village")[0]
    assert (found.domain, [bool(admin.ssh) for admin in found.admins]) == ("localhost", [True, False])
