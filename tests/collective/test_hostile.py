"""Files that are broken or hostile: each gives its findings at once, and leaves the other service as it is."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from darkpeak import collective, lint
from darkpeak.collective.context import MOST_FILES
from darkpeak.collective.resolved import Question
from tests.making import WIKI, edit, without_notes, write_collective

FILE = "services/wiki/docker-compose.yml"
LINES = WIKI.count("\n")
BOMB = "".join(f"x-{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]\n" for n in range(1, 10))
SELF = "x-defaults: &defaults\n  init: true\n  worker:\n    <<: *defaults\n"
OPENED = "  webserver:\n    build: "

Change = Callable[[Path], object]


@pytest.fixture(autouse=True)
def _limits() -> Iterator[None]:
    """Fail a test after two seconds of the processor's time, or when it waits for longer than any machine needs."""

    def late(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = [signal.signal(number, late) for number in (signal.SIGPROF, signal.SIGALRM)]
    signal.setitimer(signal.ITIMER_PROF, 2)
    signal.setitimer(signal.ITIMER_REAL, 30)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in zip((signal.SIGPROF, signal.SIGALRM), before, strict=True):
        signal.signal(number, handler)


def answer(question: Question) -> dict[str, object]:
    """Stand for compose, which would perhaps read such a file for ever, so that it must not be asked."""
    assert not (question.folder / "named.env").exists(), "compose was asked"
    return {}


def findings(root: Path) -> tuple[list[str], list[str]]:
    """Return the names of the services that can be read, and every finding as one line."""
    found, unreadable = collective.read(root, answer)
    lines = [f"{item.at} {item.rule}: {item.what}" for item in sorted({*unreadable, *without_notes(lint.check(found))})]
    return [service.name for service in found.services], lines


# What is added to the wiki's compose file; the line after its own lines and the message of the one finding.
TEXTS = {
    "an alias bomb": ("x-0: &b0 [a, a, a, a, a, a, a, a, a]\n" + BOMB, 5, "the file has more than 20000 values, with what its aliases stand for"),
    "a bomb of merges": ("x-0: &b0 {a: a}\n" + BOMB.replace("[*", "{<<: [*").replace("]", "]}"), 5, "the file has more than 20000 values, with what its aliases stand for"),
    "a bomb without aliases": ("x-list:\n" + "- a\n" * 30_000, 19_930, "the file has more than 20000 values, with what its aliases stand for"),
    "an anchor that contains itself": ("x-a: &a [*a]\n", 1, "*a is inside &a, so it would contain itself"),
    "a merge that is indented too far": (SELF, 4, "*defaults is inside &defaults, so it would contain itself"),
    "two anchors in a circle": ("x-a: &a\n  b: &b {a: *a}\n", 2, "*a is inside &a, so it would contain itself"),
    "an alias before its anchor": ("x-a: *a\nx-b: &a 1\n", 1, "there is no anchor &a above this line"),
    "20,000 brackets": (f"x-a: {'[' * 20_000}\n", 1, "values are nested more than 100 deep"),
    "50,000 brackets": (f"x-a:\n  {'[' * 50_000}\n", 2, "values are nested more than 100 deep"),
    "50,000 braces": (f"x-a: {'{a: ' * 50_000}\n", 1, "values are nested more than 100 deep"),
    "50,000 hyphens": (f"x-a:\n- {'- ' * 50_000}a\n", 2, "values are nested more than 100 deep"),
    "deep by aliases": ("x-0: &d0 [a]\n" + "".join(f"x-{n}: &d{n} [*d{n - 1}]\n" for n in range(1, 300)),99, "values are nested more than 100 deep"),
    "a merge of a list": ("x-a: &a [1]\nx-b:\n  <<: *a\n", 3, "what << merges is not a mapping"),
    "a merge of a word": ("x-b:\n  <<: word\n", 2, "what << merges is not a mapping"),
    "a merge of nothing": ("x-b:\n  <<:\n", 2, "what << merges is not a mapping"),
    "a list of a word to merge": ("x-b:\n  <<: [{a: 1}, word]\n", 2, "what << merges is not a mapping"),
    "two merges in one mapping": ("x-a: &a {}\nx-b:\n  <<: *a\n  <<: *a\n", 4, "duplicate key '<<'"),
    "a huge text": (f"x-a: {'a' * 200_000}\n", 1, "the text has more than 100000 characters"),
    "a NUL": ("x-a: a\0b\n", 1, "the file contains the character U+0000"),
    "a NUL as an escape": ('x-a: "a\\0b"\n', 1, "the text contains a NUL or half a character"),
    "half a character": ('x-a: "\\ud800"\n', 1, "found invalid Unicode character escape code"),
    "an escape character": ("x-a: \x1b[31m\n", 1, "the file contains the character U+001B"),
    "a second document": ("---\nservices: {}\n", 1, "a second document begins here"),
    "a tab": ("x-a:\n\tb: 1\n", 2, "found character that cannot start any token"),
    "a tag of Python": ("x-a: !!python/object/apply:os.system [id]\n", 1, "the tag !!python/object/apply:os.system cannot be used"),
    "binary": ("x-a: !!binary aGk=\n", 1, "the tag !!binary cannot be used"),
    "a tag of nobody": ("x-a: !secret b\n", 1, "the tag !secret cannot be used"),
    "a key that is a list": ("x-a: {[a, b]: c}\n", 1, "a key must be a plain word"),
    "a key that is an alias": ("x-a: &a [1]\n? *a\n: b\n", 1, "a key must be a plain word"),
    "a key that is a number": ("x-a: {1: 1}\n", 1, "the key 1 must be in quotes; otherwise compose refuses the file"),
    "a key that is a number with a point": ("x-a: {1.5: 1}\n", 1, "the key 1.5 must be in quotes; otherwise compose refuses the file"),
    "a key that is null": ("x-a: {null: 1}\n", 1, "the key null must be in quotes; otherwise compose refuses the file"),
    "a key that is a tilde": ("x-a: {~: 1}\n", 1, "the key ~ must be in quotes; otherwise compose refuses the file"),
    "a key that is true": ("x-a: {true: 1}\n", 1, "the key true must be in quotes; otherwise compose refuses the file"),
    "a key that is True": ("x-a: {True: 1}\n", 1, "the key True must be in quotes; otherwise compose refuses the file"),
    "a key that is a date": ("x-a: {2026-11-27: 1}\n", 1, "the key 2026-11-27 must be in quotes; otherwise compose refuses the file"),
    "a key that is an octal number": ("x-a: {010: 1}\n", 1, "the key 010 must be in quotes; otherwise compose refuses the file"),
    "a key that is a hexadecimal number": ("x-a: {0x1F: 1}\n", 1, "the key 0x1F must be in quotes; otherwise compose refuses the file"),
    "one key twice, far below": ("x-a:\n  b: 1\n  c: {}\n  b: 2\n", 4, "duplicate key 'b'"),
    "one key twice, once in quotes": ("x-a:\n  b: 1\n  'b': 2\n", 3, "duplicate key 'b'"),
    "an object of Python": ("x-a: !!python/object/new:os.system [id]\n", 1, "the tag !!python/object/new:os.system cannot be used"),
    "a tag by its whole name": ("x-a: !<tag:yaml.org,2002:python/name:os.system> b\n", 1, "the tag !!python/name:os.system cannot be used"),
    "a set": ("x-a: !!set {b}\n", 1, "the tag !!set cannot be used"),
    "50,000 brackets of JSON": ("x-a: " + '{"a": [' * 50_000 + "\n", 1, "values are nested more than 100 deep"),
    "an anchor that merges itself": ("x-a: &a\n  <<: *a\n", 2, "*a is inside &a, so it would contain itself"),
    "anchors that merge each other": ("x-a: &a\n  b: &b\n    <<: [*a, *b]\n", 3, "*a is inside &a, so it would contain itself"),
    "a tab in the middle": ("x-a:\n  b:\n\t  c: 1\n", 3, "found character that cannot start any token"),
    "a directive": ("%YAML 1.1\n", 2, "did not find expected <document start>"),
}  # fmt: skip


@pytest.mark.parametrize(("added", "line", "what"), TEXTS.values(), ids=TEXTS)
def test_a_hostile_text_is_one_finding_with_its_line(tmp_path: Path, added: str, line: int, what: str) -> None:
    (write_collective(tmp_path) / FILE).write_text(WIKI + added)
    names, found = findings(tmp_path)
    assert names == ["directory"]
    assert [item.partition(" yaml: ")[2] for item in found[:1]] == [what]
    if line < 10_000:
        assert found[0].startswith(f"{FILE}:{LINES + line} ")
    assert all("undefined-network" in item or FILE in item for item in found)


SOUND = {
    "a byte order mark": lambda text: b"\xef\xbb\xbf" + text,
    "CRLF": lambda text: text.replace(b"\n", b"\r\n"),
    "a merge": lambda text: text + b"x-a: &a {b: 1}\nx-c: {<<: *a, b: 2}\nx-d: {<<: [*a, {e: 1}]}\n",
    "usual tags": lambda text: text + b'x-a: [!!str 1, !!int "2", !!null "", !reset []]\n',
    "tags of compose": lambda text: text + b"x-a: {b: !override {c: 1}, d: !reset null}\n",
    "keys that compose takes for text": lambda text: text + b"x-a: {on: 1, yes: 1, No: 1, off: 1, y: 1, 22:22: 1}\n",
    "values of other types": lambda text: (
        text + b"x-a: [2026-11-27, 010, 0o10, 0x1F, 1_000, .inf, .nan, yes, ~, 22:22, 1e9]\n"
    ),
    "a tab after a value": lambda text: text + b"x-a: 1\t# a comment\n",
    "a long line": lambda text: text + b"x-a: [" + b"abc, " * 2_000 + b"]\n",
    "no line end": lambda text: text + b"x-a: 1",
    "99 brackets": lambda text: text + b"x-a: " + b"[" * 98 + b"]" * 98 + b"\n",
}


@pytest.mark.parametrize("change", SOUND.values(), ids=SOUND)
def test_what_is_unusual_but_allowed_has_no_finding(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    path = write_collective(tmp_path) / FILE
    path.write_bytes(change(path.read_bytes()))
    assert findings(tmp_path) == (["directory", "wiki"], [])


def link(target: str) -> Change:
    return lambda path: path.symlink_to(target)


def listen(path: Path) -> None:
    """Make a socket; its name must be short, so it is bound in its folder."""
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


def link_to_fifo(path: Path) -> None:
    os.mkfifo(path.parents[1] / "pipe")
    path.symlink_to("../pipe")


def sparse(path: Path, size: int) -> None:
    """Make a large file that has no blocks on the disk."""
    path.touch()
    os.truncate(path, size)


def make_terabyte(path: Path) -> None:
    sparse(path, 1 << 40)


# What takes the place of a file, and the message about it.
THINGS: dict[str, tuple[Change, str]] = {
    "a link to /dev/zero": (link("/dev/zero"), "it is a device, not a file"),
    "a FIFO": (os.mkfifo, "it is a FIFO, not a file"),
    "a socket": (listen, "it is a socket, not a file"),
    "a folder": (Path.mkdir, "it is a folder, not a file"),
    "a dangling link": (link("nowhere"), "it is a link that cannot be followed: No such file or directory"),
    "a link to itself": (link("docker-compose.yml"), "it is a link that cannot be followed: Too many levels of symbolic links"),
    "a link to a FIFO": (link_to_fifo, "it is a FIFO, not a file"),
    "10 MB": (lambda path: path.write_text("# hi\n" * 2_000_000), "the file is larger than 1024 KiB"),
    "a sparse terabyte": (make_terabyte, "the file is larger than 1024 KiB"),
    "UTF-16": (lambda path: path.write_text(WIKI, encoding="utf-16"), "the file is not UTF-8 text"),
    "UTF-16 without a mark": (lambda path: path.write_bytes(WIKI.encode("utf-16-le")), "the file contains the character U+0000"),
    "NUL bytes": (lambda path: path.write_bytes(b"\0" * 1000), "the file contains the character U+0000"),
    "100 MB": (lambda path: sparse(path, 100_000_000), "the file is larger than 1024 KiB"),
    "Latin-1": (lambda path: path.write_text("# é\n", encoding="latin-1"), "the file is not UTF-8 text"),
}  # fmt: skip
FOR_ALL = [name for name in THINGS if name != "a link to itself"]


@pytest.mark.parametrize(("make", "what"), THINGS.values(), ids=THINGS)
def test_something_in_the_place_of_a_compose_file(tmp_path: Path, make: Change, what: str) -> None:
    path = write_collective(tmp_path) / FILE
    path.unlink()
    make(path)
    names, found = findings(tmp_path)
    assert names == ["directory"]
    assert f"{FILE}:1 yaml: {what}" in found


@pytest.mark.parametrize("name", FOR_ALL)
@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("collective.toml", "collective.toml:1 toml"),
        ("services/wiki/docker-compose.vagrant.yml", "services/wiki/docker-compose.vagrant.yml:1 yaml"),
        ("services/wiki/webserver/Dockerfile", "services/wiki/webserver/Dockerfile:1 dockerfile"),
    ],
)
def test_something_in_the_place_of_another_file(tmp_path: Path, name: str, file: str, place: str) -> None:
    path = write_collective(tmp_path) / file
    path.unlink(missing_ok=True)
    make, what = THINGS[name]
    make(path)
    assert f"{place}: {what}" in findings(tmp_path)[1]


@pytest.mark.parametrize("name", ["a link to /dev/zero", "a FIFO", "a folder", "10 MB", "a socket"])
@pytest.mark.parametrize("file", [".env", "named.env", "docker-compose.override.yml"])
def test_something_that_compose_would_read(tmp_path: Path, name: str, file: str) -> None:
    """Compose is not asked about such a file, since it would wait."""
    edit(write_collective(tmp_path), FILE, OPENED, "  webserver:\n    env_file: [named.env]\n    build: ")
    path = tmp_path / "services/wiki" / file
    (tmp_path / "services/wiki/named.env").touch()
    path.unlink(missing_ok=True)
    make, _ = THINGS[name]
    make(path)
    names, found = findings(tmp_path)
    assert names == ["directory"]
    assert [item for item in found if item.startswith(f"services/wiki/{file}:1 named-file: ")]


def fill(count: int) -> Change:
    def make(folder: Path) -> None:
        for number in range(count):
            os.mknod(f"{folder}/{number}")  # one call: Path.touch() takes most of the two seconds

    return make


def nest(folder: Path) -> None:
    """Make folders in folders."""
    os.chdir(folder)
    try:
        for _ in range(300):
            Path("d").mkdir()
            os.chdir("d")
    finally:
        os.chdir("/")


CONTEXTS: dict[str, tuple[Change, str]] = {
    "a FIFO": (lambda folder: os.mkfifo(folder / "x"), "webserver/x is a FIFO, which Docker cannot copy"),
    "a socket": (lambda folder: listen(folder / "x"), "webserver/x is a socket, which Docker cannot copy"),
    "a device": (lambda folder: os.mknod(folder / "x", 0o020600, os.makedev(1, 5)), "webserver/x is a device, which Docker cannot copy"),
    "a FIFO with a line break": (lambda folder: os.mkfifo(folder / "a\nb"), "webserver/a\\nb is a FIFO, which Docker cannot copy"),
    "very many files": (fill(MOST_FILES + 1), f"its folder has more than {MOST_FILES} files, which Docker all copies at each build"),
    "a sparse terabyte": (lambda folder: make_terabyte(folder / "x"), "its folder has more than 1 GiB, which Docker all copies at each build"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "what"), CONTEXTS.values(), ids=CONTEXTS)
def test_what_a_build_cannot_take_is_a_finding(tmp_path: Path, make: Change, what: str) -> None:
    make(write_collective(tmp_path) / "services/wiki/webserver")
    names, found = findings(tmp_path)
    assert names == ["directory", "wiki"]
    assert found == [f"{FILE}:11 build-files: webserver cannot be built: {what}"]


LINKS: dict[str, Change] = {
    "out of the folder": lambda folder: (folder / "x").symlink_to("/"),
    "a loop": lambda folder: (folder / "x").symlink_to("../webserver"),
    "to a device": lambda folder: (folder / "x").symlink_to("/dev/zero"),
    "to a FIFO": lambda folder: link_to_fifo(folder / "x"),
    "to nothing": lambda folder: (folder / "x").symlink_to("nowhere"),
    "deep folders": nest,
    "a name that is no text": lambda folder: Path(folder, os.fsdecode(b"\xff")).touch(),
}


@pytest.mark.parametrize("make", LINKS.values(), ids=LINKS)
def test_what_a_build_takes_is_part_of_the_content(tmp_path: Path, make: Change) -> None:
    """Links are hashed as links: Docker sends them so, and what they lead to does not matter."""
    write_collective(tmp_path)
    before = collective.read(tmp_path)[0].services[1].containers[0]
    make(tmp_path / "services/wiki/webserver")
    after = collective.read(tmp_path)[0].services[1].containers[0]
    assert findings(tmp_path) == (["directory", "wiki"], [])
    assert (after.content == before.content) == (make is nest)  # a folder without files changes nothing
    assert all(name.isprintable() for name, _ in after.parts)


@pytest.mark.parametrize(
    "build", ["/", "/proc", "../../../../../../../../..", "/dev", "a" * 5000, "https://git.example/x.git"]
)
def test_a_strange_folder_to_build_from_is_a_finding(tmp_path: Path, build: str) -> None:
    edit(write_collective(tmp_path), FILE, "build: webserver", f"build: {build}")
    assert findings(tmp_path)[1]


@pytest.mark.parametrize("name", ["a\nb", "a b", os.fsdecode(b"\xff"), "\x1b[31m", "é", "-rf"])
def test_a_strange_name_of_a_folder_is_a_finding_of_that_service(tmp_path: Path, name: str) -> None:
    (write_collective(tmp_path) / "services/wiki").rename(tmp_path / "services" / name)
    found, unreadable = collective.read(tmp_path)
    every = [*unreadable, *without_notes(lint.check(found))]
    assert "service-name" in {item.rule for item in every}
    assert "" not in {item.at.service for item in every}
    assert all(f"{item.at} {item.what}".isprintable() for item in every)
    assert "directory" in {service.name for service in found.services}


PORTS = ["1" * 5000 + ":80", "1-99999999999999999999:80", "6011-6010:80", "80:90-80", "6010:" + "1:" * 40_000]


@pytest.mark.parametrize("port", PORTS, ids=range(len(PORTS)))
def test_a_strange_port_is_a_finding(tmp_path: Path, port: str) -> None:
    edit(write_collective(tmp_path), FILE, "127.0.0.1:6010-6011:80", port)
    assert "port-form" in {item.split()[1].rstrip(":") for item in findings(tmp_path)[1]}


@pytest.mark.parametrize(
    ("old", "new"), [("block: 6010", "block: "), ("http: 6010", "http: "), ("http: 6010", "tcp: {'1': ")]
)
def test_a_number_of_thousands_of_digits_is_a_finding(tmp_path: Path, old: str, new: str) -> None:
    edit(write_collective(tmp_path), FILE, old, new + "1" * 5000 + "}" * ("{" in new))
    assert [item for item in findings(tmp_path)[1] if "wrong-type" in item]


TOMLS = {
    "20,000 brackets": ("a = " + "[\n" * 20_000, "collective.toml:101 toml: values are nested more than 100 deep"),
    "brackets in a line": ("a = " + "[" * 4_000, "collective.toml:1 toml: values are nested more than 100 deep"),
    "a long line": ('a = "' + "a" * 5000 + '"', "collective.toml:1 toml: the line has more than 4096 characters"),
    "a key of very many parts": (".".join("a" * 100_000) + " = 1", "collective.toml:1 toml: the line has more than 4096 characters"),
    "a key of many parts": (".".join("a" * 500) + " = 1", "collective.toml:1 toml: values are nested more than 100 deep"),
    "a NUL": ('name = "a\0"', "collective.toml:1 toml: the file contains the character U+0000"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "finding"), TOMLS.values(), ids=TOMLS)
def test_a_hostile_toml_is_a_finding_with_its_line(tmp_path: Path, text: str, finding: str) -> None:
    (write_collective(tmp_path) / "collective.toml").write_text(text)
    assert finding in findings(tmp_path)[1]


def test_very_many_wrong_keys_have_twenty_findings(tmp_path: Path) -> None:
    path = write_collective(tmp_path) / "collective.toml"
    path.write_text("".join(f"a{n} = 1\n" for n in range(5_000)) + path.read_text())
    assert len([item for item in findings(tmp_path)[1] if "unknown-key" in item]) == 20


def test_spaces_after_a_bracket_take_no_time(tmp_path: Path) -> None:
    path = write_collective(tmp_path) / "collective.toml"
    path.write_text(
        f"{path.read_text()}\ncolour = [\n{(' [' * 1000 + ']' * 1000 + ',')}\n]\n".replace(" [" * 900, " " * 1800)
    )
    assert findings(tmp_path)[1]


@pytest.mark.parametrize(
    "port", ["22:22", "6010", "06010:80", "0x177A:80", "6_010:80", "6010:1e2", "yes", "2026-11-27", "~"]
)
def test_a_port_is_what_compose_reads(tmp_path: Path, port: str) -> None:
    """Not what YAML 1.1 makes of it: 22:22 would be 1342, and 06010 would be 3080."""
    edit(write_collective(tmp_path), FILE, '"127.0.0.1:6010-6011:80"', port)
    rules = {item.split()[1] for item in findings(tmp_path)[1]}
    assert rules & {"port-form:", "not-on-loopback:", "no-such-port:"}, rules


LONG = "a" * 900_000
LONG_LINES = {
    "README.md": (f"# {LONG}\n## Use it\n## Run it\n", []),
    ".env": (f"A={LONG}\n", []),
    "scripts/backup": (f"#!/bin/sh\n{'a; ' * 300_000}\n", []),
    "webserver/Dockerfile": (f"FROM debian:trixie\nEXPOSE 80\nHEALTHCHECK CMD true\nRUN apt-get upgrade -y {LONG}\nVOLUME /var/lib/wiki\n", []),
    "webserver/bin/serve": (f"#!/bin/sh\n{LONG}\n", []),
    "webserver/spaces": (" " * 900_000, []),
    "docker-compose.vm.yml": (f"x-a: {LONG}\n", [f"{FILE.replace('.yml', '.vm.yml')}:1 yaml: the text has more than 100000 characters"]),
}  # fmt: skip


@pytest.mark.parametrize("name", LONG_LINES)
def test_a_very_long_line_takes_no_time(tmp_path: Path, name: str) -> None:
    path = write_collective(tmp_path) / "services/wiki" / name
    path.parent.mkdir(exist_ok=True)
    text, expected = LONG_LINES[name]
    path.write_text(text)
    assert findings(tmp_path)[1] == expected


@pytest.mark.parametrize("name", ["scripts/backup", "webserver/bin/serve", "webserver/server.key", "README.md"])
def test_a_file_of_100_mb_takes_no_time(tmp_path: Path, name: str) -> None:
    path = write_collective(tmp_path) / "services/wiki" / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    sparse(path, 100_000_000)
    path.chmod(0o755)
    names, found = findings(tmp_path)
    assert names == ["directory", "wiki"]
    assert {item.partition(":")[0] for item in found} <= {f"services/wiki/{name}"}


@pytest.mark.parametrize(
    "make", [Path.mkdir, os.mkfifo, link("/dev/zero")], ids=["a folder", "a FIFO", "a link to /dev/zero"]
)
def test_something_with_the_name_of_another_compose_file(tmp_path: Path, make: Change) -> None:
    """Plain compose would try to read it first."""
    make(write_collective(tmp_path) / "services/wiki/compose.yaml")
    what = "other-compose-file: plain compose would use compose.yaml, and not docker-compose.yml"
    assert findings(tmp_path) == (["directory", "wiki"], [f"services/wiki/compose.yaml:1 {what}"])


CODES = "\x1b[2J\r\x07\u202e"


def test_a_finding_cannot_write_codes_to_the_terminal(tmp_path: Path) -> None:
    """A stranger's file may contain what clears the screen, or shows text backwards."""
    root = write_collective(tmp_path)
    build = root / "services/wiki/webserver/Dockerfile"
    build.write_text(f"{CODES}EXPOSE 1\n{build.read_text()}COPY a{CODES} /x\nFROM b{CODES}\nVOLUME /c{CODES}\n")
    (root / "services/wiki/scripts/backup").write_text(f"#!/{CODES}sh\n")
    (root / f"services/wiki/docker-compose.{CODES}.yml").write_text("[\n")
    edit(root, FILE, "block: 6010", '"\\e[2J": 1')
    found = findings(root)[1]
    assert len(found) > 4
    assert [line for line in found if not line.isprintable()] == []
