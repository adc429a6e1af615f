"""Which programs `Directory` runs, and how it reads the answers."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from darkpeak.errors import DarkpeakError, SystemFailure, UsageError
from darkpeak.members.directory import Directory, Member

if TYPE_CHECKING:
    from collections.abc import Callable

ADA = b"dn: uid=ada,ou=people,dc=collective\nuid: ada\ncn: Ada\n"
ADMINS = b"dn: cn=admins,ou=groups,dc=collective\ncn: admins\nmember: uid=ada,ou=people,dc=collective\n"


@dataclass(frozen=True)
class Answer:
    """The answer of a program in the container."""

    code: int = 0
    stdout: bytes = b""
    stderr: bytes = b""


@dataclass
class Container:
    """A stand-in for the container: it remembers what was run, and returns prepared answers."""

    answers: list[Answer]
    ran: list[tuple[tuple[str, ...], bytes]] = field(default_factory=list)

    def __call__(self, command: tuple[str, ...], stdin: bytes) -> Answer:
        """Return the next answer."""
        self.ran.append((command, stdin))
        return self.answers.pop(0)

    @property
    def programs(self) -> list[str]:
        """Return the names of the programs that were run, in order."""
        return [command[0] for command, _ in self.ran]


def test_no_password_is_on_a_command_line() -> None:
    container = Container([Answer(), Answer()])
    Directory(container).add(Member("ada", "Ada"), "correct horse")
    Directory(container).passwd("ada", "battery staple")
    assert container.programs == ["ldapadd", "ldapmodify"]
    assert not [word for command, _ in container.ran for word in command if "horse" in word or "staple" in word]


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        (68, UsageError, "the member ada already exists"),
        (1, SystemFailure, "ada was not added: no such container"),
        (127, SystemFailure, "ada was not added: no such container"),
    ],
)
def test_a_failed_add_is_explained(code: int, error: type[DarkpeakError], message: str) -> None:
    container = Container([Answer(code, stderr=b"no such container\nand more\n")])
    with pytest.raises(error) as raised:
        Directory(container).add(Member("ada", "Ada"), "correct horse")
    assert raised.value.message == message


def test_a_bad_name_is_refused_before_anything_runs() -> None:
    container = Container([])
    directory = Directory(container)
    acts: list[Callable[[], None]] = [
        lambda: directory.add(Member("Ada", "Ada"), "correct horse"),
        lambda: directory.add(Member("ada", "Ada"), "short"),
        lambda: directory.passwd("ada)", "correct horse"),
        lambda: directory.remove("*"),
        lambda: directory.join("ada", "a,b"),
        lambda: directory.leave("ada", "A"),
    ]
    for act in acts:
        with pytest.raises(UsageError):
            act()
    assert container.ran == []


def test_an_unknown_member_is_an_error() -> None:
    with pytest.raises(UsageError, match="there is no member ada"):
        Directory(Container([Answer(32)])).passwd("ada", "correct horse")
    with pytest.raises(UsageError, match="there is no member ada"):
        Directory(Container([Answer()])).remove("ada")
    with pytest.raises(UsageError, match="there is no member ada"):
        Directory(Container([Answer()])).join("ada", "admins")


def test_groups_are_left_before_the_member_is_removed() -> None:
    container = Container([Answer(stdout=ADA), Answer(stdout=ADMINS), Answer(), Answer()])
    Directory(container).remove("ada")
    assert container.programs == ["ldapsearch", "ldapsearch", "ldapmodify", "ldapdelete"]
    assert b"cn=admins" in container.ran[2][1]


def test_a_member_is_kept_when_the_groups_cannot_be_left() -> None:
    container = Container([Answer(stdout=ADA), Answer(stdout=ADMINS), Answer(50, stderr=b"Insufficient access (50)")])
    with pytest.raises(SystemFailure, match="not removed from admins"):
        Directory(container).remove("ada")
    assert "ldapdelete" not in container.programs


def test_a_group_is_made_by_its_first_member() -> None:
    container = Container([Answer(stdout=ADA), Answer(32), Answer()])
    Directory(container).join("ada", "cooks")
    assert container.programs == ["ldapsearch", "ldapmodify", "ldapadd"]


@pytest.mark.parametrize("code", [16, 32])
def test_leaving_a_group_without_being_in_it_is_an_error(code: int) -> None:
    with pytest.raises(UsageError, match="ada is not in the group admins"):
        Directory(Container([Answer(code)])).leave("ada", "admins")


def test_a_directory_that_does_not_answer() -> None:
    with pytest.raises(SystemFailure, match="does not answer: Can't contact LDAP server"):
        Directory(Container([Answer(255, stderr=b"Can't contact LDAP server (-1)\n")])).members()


def test_an_answer_that_is_not_ldif() -> None:
    with pytest.raises(SystemFailure, match="answer is not LDIF"):
        Directory(Container([Answer(stdout=b"Segmentation fault: core dumped\n")])).members()
