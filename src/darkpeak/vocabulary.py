"""Facts that several rooms share, each written once: names, ports, blocks, patterns, sizes. Imports nothing of ours."""

import re

# Files of a collective.
COLLECTIVE_FILE = "collective.toml"
ABOUT_FILE = "about.md"  # the collective's own text on its pages
COMPOSE_FILE = "docker-compose.yml"
KEY_FILE = "backup-key.age"
ENVIRONMENT_FILE = ".env"  # of a service, with the collective's values for plain compose
ORIGIN_FILE = ".from.tar.gz"  # of a service, with the catalogue's files from which it was made
PROJECT = "darkpeak-"  # how each service's project name begins

# Services and containers that the tool itself talks to.
ROUTER, HAPROXY, CERTIFICATES, JUMP, PROBER = "router", "haproxy", "certificates", "jump", "prober"
DIRECTORY, SLAPD = "directory", "slapd"
ACCOUNT, PORTAL = "account", "portal"
LOGIN_VOLUME = "login"  # the key of a service's volume with what the login page tells it
DIRECTORY_NETWORK = PROJECT + DIRECTORY  # which services join to ask it
MAIL, POSTFIX = "mail", "postfix"
DNS = "dns"
HOME, WEB = "home", "web"  # the front door; the router leads the bare domain there
KNOWN_BY_NAME = frozenset(
    {ROUTER, DIRECTORY, DNS, ACCOUNT, HOME, MAIL}
)  # others, or the tool itself, find them by their names
CA_VOLUME = "darkpeak-ca"  # the router's, with the collective's own CA

# The optional scripts about members: they end sessions, add or remove an ssh key, write what is stored of a member, and
# remove it.
MEMBER_GONE, MEMBER_KEY, EXPORT_MEMBER, FORGET_MEMBER = "member-gone", "member-key", "export-member", "forget-member"

# Variables that compose files may use; the tool gives each its value from collective.toml.
DOMAIN_VARIABLE = "DARKPEAK_DOMAIN"
HTTP_VARIABLE, HTTPS_VARIABLE, SSH_VARIABLE = "DARKPEAK_HTTP_PORT", "DARKPEAK_HTTPS_PORT", "DARKPEAK_SSH_PORT"

# Ports. services/router has the same numbers (tests/services checks that they are equal).
BLOCK_SIZE = 10
BLOCKS = range(6000, 7000, BLOCK_SIZE)  # the first is the router's own
PORTS = range(1, 65536)
HTTP_PORT, HTTPS_PORT, SSH_PORT = 7080, 7443, 7022  # the router's, unless [router] names others
LOOPBACK = "127.0.0.1"

# The guide's tunnel and its virtual machine.
TUNNEL_PORT = 4243
VAGRANT = "vagrant"

# The Debian release that images are built from.
SUITE = "trixie"
BASE_IMAGE = f"debian:{SUITE}"
LEFT_OUT = (
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/locale/*",
    "/usr/share/info/*",
)  # of the base image and the VM's image

# Labels that mark a container, image or volume of the engine as ours.
PROJECT_LABEL = "com.docker.compose.project"  # compose's own
CONTENT_LABEL, PARTS_LABEL = "darkpeak.content", "darkpeak.parts"
DOOR_LABEL = "darkpeak.door"
DATA_LABEL = "darkpeak.data"  # of the node of a swarm that has the volumes
DRILL_LABEL, COPY_LABEL = "darkpeak.drill", "darkpeak.copy"

HEALTHY_SECONDS = 180  # how long a container may take to become healthy
LEAST_ADMINS = 2
MIB, GIB = 1 << 20, 1 << 30

_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
LABEL = re.compile(_LABEL)  # one part of a host name
HTTPS_URL = re.compile(r"https://[^\s/]+(/\S*)?")
HOOK = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]*")  # the file name of a DNS hook
PRIVATE_KEY = "PRIVATE KEY"  # every private key in PEM contains this
HOST_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")


def block_of(port: int) -> int:
    """Return the block of ten ports that contains a port: 6012 is in 6010."""
    return port - port % BLOCK_SIZE


def ports_of(block: int) -> range:
    """Return the ports of a block."""
    return range(block, block + BLOCK_SIZE)


def subnet_of(block: int) -> str:
    """Return the subnet of a block: 6010 has 10.60.10.0/24."""
    return f"10.{block // 100}.{block % 100}.0/24"


# The Debian packages of programs that have another name.
PACKAGES = {"ssh": "openssh-client", "ssh-keygen": "openssh-client", "qemu-img": "qemu-utils"}

# What to do where the docker client or its compose plugin is missing or too old.
INSTALL_CLIENT = (
    "Debian 13: apt-get install docker-cli docker-compose; Ubuntu: apt-get install docker.io docker-compose-v2; "
    "Debian 12: bin/setup, in a clone of Darkpeak"
)
