"""The Debian base images that services are built from, on every engine that needs them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from darkpeak.actions.target import Target
from darkpeak.engine import base


@dataclass(frozen=True)
class BaseImage:
    """One base image of one engine."""

    image: str
    made: bool  # now; else it was there already


def ensure_bases(targets: Sequence[Target], on_step: Callable[[str], None], *, rebuild: bool) -> list[BaseImage]:
    """Pull or build the base images of the targets' services, where they are missing or (rebuild) all of them.

    Raises:
        SystemFailure: when one can be neither pulled nor built.
    """
    return [
        BaseImage(f"debian:{suite}", base.ensure(target.engine, suite, on_step, rebuild=rebuild))
        for target in targets
        for suite in base.suites_of(target.services)
    ]
