"""What each answer of the directory means for a service's settings, as a table."""

import pytest

from darkpeak.members import ldap_checks as judge
from darkpeak.members.ldap_checks import Check, Joined, Person
from darkpeak.members.ldap_settings import Setting, Settings
from darkpeak.result import Result, Verdict

ADA = Person("ada", "uid=ada,ou=people,dc=collective")
SETTINGS = Settings(
    address=Setting("ldaps://directory", "app.py:3"),
    ca=Setting("/trust/ca.crt", "app.py:4"),
    base=Setting("ou=people,dc=collective", "app.py:5"),
    filter=Setting("(uid=%u)", "app.py:6"),
    group_base=Setting("ou=groups,dc=collective", "app.py:7"),
    group_filter=Setting("(member=%{dn})", "app.py:8"),
)
FOUND, OTHER = (Result(0, f"dn: uid={uid},ou=people,dc=collective\n\n".encode()) for uid in ("ada", "ADA2"))
SILENT = Result(255, stderr=b"ldap_sasl_bind(SIMPLE): Can't contact LDAP server (-1)\n")
BAD_FILTER = Result(1, stderr=b"ldap_search_ext: Bad search filter (-7)\n")


@pytest.mark.parametrize(
    ("check", "passed", "said"),
    [
        (judge.judge_network("web", Joined(directory=True)), True, "in the network"),
        (judge.judge_network("web", Joined(directory=False, host=True)), True, "machine's own"),
        (judge.judge_network("web", Joined(directory=False)), False, "not in the network darkpeak-directory"),
        (judge.judge_name("web", SETTINGS, Result(0, b"10.60.20.2 STREAM directory\n")), True, "is 10.60.20.2"),
        (judge.judge_name("web", SETTINGS, Result(2)), False, "directory has no address there"),
        (judge.judge_tls("web", SETTINGS, Result(0, b"dn:\n"), Result(0)), True, "/trust/ca.crt (app.py:4)"),
        (judge.judge_tls("web", SETTINGS, SILENT, Result(0)), False, "is not of the CA"),
        (judge.judge_tls("web", SETTINGS, SILENT, SILENT), False, "does not answer"),
        (judge.judge_ca("web", SETTINGS), False, "no readable file /trust/ca.crt (app.py:4)"),
        (judge.judge_search("web", SETTINGS, ADA, FOUND), True, "finds ada"),
        (judge.judge_search("web", SETTINGS, ADA, OTHER), False, "1 entries for ada"),
        (judge.judge_search("web", SETTINGS, ADA, Result(0)), False, "finds nobody for ada"),
        (judge.judge_search("web", SETTINGS, ADA, Result(0, FOUND.stdout + OTHER.stdout)), False, "2 entries for ada"),
        (judge.judge_search("web", SETTINGS, ADA, Result(32)), False, "the directory has no ou=people"),
        (judge.judge_search("web", SETTINGS, ADA, BAD_FILTER), False, "(uid=%u) (app.py:6) is not a filter"),
        (judge.judge_stranger("web", SETTINGS, Result(0)), True, "finds nobody"),
        (judge.judge_stranger("web", SETTINGS, FOUND), False, "for a name that no member has"),
        (judge.judge_password("web", ADA, Result(49)), True, "is refused"),
        (judge.judge_password("web", ADA, Result(0)), False, "is accepted"),
        (judge.judge_password("web", ADA, SILENT), False, "is not answered"),
        (judge.judge_groups("web", SETTINGS, ADA, Result(0, b"dn: cn=cooks,ou=groups,dc=collective\n")), True, "cooks"),
        (judge.judge_groups("web", SETTINGS, ADA, Result(0)), False, "finds no group of ada"),
        (judge.judge_groups("web", SETTINGS, ADA, Result(32)), False, "the directory has no ou=groups"),
        (judge.judge_groups("web", SETTINGS, ADA, BAD_FILTER), False, "is not a filter"),
    ],
)
def test_each_answer_has_a_verdict_and_a_failed_one_says_what_to_do(check: Check, passed: bool, said: str) -> None:  # noqa: FBT001
    assert (check.verdict is Verdict.OK, said in check.what) == (passed, True), check
    assert bool(check.hint) is not passed


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(Setting("ldap://directory")), "not encrypted"),
        (Settings(Setting("ldaps://directory"), unverified=Setting("CERT_NONE", "app.py:9")), "CERT_NONE (app.py:9)"),
        (Settings(Setting("ldaps://directory")), "names a CA"),
    ],
)
def test_settings_that_would_send_passwords_to_anyone_fail_without_a_question(settings: Settings, said: str) -> None:
    check = judge.judge_line("web", settings)
    assert check
    assert said in check.what
    assert judge.judge_line("web", SETTINGS) is None


def test_programs_get_the_settings_as_arguments_and_no_password() -> None:
    assert judge.make_login(SETTINGS, ADA.dn) == (
        *("env", "LDAPTLS_CACERT=/trust/ca.crt", "LDAPTLS_REQCERT=demand", "LDAPNETWORK_TIMEOUT=5", "LDAPTIMEOUT=5"),
        *("ldapwhoami", "-x", "-H", "ldaps://directory", "-D", ADA.dn, "-y", "/dev/stdin"),
    )
    assert judge.make_group_search(SETTINGS, ADA)[-2] == f"(member={ADA.dn})"
