"""A comment in a file that ignores a finding. Pure."""

from dataclasses import dataclass

from darkpeak.collective.model import Finding, Place


@dataclass(frozen=True)
class Ignore:
    """A comment that ignores findings of one rule."""

    at: Place
    lines: frozenset[int]  # on which it ignores findings
    rule: str  # empty if it names none
    because: str

    def hits(self, finding: Finding) -> bool:
        """Return whether it is about a finding."""
        return (finding.rule, finding.at.file) == (self.rule, self.at.file) and finding.at.line in self.lines
