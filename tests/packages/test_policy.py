"""apt's answer: which packages have a newer version, and which of those are security updates."""

import pytest

from darkpeak.packages.apt import first_complaint, read_answers
from darkpeak.packages.policy import Newer, NoAnswer, read_policy

MAIN = "        500 http://deb.debian.org/debian trixie/main amd64 Packages"
SECURITY = "        500 http://deb.debian.org/debian-security trixie-security/main amd64 Packages"
LOCAL = "        100 /var/lib/dpkg/status"


def answer(name: str, installed: str, candidate: str, *table: str) -> str:
    head = f"{name}:\n  Installed: {installed}\n  Candidate: {candidate}\n  Version table:\n"
    return head + "".join(f"{line}\n" for line in table)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (answer("a", "1", "1", " *** 1 500", MAIN, LOCAL), []),
        (answer("a", "1", "2", "     2 500", MAIN, " *** 1 100", LOCAL), [Newer("a", "1", "2", security=False)]),
        (answer("a", "1", "2", "     2 500", SECURITY, " *** 1 100", LOCAL), [Newer("a", "1", "2", security=True)]),
        (
            answer("a", "1", "3", "     3 500", MAIN, "     2 500", SECURITY, " *** 1 100", LOCAL),
            [Newer("a", "1", "3", security=True)],
        ),
        (
            answer("a", "1", "2", "     2 500", MAIN, " *** 1 500", SECURITY, LOCAL),
            [Newer("a", "1", "2", security=False)],
        ),
        (answer("a", "1", "1", "     1 500", MAIN, " *** 1 100", LOCAL), [Newer("a", "1", "1", security=False)]),
        (answer("a", "2", "1", " *** 2 100", LOCAL, "     1 1001", MAIN), []),
        (answer("a", "1", "1", "     2 -10", MAIN, " *** 1 100", LOCAL), []),
    ],
    ids=[
        "current",
        "newer",
        "security",
        "security passed over",
        "security installed",
        "rebuilt",
        "pinned older",
        "pinned out",
    ],
)
def test_the_newer_versions_are_found(text: str, found: list[Newer]) -> None:
    assert list(read_policy(text, ["a"])) == found


def test_a_foreign_package_is_found_by_its_full_name() -> None:
    text = answer("a:i386", "1", "2", "     2 500", MAIN, " *** 1 100", LOCAL) + answer("a", "2", "2", " *** 2 500")
    assert list(read_policy(text, ["a", "a:i386"])) == [Newer("a:i386", "1", "2", security=False)]


@pytest.mark.parametrize("text", ["", answer("b", "1", "1"), answer("a", "(none)", "1")])
def test_no_answer_is_not_an_answer(text: str) -> None:
    with pytest.raises(NoAnswer):
        list(read_policy(text, ["a"]))


def test_the_answers_for_several_containers_are_told_apart() -> None:
    assert read_answers(b"=== 10 0\na:\n  x\n=== 2 100\nE: bad\n") == {10: (0, "\na:\n  x\n"), 2: (100, "\nE: bad\n")}
    assert read_answers(b"") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("W: old\nErr:1 http://x\nE: is expired\nE: last\n", "is expired"),
        ("\x1b[1;31mError: \x1b[0m\x1b[1mis not signed\x1b[0m\n", "is not signed"),
        ("W: only a warning\n", "only a warning"),
        ("something\nelse\n", "else"),
        ("", "it printed no reason"),
    ],
)
def test_the_reason_of_apt_is_its_first_error(text: str, said: str) -> None:
    assert first_complaint(text) == said
