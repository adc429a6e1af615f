"""A running container: run programs in it, read and write its files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from darkpeak.engine.engine import Engine
from darkpeak.result import Result


@dataclass(frozen=True)
class Inside:
    """A container of an engine, by its id."""

    engine: Engine
    container: str

    def run(self, argv: Sequence[str], stdin: bytes | None = None) -> Result:
        """Run a program in it, to its end; without standard input by the engine's API, which is quicker."""
        if stdin is None:
            return self.engine.exec_by_api(self.container, argv)
        return self.engine.exec_in(self.container, argv, stdin)

    def read_folder(self, folder: str) -> dict[str, bytes]:
        """Return the files in one of its folders, by their paths in it."""
        return self.engine.read_folder(self.container, folder)

    def write_files(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Write files into one of its folders."""
        self.engine.write_files(self.container, folder, files)
