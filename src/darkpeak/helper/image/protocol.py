"""The protocol between a service's script in the helper and the command that started it: one JSON value per line.

docker.py sends questions, through script.py, to helper/scripts.py outside. Each gets one answer, except the last one,
which says that the script has ended.
"""

from typing import Literal, TypedDict

CONTROL = "/run/control"  # the socket of script.py, for docker.py
# tar's options: owners by number, long names, fractions of seconds, holes of sparse files, extended attributes.
EXACT = ("--numeric-owner", "--format=posix", "--sparse", "--acls", "--xattrs", "--xattrs-include=*")
LOST = 137  # the exit code for a program that was killed, or that ended without an answer


class Question(TypedDict, total=False):
    """`compose` runs a compose command, `enter` prepares to enter a container, `find` locates a folder of it."""

    ask: Literal["compose", "enter", "find", "end"]
    arguments: list[str]  # of compose
    container: str  # of enter and find
    folder: str  # of find
    code: int  # of end: how the script ended


class Answer(TypedDict, total=False):
    """How the command ended (`code`), or how to enter the container, or where the folder is."""

    code: int
    stdout: str
    stderr: str
    socket: str
    user: str
    folder: str
    environment: list[str]
    at: str  # empty if the folder is in no volume that the helper has
