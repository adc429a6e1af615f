"""Errors of the docker library, in short."""

import pytest

from darkpeak.engine.endpoint import in_short

TEXT = "Error while fetching server API version: "
POOL = f"{TEXT}HTTPConnectionPool(host='nas', port=1): Max retries exceeded with url: /version (Caused by "
REFUSED = (
    "NewConnectionError(\"HTTPConnection(host='nas', port=1): Failed to connect: [Errno 111] Connection refused\"))"
)
NO_NAME = "NameResolutionError(\"Failed to resolve 'nas' ([Errno -2] Name or service not known)\"))"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (POOL + REFUSED, "Connection refused"),
        (POOL + NO_NAME, "Name or service not known"),
        (f"{TEXT}('aborted.', FileNotFoundError(2, 'No such file or directory'))", "No such file or directory"),
        ("some other error\nwith a second line", "some other error"),
        ("", "ValueError"),
    ],
)
def test_the_reason_is_the_innermost_message(text: str, message: str) -> None:
    assert in_short(ValueError(text)) == message
