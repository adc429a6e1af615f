"""Judge how the directory answers with a service's settings: one check for each step of a login. Pure."""

from dataclasses import dataclass

from darkpeak.members.ldap_settings import DEFAULT_FILTER, Settings, fill_in
from darkpeak.result import Result, Verdict, display

NETWORK, NAME, TLS, SEARCH, STRANGER, PASSWORD, GROUPS = (
    *("network", "name", "tls", "search", "stranger", "password", "groups"),
)
JOIN = "join the network darkpeak-directory in its compose file, as docs/members.md shows"
TRUST = "mount the volume darkpeak-trust, and name its ca.crt in the program's settings, as docs/members.md shows"
FILTER_HINT = "write a filter such as (uid=%u), or give it with --filter"
BASE_HINT = "members are in ou=people,dc=collective: write this base, or give it with --base"
GROUP_HINT = "groups are in ou=groups,dc=collective: search as the member, for (&(objectClass=groupOfNames)(member=DN))"
NOBODY = "nobody.has.this.name"
# Exit codes of ldapsearch and ldapwhoami: LDAP result codes, and those of the library.
OK, NO_OBJECT, BAD_SYNTAX, WRONG, BAD_FILTER = 0, 32, 34, 49, 249


@dataclass(frozen=True)
class Check:
    """The result of one check of a container, and what to do about it."""

    container: str
    check: str
    verdict: Verdict
    what: str
    hint: str = ""


@dataclass(frozen=True)
class Joined:
    """How a container reaches others: whether it is in the directory's network, or in that of its machine."""

    directory: bool
    host: bool = False


@dataclass(frozen=True)
class Person:
    """A member to search for."""

    uid: str
    dn: str


def ok(container: str, check: str, what: str) -> Check:
    """Return a check that passed."""
    return Check(container, check, Verdict.OK, display(what))


def bad(container: str, check: str, what: str, hint: str) -> Check:
    """Return a check that failed."""
    return Check(container, check, Verdict.BAD, display(what), hint)


def judge_network(container: str, joined: Joined) -> Check:
    """Judge whether a container is where the directory is."""
    if joined.directory:
        return ok(container, NETWORK, "in the network darkpeak-directory")
    if joined.host:
        return ok(container, NETWORK, "in its machine's own network")
    return bad(container, NETWORK, "not in the network darkpeak-directory", JOIN)


def judge_name(container: str, settings: Settings, resolved: Result) -> Check:
    """Judge whether the host's name in the address has an IP address."""
    address = resolved.text.split()[:1]
    if resolved.code or not address:
        what = f"{settings.host} has no address there: {settings.address}"
        return bad(container, NAME, what, "write ldaps://directory: the directory has this name in its network")
    return ok(container, NAME, f"{settings.address} is {address[0]}")


def judge_line(container: str, settings: Settings) -> Check | None:
    """Return a failed check if the settings alone show that the line would not be safe."""
    if not settings.encrypted:
        return bad(container, TLS, f"{settings.address} is not encrypted", "write ldaps:// instead of ldap://")
    if settings.unverified.value:
        what = f"the certificate is not verified: {settings.unverified}"
        return bad(container, TLS, what, "have the program verify it: whoever answers would get the passwords")
    if not settings.ca.value:
        return bad(container, TLS, "no file of the service names a CA", TRUST)
    return None


def judge_tls(container: str, settings: Settings, asked: Result, anyone: Result) -> Check:
    """Judge whether the first search over TLS was answered, by a server with a certificate of the collective's CA.

    `anyone` is how the same search ended without a look at the certificate.
    """
    if asked.code == OK:
        return ok(container, TLS, f"the certificate is of the CA in {settings.ca}")
    if anyone.code == OK:
        return bad(container, TLS, f"the certificate is not of the CA in {settings.ca}: {why(asked)}", TRUST)
    what = f"{settings.address} does not answer: {why(asked)}"
    return bad(container, TLS, what, "see whether the directory runs: darkpeak status directory")


def judge_ca(container: str, settings: Settings) -> Check:
    """Return the failed check for a CA whose file is not in the container."""
    return bad(container, TLS, f"the container has no readable file {settings.ca}", TRUST)


def judge_search(container: str, settings: Settings, person: Person, asked: Result) -> Check:
    """Judge the anonymous search for a member: it must find exactly their entry."""
    filter_, base = settings.filter.value or DEFAULT_FILTER, settings.base
    if asked.code == BAD_FILTER or "Bad search filter" in why(asked):
        return bad(container, SEARCH, f"{settings.filter} is not a filter", FILTER_HINT)
    if asked.code in (NO_OBJECT, BAD_SYNTAX):
        return bad(container, SEARCH, f"the directory has no {base}", BASE_HINT)
    found = dns(asked)
    if [dn.lower() for dn in found] == [person.dn.lower()]:
        assumed = "" if settings.filter.value else ", which is assumed: no file shows a filter"
        return ok(container, SEARCH, f"{filter_} below {base} finds {person.uid}{assumed}")
    if asked.code != OK and not found:
        return bad(container, SEARCH, f"{settings.filter.value or filter_} below {base}: {why(asked)}", FILTER_HINT)
    many = f"{len(found)} entries for" if found else "nobody for"
    hint = FILTER_HINT if base.value.lower().startswith("ou=people,") else BASE_HINT
    return bad(container, SEARCH, f"{_named(settings)} below {base} finds {many} {person.uid}", hint)


def judge_stranger(container: str, settings: Settings, asked: Result) -> Check:
    """Judge the search for a name that no member has."""
    if dns(asked):
        what = f"{_named(settings)} finds {dns(asked)[0]} for a name that no member has"
        return bad(container, STRANGER, what, FILTER_HINT)
    return ok(container, STRANGER, "a name that no member has finds nobody")


def judge_password(container: str, person: Person, tried: Result) -> Check:
    """Judge a login with a wrong password."""
    if tried.code == WRONG:
        return ok(container, PASSWORD, f"a wrong password of {person.uid} is refused")
    if tried.code == OK:
        what = f"a wrong password of {person.uid} is accepted"
        return bad(container, PASSWORD, what, "whoever answers there is not the directory: check the address")
    what = f"a login as {person.uid} is not answered: {why(tried)}"
    return bad(container, PASSWORD, what, "see why: darkpeak logs directory")


def judge_groups(container: str, settings: Settings, person: Person, asked: Result) -> Check:
    """Judge the search for the groups of a member who is in one."""
    base, filter_ = settings.group_base, settings.group_filter
    if "Bad search filter" in why(asked) or asked.code == BAD_FILTER:
        return bad(container, GROUPS, f"{filter_} is not a filter", GROUP_HINT)
    if asked.code in (NO_OBJECT, BAD_SYNTAX):
        return bad(container, GROUPS, f"the directory has no {base}", GROUP_HINT)
    found = [dn.partition(",")[0].partition("=")[2] for dn in dns(asked)]
    if asked.code or not found:
        return bad(container, GROUPS, f"{filter_} below {base} finds no group of {person.uid}", GROUP_HINT)
    return ok(container, GROUPS, f"{person.uid} is in {', '.join(sorted(found))}")


def make_search(settings: Settings, base: str, filter_: str) -> tuple[str, ...]:
    """Return the command that searches anonymously as the settings say; at most two entries are of interest."""
    return (*_connect("ldapsearch", settings), "-LLL", "-o", "ldif-wrap=no", "-z", "2", "-b", base, filter_, "1.1")


def make_root_search(settings: Settings, *, verify: bool = True) -> tuple[str, ...]:
    """Return the command that asks for what everyone may see, to try the connection."""
    program = _connect("ldapsearch", settings, verify=verify)
    return (*program, "-LLL", "-s", "base", "-b", "", "(objectClass=*)", "1.1")


def make_login(settings: Settings, dn: str) -> tuple[str, ...]:
    """Return the command that logs in with the password on its standard input."""
    return (*_connect("ldapwhoami", settings), "-D", dn, "-y", "/dev/stdin")


def make_group_search(settings: Settings, person: Person) -> tuple[str, ...]:
    """Return the command that searches as the member, inside the directory's container, where root may be anyone."""
    filter_ = fill_in(settings.group_filter.value, person.uid, person.dn)
    as_member = ("-Q", "-Y", "EXTERNAL", "-H", "ldapi:///", "-e", f"!authzid=dn:{person.dn}")
    return ("ldapsearch", *as_member, "-LLL", "-o", "ldif-wrap=no", "-b", settings.group_base.value, filter_, "1.1")


def dns(asked: Result) -> list[str]:
    """Return the names of the entries that a search found."""
    return [line.removeprefix("dn: ") for line in asked.text.splitlines() if line.startswith("dn: ")]


def why(asked: Result) -> str:
    """Return what a program said about its failure."""
    lines = asked.stderr.decode(errors="replace").split("\n")
    return "; ".join(line.strip() for line in lines if line.strip()) or f"exit code {asked.code}"


def _named(settings: Settings) -> str:
    return str(settings.filter) if settings.filter.value else DEFAULT_FILTER


def _connect(program: str, settings: Settings, *, verify: bool = True) -> tuple[str, ...]:
    """Return the program with its connection: it verifies the certificate, and waits for at most five seconds."""
    demanded = (f"LDAPTLS_CACERT={settings.ca.value}", "LDAPTLS_REQCERT=demand")
    trust = (*(demanded if verify else ("LDAPTLS_REQCERT=never",)), "LDAPNETWORK_TIMEOUT=5", "LDAPTIMEOUT=5")
    start = ("-ZZ",) if settings.start_tls.value and settings.address.value.startswith("ldap:") else ()
    return ("env", *trust, program, "-x", "-H", settings.address.value, *start)
