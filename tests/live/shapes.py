"""All shapes that `darkpeak new` knows, with the sources of their programs' packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from darkpeak import catalogue
from darkpeak.life.add import names_in, sources_of

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet


def shapes(*short: str) -> list[ParameterSet]:
    """Return each shape and source as parameters of a test: those named in each run, the others with --long."""
    made = [(shape, source) for shape in names_in(catalogue.shapes()) for source in sources_of(shape)]
    long = pytest.mark.long
    return [pytest.param(*one, id="-".join(one), marks=() if "-".join(one) in short else long) for one in made]
