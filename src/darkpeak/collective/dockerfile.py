"""By what the image of a container is built, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Dockerfile:
    """What an image is built by: the file that compose takes, or a text in the compose file (`dockerfile_inline`)."""

    file: str = ""  # its path from the service's folder; empty if nothing is built
    text: str = ""  # empty also if it cannot be read, or is outside the service's folder
    above: int = 0  # the lines of the file above the first one of the text
    inline: bool = False

    @property
    def outside(self) -> bool:
        """Whether it is outside the service's folder: it is a finding, and never read."""
        return self.file.startswith("../")


NOT_BUILT = Dockerfile()  # of a container whose image is not built
