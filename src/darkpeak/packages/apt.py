"""Have apt compare the packages of many containers with one index: in one short container for each kind of system.

It runs the image of one of these containers, so that it is their own apt that answers. The index (the archive's signed
lists) is in a volume, and is used for an hour. apt itself checks the signatures, and whether the lists are too old.
"""

import io
import re
import tarfile
from collections.abc import Mapping, Sequence
from importlib import resources

from darkpeak import process
from darkpeak.engine.engine import Engine
from darkpeak.packages.container import CannotTell, Files
from darkpeak.packages.policy import Newer, NoAnswer, read_policy
from darkpeak.result import Result, display

FRESH_MINUTES = 60
LABEL = "darkpeak.index"  # of the volumes with indexes
UPDATE_FAILED, NO_SOURCES = 11, 12  # exit codes of ask.sh
ANSWER = re.compile(rb"^=== (\d+) (\d+)$", re.MULTILINE)
COMPLAINT = re.compile(r"^(?:E|W|Err|Error|Warning): ?(.*)$", re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def make_argv(image: str, index: str, script: str, *arguments: str | int) -> tuple[str, ...]:
    """Return the command that runs a script in a short container of an image, with the volume of an index.

    index.sh runs before it, with the same arguments.
    """
    text = "".join((resources.files("darkpeak.packages") / name).read_text() for name in ("index.sh", script))
    return (
        *("run", "--rm", "--interactive", "--pull=never", "--log-driver=none", "--no-healthcheck", "--user=0"),
        *("--security-opt=no-new-privileges", "--env=LC_ALL=C", f"--label={LABEL}={index}"),
        f"--mount=type=volume,src=darkpeak-index-{index},dst=/index,volume-label={LABEL}={index}",
        *("--entrypoint=sh", image, "-c", text, "sh", *map(str, arguments)),
    )


def find_newer(
    engine: Engine, image: str, files: Sequence[Files], *, minutes: int = FRESH_MINUTES
) -> list[list[Newer] | CannotTell]:
    """Return the packages of which apt has newer versions, for each container of those that share an index.

    An index that is older than `minutes` is made again.

    Raises:
        CannotTell: when apt cannot answer for any of them.
        SystemFailure: when the engine does not answer.
    """
    argv = make_argv(image, files[0].index, "ask.sh", minutes)
    different = list({item.status: item for item in files}.values())  # the same packages have the same answer
    answers = read_answers(run(engine, argv, pack_packages(different)).stdout)
    newer = {item.status: _newer(item, answers.get(number)) for number, item in enumerate(different)}
    return [newer[item.status] for item in files]


def run(engine: Engine, argv: Sequence[str], packed: bytes) -> Result:
    """Run the command of `make_argv`; return its result.

    Raises:
        CannotTell: when it failed.
        SystemFailure: when the engine does not answer.
    """
    ran = engine.docker(*argv, stdin=packed, seconds=process.LONG_SECONDS)
    if ran.code:
        raise CannotTell(_why(ran))
    return ran


def read_answers(printed: bytes) -> Mapping[int, tuple[int, str]]:
    """Return the exit code and output of each apt that ask.sh started, by the number of the container."""
    _, *parts = ANSWER.split(printed)
    texts = (part.decode(errors="replace") for part in parts[2::3])
    return {int(number): (int(code), text) for number, code, text in zip(parts[::3], parts[1::3], texts, strict=True)}


def _newer(files: Files, answer: tuple[int, str] | None) -> list[Newer] | CannotTell:
    if answer is None:
        return CannotTell("apt did not answer")
    code, text = answer
    if code:
        return CannotTell(f"apt failed: {first_complaint(text)}")
    try:
        return list(read_policy(text, files.installed.full_names))
    except NoAnswer as error:
        return CannotTell(str(error))


def _why(ran: Result) -> str:
    if ran.code == NO_SOURCES:
        return "its apt has no sources: /etc/apt names no archive"
    if ran.code == UPDATE_FAILED:
        return f"the archive's lists cannot be used: {first_complaint(ran.stderr.decode(errors='replace'))}"
    return f"apt did not run in a copy of its image: {display(ran.last_line())}"


def first_complaint(text: str) -> str:
    """Return the first error that apt printed, else the first warning, else the last line."""
    plain = COLOUR.sub("", text)
    errors = [line for line in plain.splitlines() if re.match(r"(E|Error):", line)]
    found = COMPLAINT.search("\n".join(errors) or plain)
    said = found[1] if found else (plain.strip().splitlines() or ["it printed no reason"])[-1]
    return display(said.strip())


def pack_packages(files: Sequence[Files]) -> bytes:
    """Return what ask.sh reads: the settings that all containers share, and each one's packages."""
    parts = {f"status/{number}": item.status for number, item in enumerate(files)}
    names = {f"names/{number}": "\n".join(item.installed.full_names).encode() for number, item in enumerate(files)}
    return pack(files[0], parts | names)


def pack(shared: Files, parts: Mapping[str, bytes]) -> bytes:
    """Return what index.sh reads, the settings that containers share, and other files, by their names."""
    settings = {"etc.tar": shared.settings, "keyrings.tar": shared.keyrings, "arch": shared.architectures}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for name, content in {**settings, **parts}.items():
            add_file(archive, name, content)
    return packed.getvalue()


def add_file(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file to an archive."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    archive.addfile(member, io.BytesIO(content))
