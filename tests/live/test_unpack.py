"""Unpacking an archive here: all that a file system can hold, and nothing outside the folder."""

import io
import os
import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from darkpeak.helper.container import make_pack
from darkpeak.helper.unpack import unpack
from darkpeak.result import display
from tests.odd import listed, make_odd

ROOT = os.geteuid() == 0


def member(
    name: str, kind: bytes = tarfile.REGTYPE, to: str = "", content: bytes = b""
) -> tuple[tarfile.TarInfo, bytes]:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size, made.mode = kind, to, len(content), 0o644
    made.uid, made.gid = os.getuid(), os.getgid()
    return made, content


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as made:
        for item, content in members:
            made.addfile(item, io.BytesIO(content))
    packed.seek(0)
    return packed


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "deep/target").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("secret")
    return tmp_path / "deep/target"


def outside(target: Path) -> list[tuple[str, int]]:
    """Return all that is outside the target, with the number of names of each file."""
    top = target.parent.parent
    return [(str(path), path.lstat().st_nlink) for path in sorted(top.rglob("*")) if not path.is_relative_to(target)]


OUT = "../../outside"
ABSOLUTE = "/tmp"  # noqa: S108
ATTACKS: dict[str, tuple[list[tuple[tarfile.TarInfo, bytes]], list[str]]] = {
    "..": ([member(f"{OUT}/new", content=b"x")], ["its name leads out of the folder"]),
    ".. in the middle": ([member("a/../../x", content=b"x")], ["its name leads out of the folder"]),
    "an absolute name": ([member(f"{ABSOLUTE}/darkpeak-attack", content=b"x")], ["an absolute name"]),
    "a link out, then a file through it": (
        [member("a", tarfile.SYMTYPE, OUT), member("a/new", content=b"x")],
        ["it is below the link a"],
    ),
    "an absolute link, then a folder through it": (
        [member("a", tarfile.SYMTYPE, ABSOLUTE), member("a/darkpeak-attack", tarfile.DIRTYPE)],
        ["it is below the link a"],
    ),
    "a link deep below, then a file through it": (
        [member("b/c/a", tarfile.SYMTYPE, f"../../{OUT}"), member("b/c/a/new/x", content=b"x")],
        ["it is below the link a"],
    ),
    "a link to a file outside, then that file": (
        [member("a", tarfile.SYMTYPE, f"{OUT}/secret"), member("a", content=b"x")],
        [],
    ),
    "a folder, then a link in its place, then its mode": (
        [member("a", tarfile.DIRTYPE), member("a", tarfile.SYMTYPE, OUT), member("a/new", content=b"x")],
        ["Is a directory"],
    ),
    "a hard link out": ([member("a", tarfile.LNKTYPE, f"{OUT}/secret")], ["its name leads out of the folder"]),
    "an absolute hard link": ([member("a", tarfile.LNKTYPE, "/etc/passwd")], ["an absolute name"]),
    "a hard link through a link": (
        [member("a", tarfile.SYMTYPE, OUT), member("b", tarfile.LNKTYPE, "a/secret"), member("b", content=b"x")],
        ["it is below the link a"],
    ),
    "a hard link to a link, then a file": (
        [member("a", tarfile.SYMTYPE, f"{OUT}/secret"), member("b", tarfile.LNKTYPE, "a"), member("b", content=b"x")],
        [],
    ),
    "a hard link to a link": (
        [member("a", tarfile.SYMTYPE, f"{OUT}/secret"), member("b", tarfile.LNKTYPE, "a")],
        [],
    ),
    "a hard link to the folder": ([member("a", tarfile.LNKTYPE, ".")], ["a hard link to the folder itself"]),
    "a device": ([member("sda", tarfile.BLKTYPE), member("mem", tarfile.CHRTYPE)], ["a device", "a device"]),
    "a name with NUL": ([member("a", tarfile.SYMTYPE, "x"), member("b" * 300, content=b"x")], ["File name too long"]),
}


@pytest.mark.parametrize("case", ATTACKS)
def test_nothing_is_written_outside(target: Path, case: str) -> None:
    members, refused = ATTACKS[case]
    before = outside(target)
    left_out = unpack(archive(*members, member("last", content=b"good")), target, owners=ROOT)
    assert outside(target) == before
    assert (target.parent.parent / "outside/secret").read_text() == "secret"
    assert not Path(ABSOLUTE, "darkpeak-attack").exists()
    assert [item.why for item in left_out] == refused
    assert (target / "last").read_text() == "good"


NAMES = st.sampled_from(["a", "b", "a/b", "a/b/c", "b/a", "..", "../x", "/x", "a/..", "./a", "a//b", "", "."])
KINDS = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
TARGETS = st.sampled_from(["a", "b", ".", "..", "../..", "../../outside", "/", "../../outside/secret", "a/b", "b/a"])


@given(st.lists(st.tuples(NAMES, KINDS, TARGETS), max_size=8))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_archive_writes_outside(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[str, bytes, str]]
) -> None:
    top = tmp_path_factory.mktemp("unpacked")
    target = top / "deep/target"
    target.mkdir(parents=True)
    (top / "outside").mkdir()
    (top / "outside/secret").write_text("secret")
    before = outside(target)
    members = [member(name, kind, to, b"x" if kind == tarfile.REGTYPE else b"") for name, kind, to in made]
    unpack(archive(*members), target, owners=ROOT)
    assert outside(target) == before
    assert (top / "outside/secret").read_text() == "secret"


def pack(top: Path) -> io.BytesIO:
    """Pack a folder as the helper does."""
    return io.BytesIO(subprocess.run(make_pack(str(top)), check=True, capture_output=True, timeout=60).stdout)


def test_all_that_a_file_system_holds_is_unpacked(target: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    make_odd(source, 5, 60)
    packed = pack(source)
    assert len(packed.getvalue()) < 1_000_000  # sparse files are packed without their holes
    assert unpack(packed, target, owners=True) == []
    assert list(listed(target)) == list(listed(source))
    assert (target / "sparse").stat().st_blocks * 512 < 1_000_000


def test_a_device_and_a_socket_are_left_out_and_the_rest_is_there(target: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    os.mknod(source / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    (source / "file").write_text("x")
    assert list(map(str, unpack(pack(source), target, owners=True))) == ["./null (a device)"]
    assert [path.name for path in target.iterdir()] == ["file"]


def test_without_root_files_are_ones_own_and_not_setuid(target: Path) -> None:
    item, _ = member("a", content=b"x")
    item.mode, item.uid = 0o6755, 12345
    assert unpack(archive((item, b"x")), target, owners=False) == []
    found = (target / "a").stat()
    assert (found.st_mode & 0o7777, found.st_uid) == (0o755, os.getuid())


def test_extended_attributes_are_kept_where_the_file_system_has_them(target: Path) -> None:
    value = b"\xff\0binary\n"
    item, _ = member("a", content=b"x")
    item.pax_headers = {"SCHILY.xattr.user.darkpeak": value.decode(errors="surrogateescape")}
    has_them = True
    try:
        os.setxattr(target, "user.darkpeak", b"")
    except OSError:
        has_them = False
    unpack(archive((item, b"x")), target, owners=False)
    assert (target / "a").read_bytes() == b"x"
    assert ("user.darkpeak" in os.listxattr(target / "a")) == has_them
    assert not has_them or os.getxattr(target / "a", "user.darkpeak") == value


def bad_time(item: tarfile.TarInfo) -> None:
    item.pax_headers = {"mtime": "1e999999999"}


def bad_owner(item: tarfile.TarInfo) -> None:
    item.pax_headers = {"uid": str(1 << 70)}


@pytest.mark.parametrize("spoil", [bad_time, bad_owner])
def test_an_impossible_number_is_no_traceback(target: Path, spoil: Callable[[tarfile.TarInfo], None]) -> None:
    item, _ = member("a", content=b"x")
    spoil(item)
    unpack(archive((item, b"x")), target, owners=ROOT)


@pytest.mark.parametrize("size", [100, 600, 1024, 5000])
def test_an_archive_that_is_cut_short_is_an_error(target: Path, size: int) -> None:
    packed = archive(member("a", content=os.urandom(6000))).getvalue()[:size]
    with pytest.raises((tarfile.TarError, OSError)):
        unpack(io.BytesIO(packed), target, owners=False)


def test_names_are_shown_without_control_characters() -> None:
    assert display("a\nb\x1b[2Jc\udcff ✿") == r"a\nb\x1b[2Jc\udcff ✿"
