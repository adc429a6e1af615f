"""What a service's files say about the directory: address, CA, search base, filters. Pure.

Programs keep these settings in files of every kind, so they are found by how they look, line by line.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

DEFAULT_FILTER = "(uid=%u)"
LARGEST = 1 << 18  # characters of a file with settings
NO_SETTINGS = re.compile(r"(\.md|\.lock|-lock\.json)$")

ADDRESS = re.compile(r"(ldaps?)://([\w.-]+)(?::(\d+))?(?:/([^\s\"'?<>]*)(\?[^\s\"'<>]*)?)?", re.IGNORECASE)
BASE = re.compile(r"\b(?:(?:ou|cn|o)=[\w .-]+,\s*)*dc=[\w-]+(?:,\s*dc=[\w-]+)*", re.IGNORECASE)
QUOTED = re.compile(r"([\"'])(\([&|!(]?.*?)\1")
BARE = re.compile(r"\([&|!(]*[\w;.-]+[~<>]?=.*$")
PLACEHOLDER = re.compile(
    r"%\(\w+\)s|%\{\w+\}|%[usvd]\b|\{(?:0|user|username|uid|login|dn)\}|\$\w+", re.IGNORECASE
)  # %(user)s, %{user}, %u, {0}, $user
OF_GROUPS = re.compile(r"\b(?:member|uniqueMember|memberUid)=|groupOf|posixGroup", re.IGNORECASE)
CA = re.compile(r"(?:/[\w.-]+)+\.(?:crt|pem)\b")
NAMES_CA = re.compile(r"ca_?cert|ca_?file|TrustedGlobalCert|/ca\.(?:crt|pem)\b", re.IGNORECASE)
UNVERIFIED = re.compile(
    r"TLS_REQCERT\s+(?:never|allow|try)|LDAPVerifyServerCert\s+off|CERT_NONE|rejectUnauthorized\W+false"
    r"|ldapVerify\W+(?:none|optional)|LDAP_OPT_X_TLS_(?:NEVER|ALLOW|TRY)",
    re.IGNORECASE,
)
START_TLS = re.compile(r"start_?tls", re.IGNORECASE)
COMMENT = re.compile(r"\s*(?:#|//|--|;|\*|<!--)")


@dataclass(frozen=True)
class Setting:
    """A value, and where it is written: `file:line`, or an option."""

    value: str = ""
    at: str = ""

    def __str__(self) -> str:
        return f"{self.value} ({self.at})" if self.at else self.value


NONE = Setting()


@dataclass(frozen=True)
class Settings:
    """How a program asks the directory."""

    address: Setting = NONE
    ca: Setting = NONE
    base: Setting = NONE
    filter: Setting = NONE
    group_base: Setting = NONE
    group_filter: Setting = NONE
    unverified: Setting = NONE  # what turns the check of the certificate off
    start_tls: Setting = NONE

    @property
    def host(self) -> str:
        """The host's name in the address."""
        found = ADDRESS.match(self.address.value)
        return found[2] if found else ""

    @property
    def encrypted(self) -> bool:
        """Whether the line is encrypted before a password is sent."""
        return self.address.value.lower().startswith("ldaps:") or bool(self.start_tls.value)


@dataclass
class _File:
    """What was found in one file; the first of each kind counts."""

    settings: dict[str, Setting] = field(default_factory=dict)

    def add(self, kind: str, value: str, at: str) -> None:
        self.settings.setdefault(kind, Setting(value, at))


def find_settings(texts: Mapping[str, str]) -> Iterator[Settings]:
    """Yield the settings in each of a container's files that has an address, once; `texts` are by the files' names.

    The CA, and what turns TLS on or off, can be in another file.
    """
    files = [_read(name, text) for name, text in sorted(texts.items()) if _may_have_settings(name, text)]
    elsewhere: dict[str, Setting] = {}
    for found in files:
        for kind in ("ca", "unverified"):
            elsewhere.setdefault(kind, found.settings.get(kind, NONE))
    elsewhere = {kind: next((f.settings[kind] for f in files if kind in f.settings), NONE) for kind in elsewhere}
    seen = set()
    for found in files:
        if "address" in found.settings:
            settings = Settings(**{**elsewhere, **found.settings})
            values = tuple(getattr(settings, kind).value for kind in ("address", "base", "filter", "group_filter"))
            if values not in seen:
                seen.add(values)
                yield settings


def fill_in(filter_: str, uid: str, dn: str) -> str:
    """Return a filter with a member's uid or DN at each placeholder, as programs do."""

    def value(found: re.Match[str]) -> str:
        before = filter_[: found.start()].lower()
        is_dn = "dn" in found[0].lower() or before.endswith(("(member=", "(uniquemember="))
        return dn if is_dn else uid

    return PLACEHOLDER.sub(value, filter_)


def _may_have_settings(name: str, text: str) -> bool:
    return len(text) <= LARGEST and not NO_SETTINGS.search(name)


def _read(name: str, text: str) -> _File:
    found = _File()
    for number, line in enumerate(text.splitlines(), 1):
        if not COMMENT.match(line):
            _read_line(found, line, f"{name}:{number}")
    return found


def _read_line(found: _File, line: str, at: str) -> None:
    for kind, pattern in (("unverified", UNVERIFIED), ("start_tls", START_TLS)):
        match = pattern.search(line)
        if match:
            found.add(kind, match[0], at)
    ca = CA.search(line)
    if ca and NAMES_CA.search(line):
        found.add("ca", ca[0], at)
    address = ADDRESS.search(line)
    if address:
        _read_address(found, address, at)
        line = line.replace(address[0], "")
    for filter_ in _filters(line):
        groups = OF_GROUPS.search(filter_) and not re.search(r"memberOf=", filter_, re.IGNORECASE)
        found.add("group_filter" if groups else "filter", filter_, at)
        line = line.replace(filter_, "")
    for base in BASE.findall(line):
        in_groups = "group" in line.lower()
        if not base.lower().startswith("cn="):  # the name of an account with which a program logs in
            found.add("group_base" if in_groups else "base", base, at)


def _read_address(found: _File, address: re.Match[str], at: str) -> None:
    """Keep an address, and what it has by RFC 4516: ldaps://HOST/BASE?ATTRIBUTE?SCOPE?FILTER."""
    scheme, host, port, base, query = address.groups()
    found.add("address", f"{scheme.lower()}://{host}{f':{port}' if port else ''}", at)
    if base:
        found.add("base", base.replace("%20", " "), at)
    if query:
        attribute, _, rest = query.removeprefix("?").partition("?")
        own = rest.partition("?")[2]
        wanted = f"({attribute or 'uid'}=%u)"
        found.add("filter", f"(&{own}{wanted})" if own.startswith("(") else wanted, at)


def _filters(line: str) -> Iterator[str]:
    """Yield the texts in a line that look like filters with a placeholder, also those with a typing error."""
    quoted = [text for _, text in QUOTED.findall(line)]
    bare = BARE.search(line)
    for text in quoted or ([bare[0].rstrip(" ;,\"'")] if bare else []):
        if "=" in text and PLACEHOLDER.search(text):
            yield text
