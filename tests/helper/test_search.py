"""The search for a member's texts in volumes: files as services write them, with git's own objects and packs."""

import base64
import errno
import gzip
import json
import os
import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from darkpeak.helper.image import texts
from darkpeak.helper.image.search import main
from darkpeak.helper.image.texts import CHUNK, Search, objects_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ADA, MAIL, NAME = "ada", "ada@example.org", "Åda Løvelace"
TEXTS = (ADA, MAIL, NAME)


def found(*chunks: bytes) -> set[str]:
    return Search(TEXTS).find(chunks)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"1795\t10.0.0.1\tE\tstart\tada\tsummary\n", {ADA}),
        (b"uid=ada,ou=people", {ADA}),
        (b"ada", {ADA}),
        (b"Ada", {ADA}),
        (b"keydir/ada.pub", {ADA}),
        (b"adapter canada ada_x 1ada adaa", set()),
        (b"mail: ADA@EXAMPLE.ORG", {ADA, MAIL}),
        (b"?m=ada%40example.org", {ADA, MAIL}),
        (NAME.encode(), {NAME}),
        (json.dumps({"fn": NAME}).encode(), {NAME}),
        (b"?by=%C3%85da+L%C3%B8velace&x", {NAME}),
        (b"&#197;da L&#248;velace", {NAME}),
        (b"by ada&#64;example.org", {ADA, MAIL}),
        (b"by ada&#x40;example.org", {ADA, MAIL}),
        (b"dn:: " + base64.b64encode(b"uid=ada,ou=people,dc=collective"), {ADA}),
        (b"\xff\x00ada\x00\xfe", {ADA}),
        (b"", set()),
    ],
)
def test_texts_are_found_as_services_write_them(data: bytes, expected: set[str]) -> None:
    assert found(data) == expected


@pytest.mark.parametrize("before", [b"", b"x", b"xy"])
def test_base64_is_found_wherever_it_begins(before: bytes) -> None:
    assert found(base64.b64encode(before + b" " + NAME.encode() + b" and more")) == {NAME}


def test_a_wrapped_line_of_ldif_is_found() -> None:
    encoded = base64.b64encode(b"a long description of " + NAME.encode())
    assert found(b"dn: x\ndn: y\ncn:: " + encoded[:40] + b"\n " + encoded[40:]) == {NAME}


@pytest.mark.parametrize("size", range(1, 9))
def test_a_text_in_two_chunks_is_found(size: int) -> None:
    data = b"by " + MAIL.encode() + b" and adapter"
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert found(*pieces) == {ADA, MAIL}
    assert found(*(piece.replace(b"@", b"x").replace(b"ada", b"adx") for piece in [data])) == set()


def test_the_end_of_a_chunk_is_not_the_end_of_a_word() -> None:
    assert found(b"canada or ada", b"pter") == set()
    assert found(b"canada or ada", b".") == {ADA}


def searched(folder: Path) -> dict[str, set[str]]:
    """Return what the program finds in a folder, by place."""
    program = [sys.executable, "-m", "image.search", str(folder)]
    where = {"PYTHONPATH": str(Path(texts.__file__).parents[1])}
    printed = subprocess.run(program, input=json.dumps(TEXTS), capture_output=True, text=True, check=True, env=where)
    lines = map(json.loads, printed.stdout.splitlines())
    return {place: set(there) for of, place, there in lines if of == str(folder)}


def git(repository: Path, *arguments: str) -> None:
    who = {f"GIT_{role}_{what}": MAIL for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **who}
    subprocess.run(["git", "-C", str(repository), *arguments], check=True, capture_output=True, env=environment)


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
def test_commits_are_found_in_a_repository_which_is_one_place(tmp_path: Path, *, packed: bool) -> None:
    repository = tmp_path / "repositories" / "notes.git"
    repository.mkdir(parents=True)
    git(repository, "init", "-q", "--bare")
    git(repository, "config", "core.autocrlf", "false")
    tree = subprocess.run(
        ["git", "-C", str(repository), "mktree"], input=b"", capture_output=True, check=True
    ).stdout.decode()
    for number in range(3):
        git(repository, "commit-tree", tree.strip(), "-m", f"change {number}")
    objects = list(repository.rglob("objects/??/*"))
    assert len(objects) == 4
    if packed:
        names = "\n".join(path.parent.name + path.name for path in objects)
        pack = ["git", "-C", str(repository), "pack-objects", "-q", "objects/pack/pack"]
        subprocess.run(pack, input=names, text=True, capture_output=True, check=True)
        git(repository, "prune-packed")
        assert not list(repository.rglob("objects/??/*"))
    assert searched(tmp_path) == {"repositories/notes.git": {ADA, MAIL}}


def test_a_large_object_of_a_pack_is_searched_in_pieces() -> None:
    blobs = [bytes(3 * CHUNK) + NAME.encode(), MAIL.encode()]
    pack = b"PACK" + bytes(8) + b"".join(b"\x30" + zlib.compress(blob) for blob in blobs) + bytes(20)
    pieces = list(objects_of(pack))
    assert max(map(len, pieces)) <= CHUNK
    assert b"".join(pieces) == b"".join(blob + b"\n" for blob in blobs)
    assert found(*pieces) == {NAME, ADA, MAIL}


def test_what_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("broken", "gone", "sound"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ada").touch()
    faults = {"broken": OSError(errno.EIO, "Input/output error"), "gone": FileNotFoundError(errno.ENOENT, "gone")}
    whole = os.scandir

    def scandir(folder: str) -> "Iterator[os.DirEntry[str]]":
        fault = faults.get(Path(folder).name)
        if fault:
            fault.filename = folder
            raise fault
        return whole(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    main([str(tmp_path)], list(TEXTS))
    printed = [json.loads(line)[1:] for line in capsys.readouterr().out.splitlines()]
    assert printed == [["sound/ada", [ADA]], ["broken: Input/output error", []]]


def test_every_kind_of_file_is_searched(tmp_path: Path) -> None:
    (tmp_path / "attic").mkdir()
    (tmp_path / "attic/start.1.txt.gz").write_bytes(gzip.compress(b"x" * 3_000_000 + b" ada ") + gzip.compress(b"x"))
    (tmp_path / "second.gz").write_bytes(gzip.compress(b"x ") + gzip.compress(MAIL.encode()))
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"x " * 100 + b"ada " * 100_000)[:200])
    (tmp_path / "not compressed").write_bytes(b"x^" + b" by ada")
    (tmp_path / "keydir").mkdir()
    (tmp_path / "keydir/ada.pub").touch()
    (tmp_path / "ada").mkdir()
    (tmp_path / "link").symlink_to("../users/ada")
    os.mkfifo(tmp_path / "fifo")
    with closing(sqlite3.connect(tmp_path / "app.db")) as database, database:
        database.execute("CREATE TABLE notes (writer text)")
        database.executemany("INSERT INTO notes VALUES (?)", [("grace",), (ADA,)])
    assert searched(tmp_path) == {
        "ada": {ADA},
        "app.db": {ADA},
        "attic/start.1.txt.gz": {ADA},
        "cut.gz": {ADA},
        "keydir/ada.pub": {ADA},
        "link": {ADA},
        "not compressed": {ADA},
        "second.gz": {ADA, MAIL},
    }
