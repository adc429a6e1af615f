"""Odd names, and a disk that takes nothing: each command that changes files says so in words, and leaves no half."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from darkpeak.life.rename import _name_back, _rename_files
from tests.making import write_collective

NOWHERE = "unix:///nonexistent/docker.sock"
BAD_NAMES = {"bytes": b"\xff\xfe", "codes": b"\x1b[31mred", "lines": b"one\ntwo"}
COMMANDS = {
    "new": (b"new", b"NAME", b"--like", b"web"),
    "add": (b"add", b"NAME"),
    "add as": (b"add", b"git", b"--as", b"NAME"),
    "lint": (b"lint", b"NAME"),
    "diff": (b"diff", b"NAME"),
    "rename": (b"rename", b"NAME", b"dates"),
    "move": (b"move", b"NAME", b"6050"),
    "domain": (b"domain", b"NAME", b"--dry-run"),
    "up": (b"up", b"NAME"),
    "init": (b"init", b"other", b"--name", b"V", b"--domain", b"NAME", b"--admin", b"ada", b"--admin", b"grace"),
}
WIKI = "services/wiki/docker-compose.yml"


def darkpeak(root: Path, *words: bytes, before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the tool in a collective, with an engine that does not answer."""
    home = {"XDG_STATE_HOME": str(root.parent / "state"), "XDG_CACHE_HOME": str(root.parent / "cache")}
    return subprocess.run(
        (sys.executable, "-m", "darkpeak", *words),
        cwd=root,
        env={**os.environ, **home, "DOCKER_HOST": NOWHERE},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        preexec_fn=before,
    )


def nothing_can_be_written() -> None:
    """Have each write fail, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def content(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a collective in a folder of its own."""
    (tmp_path / "village").mkdir()
    return write_collective(tmp_path / "village")


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_an_odd_name_is_refused_in_words(root: Path, words: tuple[bytes, ...], name: bytes) -> None:
    before = content(root)
    done = darkpeak(root, *(name if word == b"NAME" else word for word in words))
    assert (done.returncode, done.stdout, done.stderr[:7]) == (2, "", "error: "), done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert content(root) == before


@pytest.mark.parametrize(
    "words",
    [("new", "notes", "--like", "tcp"), ("add", "git"), ("move", "wiki", "6050"), ("init", "../other")],
    ids=lambda words: str(words[0]),
)
def test_a_full_disk_leaves_the_files_as_they_were(root: Path, words: tuple[str, ...]) -> None:
    options = (
        ("--name", "V", "--domain", "localhost", "--admin", "ada", "--admin", "grace") if words[0] == "init" else ()
    )
    before = content(root)
    done = darkpeak(root, *(word.encode() for word in (*words, *options)), before=nothing_can_be_written)
    assert (done.returncode, "cannot be written: File too large" in done.stderr) == (3, True), done.stderr
    assert "Traceback" not in done.stderr
    assert content(root) == before
    assert not (root.parent / "other").exists()


def test_a_moved_service_keeps_its_line_ends(root: Path) -> None:
    path = root / WIKI
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    path.chmod(0o640)
    assert darkpeak(root, b"move", b"wiki", b"6050").returncode == 0
    text = path.read_bytes()
    assert b"block: 6050\r\n" in text
    assert text.count(b"\n") == text.count(b"\r\n")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_folder_whose_file_cannot_be_written_keeps_its_name(root: Path) -> None:
    from darkpeak import collective

    wiki = next(item for item in collective.read(root)[0].services if item.name == "wiki")
    (root / WIKI).unlink()
    (root / WIKI).symlink_to("nowhere")
    with pytest.raises(FileNotFoundError):
        _rename_files(wiki, "pages", "darkpeak-pages")
    assert (root / "services/wiki").is_dir()
    assert not (root / "services/pages").exists()


@pytest.mark.parametrize("done", ["nothing", "its folder", "all"])
def test_a_service_gets_its_old_name_back_at_any_moment(root: Path, done: str) -> None:
    """Ctrl-C can come between the two steps of naming its files."""
    from darkpeak import collective

    wiki = next(item for item in collective.read(root)[0].services if item.name == "wiki")
    before, pages = (root / WIKI).read_bytes(), replace(wiki, folder=root / "services/pages", project="darkpeak-pages")
    if done == "its folder":
        wiki.folder.rename(pages.folder)
    elif done == "all":
        _rename_files(wiki, "pages", pages.project)
        assert (pages.folder / "docker-compose.yml").read_bytes() != before
    _name_back(pages, wiki)
    assert (root / WIKI).read_bytes() == before
    assert not pages.folder.exists()


INTERRUPTED = """\
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "darkpeak.cli":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
from darkpeak.__main__ import main
main()
"""


def test_ctrl_c_while_it_is_loading_ends_it_without_a_traceback() -> None:
    done = subprocess.run((sys.executable, "-c", INTERRUPTED), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")
