"""Settings for all tests: a slow machine must not make a test fail."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

Campaign = Callable[..., int]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run campaigns at full length")


@pytest.fixture(scope="session")
def campaign(request: pytest.FixtureRequest) -> Campaign:
    """Return a function that gives the number of rounds: with --long all of them, else a tenth, or `short`."""
    whole = request.config.getoption("--long")
    return lambda rounds, short=0: rounds if whole else short or max(1, rounds // 10)
