"""What a service's script in the helper and the command that started it say to each other: a JSON value a line.

Questions come from docker.py, through script.py, to helper/scripts.py outside; one answer goes back for each, but for
the last question, which tells that the script has ended.
"""

from typing import Literal, TypedDict

CONTROL = "/run/control"  # where docker.py finds script.py
LOST = 137  # the exit code of what was killed, and of what ended without a word


class Question(TypedDict, total=False):
    """`compose` runs a compose command, `enter` opens a way into a container, `find` locates a folder of it."""

    ask: Literal["compose", "enter", "find", "end"]
    arguments: list[str]  # of compose
    container: str  # of enter and find
    folder: str  # of find
    code: int  # of end: how the script ended


class Answer(TypedDict, total=False):
    """How the command ended (`code`), or the way into the container, or where the folder lies."""

    code: int
    stdout: str
    stderr: str
    socket: str
    user: str
    folder: str
    environment: list[str]
    at: str  # empty where the folder lies in no volume that the helper has
