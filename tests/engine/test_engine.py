"""Errors of the engine, in short."""

import pytest

from darkpeak.engine.endpoint import in_short


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (TimeoutError("no answer within 20 s"), "no answer within 20 s"),
        (ValueError("some other error\nwith a second line"), "some other error"),
        (ValueError(""), "ValueError"),
    ],
)
def test_the_reason_is_the_message_without_its_number(error: Exception, message: str) -> None:
    assert in_short(error) == message
