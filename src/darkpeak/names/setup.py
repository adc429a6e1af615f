"""The changes with which each kind of resolver resolves a domain with services/dns. Pure."""

from dataclasses import dataclass
from enum import StrEnum

ADDRESS = "127.0.0.1"
RESOLVED_FILE = "/etc/systemd/resolved.conf.d/darkpeak.conf"
MANAGER_FILE = "/etc/NetworkManager/conf.d/darkpeak.conf"
MANAGER_NAMES_FILE = "/etc/NetworkManager/dnsmasq.d/darkpeak.conf"
DNSMASQ_FILE = "/etc/dnsmasq.d/darkpeak.conf"
DHCLIENT_FILE = "/etc/dhcp/dhclient.conf"
RESOLVCONF_FILE = "/etc/resolvconf/resolv.conf.d/head"
PLAIN_FILE = "/etc/resolv.conf"
MACOS_FOLDER = "/etc/resolver"
OWN_FILES = (RESOLVED_FILE, MANAGER_FILE, MANAGER_NAMES_FILE, DNSMASQ_FILE)
SHARED_FILES = (DHCLIENT_FILE, RESOLVCONF_FILE, PLAIN_FILE)
NO_PORTS = (
    "can ask only at port 53, so Debian's dnsmasq listens there: it sends the domain to services/dns, and all other "
    "names to the servers from before"
)


class Resolver(StrEnum):
    """The program or file that resolves host names on a machine."""

    RESOLVED = "systemd-resolved"
    MANAGER = "NetworkManager"
    RESOLVCONF = "resolvconf"
    DHCLIENT = "dhclient"
    PLAIN = "/etc/resolv.conf"
    MACOS = "macOS"


@dataclass(frozen=True)
class Surroundings:
    """What shows which resolver a machine has."""

    system: str  # Linux or Darwin
    resolv_conf: str = ""
    leads_to: str = ""  # the target of /etc/resolv.conf, if it is a link
    files: frozenset[str] = frozenset()  # those of SIGNS that exist


SIGNS = ("/run/NetworkManager", RESOLVCONF_FILE.rpartition("/")[0], DHCLIENT_FILE)


@dataclass(frozen=True)
class Change:
    """A new file (`own`), or lines at the beginning of a file that other programs use too."""

    path: str
    text: str
    own: bool
    cause: str


@dataclass(frozen=True)
class Setup:
    """All changes of a machine: files, programs that they need, and the command that makes the resolver read them."""

    resolver: Resolver
    changes: tuple[Change, ...]
    command: tuple[str, ...]  # run after the files have changed; empty if there is none
    programs: tuple[tuple[str, str], ...] = ()  # each with its Debian package
    note: str = ""


def find_resolver(found: Surroundings) -> Resolver:
    """Return the resolver of a machine."""
    if found.system == "Darwin":
        return Resolver.MACOS
    if "systemd/resolve" in found.leads_to or "nameserver 127.0.0.53" in found.resolv_conf:
        return Resolver.RESOLVED
    network_manager, resolvconf, dhclient = (sign in found.files for sign in SIGNS)
    if network_manager or "NetworkManager" in found.resolv_conf + found.leads_to:
        return Resolver.MANAGER
    if resolvconf or "resolvconf" in found.leads_to:
        return Resolver.RESOLVCONF
    return Resolver.DHCLIENT if dhclient else Resolver.PLAIN


def make_setup(resolver: Resolver, domain: str, port: int) -> Setup:
    """Return the changes with which a resolver asks for a domain at a port of 127.0.0.1."""
    if resolver is Resolver.MACOS:
        text = f"nameserver {ADDRESS}\nport {port}\n"
        change = Change(f"{MACOS_FOLDER}/{domain}", text, own=True, cause=f"macOS then asks services/dns for {domain}")
        return Setup(resolver, (change,), ())
    if resolver is Resolver.RESOLVED:
        text = f"[Resolve]\nDNS={ADDRESS}:{port}\nDomains=~{domain}\n"
        change = Change(RESOLVED_FILE, text, own=True, cause=f"systemd-resolved then asks services/dns for {domain}")
        return Setup(resolver, (change,), ("systemctl", "restart", "systemd-resolved"))
    if resolver is Resolver.MANAGER:
        return _network_manager(domain, port)
    return _through_dnsmasq(resolver, domain, port)


def _network_manager(domain: str, port: int) -> Setup:
    text = f"server=/{domain}/{ADDRESS}#{port}\n"
    changes = (
        Change(MANAGER_FILE, "[main]\ndns=dnsmasq\n", own=True, cause="NetworkManager then runs a dnsmasq"),
        Change(MANAGER_NAMES_FILE, text, own=True, cause=f"that dnsmasq asks services/dns for {domain}"),
    )
    command = ("systemctl", "reload", "NetworkManager")
    return Setup(Resolver.MANAGER, changes, command, (("dnsmasq", "dnsmasq-base"),))


def _through_dnsmasq(resolver: Resolver, domain: str, port: int) -> Setup:
    """Return the changes for a resolver that can ask only at port 53: a dnsmasq there, on this machine."""
    text = f"listen-address={ADDRESS}\nbind-interfaces\nserver=/{domain}/{ADDRESS}#{port}\n"
    passes_on = Change(DNSMASQ_FILE, text, own=True, cause=f"dnsmasq asks services/dns for {domain}")
    first = f"nameserver {ADDRESS}\n"
    programs = (("dnsmasq", "dnsmasq"),)
    restart = ("systemctl", "restart", "dnsmasq")
    note = f"{resolver} {NO_PORTS}"
    if resolver is Resolver.DHCLIENT:
        text = f"prepend domain-name-servers {ADDRESS};\n"
        shared = Change(DHCLIENT_FILE, text, own=False, cause="dhclient then names that dnsmasq first")
        note += "; dhclient reads this with its next lease (ifdown and ifup, or unplug and plug the cable)"
        return Setup(resolver, (passes_on, shared), restart, programs, note)
    if resolver is Resolver.RESOLVCONF:
        shared = Change(RESOLVCONF_FILE, first, own=False, cause="resolvconf then names that dnsmasq first")
        return Setup(resolver, (passes_on, shared), ("resolvconf", "-u"), programs, note)
    shared = Change(PLAIN_FILE, first, own=False, cause="programs then ask that dnsmasq first")
    return Setup(resolver, (passes_on, shared), restart, programs, note)
