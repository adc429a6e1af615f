"""A notice that members could not read is refused before the router is asked."""

import pytest

from darkpeak.actions.routes import LONGEST_NOTICE, check_notice
from darkpeak.errors import UsageError


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("", "the notice is empty", id="nothing"),
        pytest.param(" \t\n\u00a0", "the notice is empty", id="only spaces"),
        pytest.param("\u200b\x01", "the notice is empty", id="only what nobody can see"),
        pytest.param("x" * 20_000, f"at most {LONGEST_NOTICE}", id="20 kB"),
        pytest.param("x" * (LONGEST_NOTICE + 1), f"at most {LONGEST_NOTICE}", id="one too many"),
        pytest.param("caf\udce9", "not UTF-8", id="latin-1"),
    ],
)
def test_a_notice_that_nobody_could_read_is_refused(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        check_notice(text)


@pytest.mark.parametrize(
    "text", ["back at nine", '"' * LONGEST_NOTICE, "wir sind um 9 zurück 👩‍🔧", "%[env(PATH)] <b>"]
)
def test_other_notices_are_taken(text: str) -> None:
    check_notice(text)
