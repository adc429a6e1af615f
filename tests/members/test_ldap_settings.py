"""LDAP settings are found in the files of services as they are, in the languages in which programs are written."""

from pathlib import Path

import pytest

from darkpeak.members.ldap_settings import Settings, fill_in, find_settings

TOP = Path(__file__).parents[2]
ADDRESS, BASE = "ldaps://directory", "ou=people,dc=collective"
CA = "/trust/ca.crt"
DN = f"uid=ada,{BASE}"
COOKS = "(&(uid=%u)(memberOf=cn=cooks,ou=groups,dc=collective))"
NAMES = ("%u", "%s", "%{user}", "%(user)s", "{0}", "{username}", "$user")


def found(text: str, **more: str) -> list[tuple[str, str, str, str]]:
    """Return address, CA, base and filter of all settings in a file, and in others by their names."""
    texts = {"settings": text, **more}
    return [values(settings) for settings in find_settings(texts)]


def values(settings: Settings) -> tuple[str, str, str, str]:
    return settings.address.value, settings.ca.value, settings.base.value, settings.filter.value


@pytest.mark.parametrize(
    ("folder", "filters"),
    [
        ("services/wiki/webserver", ["(uid=%{user})"]),
        ("services/chat/prosody", [""]),
        ("shapes/gate/gate", ["(uid=%u)"]),
        ("shapes/web/app", ["(uid=%u)"]),
        ("shapes/web+npm/app", [""]),
        ("catalogue/account/portal", ["(&(objectClass=inetOrgPerson)(|(uid=$user)(mail=$user)))", ""]),
    ],
)
def test_the_settings_of_each_service_that_asks_the_directory(folder: str, filters: list[str]) -> None:
    files = [path for path in (TOP / folder).rglob("*") if path.is_file() and path.suffix != ".png"]
    texts = {str(path.relative_to(TOP)): path.read_text() for path in files}
    found = sorted((values(settings) for settings in find_settings(texts)), reverse=True)
    assert found == [(ADDRESS, CA, BASE, filter_) for filter_ in filters]


def test_the_wikis_groups_and_where_each_setting_is() -> None:
    name = "services/wiki/webserver/protected.php"
    [settings] = find_settings({name: (TOP / name).read_text()})
    assert settings.group_base.value == "ou=groups,dc=collective"
    assert settings.group_filter.value == "(&(objectClass=groupOfNames)(member=%{dn}))"
    lines = (TOP / name).read_text().splitlines()
    assert settings.address.at == f"{name}:{1 + next(n for n, line in enumerate(lines) if ADDRESS in line)}"
    assert settings.encrypted


@pytest.mark.parametrize(
    ("text", "address", "base", "filter_"),
    [
        (
            "url: 'ldaps://directory:636'\nbase: 'ou=x, dc=collective'",
            "ldaps://directory:636",
            "ou=x, dc=collective",
            "",
        ),
        ('"ldaps://directory/ou=people,dc=collective?mail?sub?(o=x)"', ADDRESS, BASE, "(&(o=x)(mail=%u))"),
        ("uri ldaps://directory\nbase dc=x\nfilter passwd (&(o=x)(uid=%s))", ADDRESS, "dc=x", "(&(o=x)(uid=%s))"),
        ('DN = f"uid={name},ou=people,dc=collective"; SERVER = "ldaps://directory"', ADDRESS, BASE, ""),
        (f"'ldaps://directory'\n'{COOKS}'\n'ou=people,dc=collective'", ADDRESS, BASE, COOKS),
        ("'ldaps://directory'\n'(uid=%u'\n'ou=people,dc=collective'", ADDRESS, BASE, "(uid=%u"),
        ("bind = 'cn=app,dc=collective'\nLDAP=LDAPS://directory\nBASE=ou=people,dc=collective", ADDRESS, BASE, ""),
    ],
)
def test_settings_of_other_programs(text: str, address: str, base: str, filter_: str) -> None:
    assert found(text) == [(address, "", base, filter_)]


def test_comments_pages_and_files_without_an_address_say_nothing() -> None:
    comments = "# ldaps://one\n// ldaps://two\n-- ldaps://three\nou=people,dc=collective"
    assert found(comments, **{"a.md": "ldaps://four"}) == []


def test_the_ca_and_what_turns_its_check_off_can_be_in_another_file() -> None:
    [settings] = find_settings({"app.py": "ldaps://directory", "ldap.conf": f"TLS_CACERT {CA}\nTLS_REQCERT never"})
    assert (settings.ca.at, settings.unverified.at) == ("ldap.conf:1", "ldap.conf:2")


@pytest.mark.parametrize(("text", "encrypted"), [("ldap://directory", False), ("ldap://directory\nstart_tls on", True)])
def test_a_line_is_encrypted_from_the_start_or_by_starttls(text: str, *, encrypted: bool) -> None:
    [settings] = find_settings({"settings": text})
    assert settings.encrypted is encrypted


def test_two_files_with_the_same_settings_are_one() -> None:
    same = f"'{ADDRESS}' '{BASE}'"
    assert len(found(same, health=same, other="'ldaps://other' 'dc=collective'")) == 2


@pytest.mark.parametrize(
    ("filter_", "filled"),
    [
        *((f"(uid={name})", "(uid=ada)") for name in NAMES),
        ("(&(objectClass=groupOfNames)(member=%{dn}))", f"(&(objectClass=groupOfNames)(member={DN}))"),
        ("(member=%s)", f"(member={DN})"),
        ("(memberUid=%s)", "(memberUid=ada)"),
        ("(|(uid=%u)(mail=%u))", "(|(uid=ada)(mail=ada))"),
    ],
)
def test_a_filter_is_filled_in_as_programs_do(filter_: str, filled: str) -> None:
    assert fill_in(filter_, "ada", DN) == filled
