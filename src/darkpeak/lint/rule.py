"""What a rule is: one value, with its reason and its checks. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from darkpeak.collective.model import Collective, Finding, Service
from darkpeak.lint.written import Written

CollectiveCheck = Callable[[Collective], Iterator[Finding]]
ServiceCheck = Callable[[Service], Iterator[Finding]]
FileCheck = Callable[[Written], Iterator[Finding]]
SERVICE_PAGE = "docs/service.md"


class Severity(StrEnum):
    """How bad a finding is. Only an error stops the deploy of the service."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


ERROR, WARNING, NOTE = Severity


@dataclass(frozen=True)
class Rule:
    """One rule: why it exists, what to do about a finding, and which functions check it.

    A rule without a check is found while files are read, or by compose.
    """

    id: str
    severity: Severity
    reason: str
    fix: str
    page: str = SERVICE_PAGE  # where the documentation explains more
    collective: tuple[CollectiveCheck, ...] = ()
    service: tuple[ServiceCheck, ...] = ()
    file: tuple[FileCheck, ...] = ()  # of each compose file
    whole: tuple[FileCheck, ...] = ()  # of what compose makes of all files: what one lacks, another one can have
    ignorable: bool | None = None  # None: if it is no error

    @property
    def can_be_ignored(self) -> bool:
        """Whether `# darkpeak: ignore[…] because …` works. Most errors guard other services, or cannot work."""
        return self.severity is not ERROR if self.ignorable is None else self.ignorable
