"""What `member invite` makes of the login page's answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from darkpeak.actions.invite import Invitation, find_login_page, invite
from darkpeak.collective import read
from darkpeak.deploy.target import Target
from darkpeak.errors import DarkpeakError, SystemFailure, UsageError
from darkpeak.result import Result
from tests.making import write_collective

if TYPE_CHECKING:
    from darkpeak.engine.engine import Engine

LINK = "https://account.localhost:7443/resetpwd?mail_token=1f"
TOLD = f'{{"expires":"1795937520","member":"ada","url":"{LINK}"}}\n'.encode()


def answered(result: Result) -> Invitation:
    """Return the invitation of ada, if the login page's program ends like this."""

    def run(argv: Sequence[str]) -> Result:
        assert tuple(argv) == ("invite", "ada@example.org")
        return result

    return invite(run, "ada@example.org")


def test_the_link_is_for_the_member_whom_the_login_page_found() -> None:
    assert answered(Result(0, TOLD)) == Invitation("ada", LINK, "2026-11-29T07:32:00+00:00")


def test_a_link_is_mailed_in_a_language_to_the_members_address() -> None:
    def run(argv: Sequence[str]) -> Result:
        assert tuple(argv) == ("invite", "ada", "--mail", "de")
        return Result(0, TOLD.replace(b'"member"', b'"mail":"ada@example.org","member"'))

    assert invite(run, "ada", "de").mailed == "ada@example.org"


@pytest.mark.parametrize(
    ("result", "error", "said"),
    [
        (Result(1, stderr=b"invite: there is no such member\n"), UsageError, "there is no member ada@example.org"),
        (Result(2, stderr=b"usage: invite NAME\n"), UsageError, "there is no member ada@example.org"),
        (Result(1, stderr=b"invite: the portal answers 500\n"), SystemFailure, "the portal answers 500"),
        *(
            (Result(0, answer), SystemFailure, "the login page's answer is not a link")
            for answer in (
                b"{}\n",
                b"[]\n",
                b"<html>",
                b"",
                TOLD.replace(b"1795937520", b"soon"),
                TOLD.replace(b"1795", b"9" * 30),
            )
        ),
    ],
)
def test_a_refusal_says_why(result: Result, error: type[DarkpeakError], said: str) -> None:
    with pytest.raises(error, match=said):
        answered(result)


def test_a_collective_without_a_login_page_is_told_how_to_add_it(tmp_path: Path) -> None:
    collective, _ = read(write_collective(tmp_path))
    with pytest.raises(UsageError, match="no login page") as error:
        find_login_page(Target(collective, cast("Engine", None), collective.services))
    assert error.value.hint
    assert "darkpeak add account" in error.value.hint
