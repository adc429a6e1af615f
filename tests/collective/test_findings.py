"""Wrong input: each broken collective, with exactly the finding that it must give."""

from collections.abc import Callable
from pathlib import Path

import pytest

from darkpeak import collective, lint
from tests.making import DIRECTORY, edit, without_notes, write_collective

WIKI = "services/wiki/docker-compose.yml"
OTHER = "services/directory/docker-compose.yml"
TOML = "collective.toml"
VARIANT = "services/wiki/docker-compose.vagrant.yml"


def findings(root: Path) -> list[str]:
    """Return every finding as one line."""
    found, unreadable = collective.read(root)
    return [f"{item.at} {item.rule}: {item.what}" for item in sorted({*unreadable, *without_notes(lint.check(found))})]


def test_a_sound_collective_has_no_findings(tmp_path: Path) -> None:
    """The collective that the cases below change has no findings itself."""
    assert findings(write_collective(tmp_path)) == []


GRACE = 'name = "Grace"\n'
SERVER = '[hosts.server]\ndocker = "ssh://ops@server"\n'
BOTH = 'services = ["wiki", "directory"]\n\n'

IDLE = "x-darkpeak: {about: The way in, admins: [ada, grace], kind: infrastructure, level: idea}\n"
ACME = '[certificates]\nacme = "https://ca.example/directory"\n'

# file, old text, new text, the finding
EDITS = {
    "toml that is no toml": (TOML, 'name = "Test"', "name = Test", f"{TOML}:1 toml: Invalid value"),
    "unknown key in collective.toml": (TOML, "\n[admins.ada]", 'colour = "red"\n\n[admins.ada]', f"{TOML}:3 unknown-key: unknown key colour"),
    "no name": (TOML, 'name = "Test"\n', "", f"{TOML}:1 missing-key: name is missing"),
    "no domain": (TOML, 'domain = "localhost"\n', "", f"{TOML}:1 missing-key: domain is missing"),
    "domain of a wrong type": (TOML, '"localhost"', "7", f"{TOML}:2 wrong-type: domain must be text in quotes"),
    "backup is no table": (TOML, "\n[admins.ada]", 'backup = "nas"\n\n[admins.ada]', f"{TOML}:3 wrong-type: backup must be a table"),
    "unknown key of backup": (TOML, "[admins.ada]", "[backup]\nwhere = 1\n\n[admins.ada]", f"{TOML}:5 unknown-key: unknown key where"),
    "a folder as repository": (TOML, "[admins.ada]", '[backup]\nrepositories = ["/srv"]\n\n[admins.ada]', f"{TOML}:5 repository: /srv is a folder, which is on one machine only"),
    "one repository, no list": (TOML, "[admins.ada]", '[backup]\nrepositories = "volume:a"\n\n[admins.ada]', f"{TOML}:5 wrong-type: repositories must be a list of texts in quotes"),
    "keep for ever": (TOML, "[admins.ada]", "[backup]\nkeep = {yearly = 1}\n\n[admins.ada]", f"{TOML}:5 unknown-key: unknown key yearly"),
    "keep by a word": (TOML, "[admins.ada]", '[backup]\nkeep = {daily = "7"}\n\n[admins.ada]', f"{TOML}:5 wrong-type: daily must be a number"),
    "unknown key in an inline table": (TOML, "[admins.ada]\n", '[admins]\neve = {phone = "1"}\n\n[admins.ada]\n', f"{TOML}:5 unknown-key: unknown key phone"),
    "router is no table": (TOML, "\n[admins.ada]", "router = 80\n\n[admins.ada]", f"{TOML}:3 wrong-type: router must be a table"),
    "unknown key of router": (TOML, "[admins.ada]", "[router]\nhttp = 80\nhttp3 = 443\n\n[admins.ada]", f"{TOML}:6 unknown-key: unknown key http3"),
    "router's port as text": (TOML, "[admins.ada]", '[router]\nhttp = "80"\n\n[admins.ada]', f"{TOML}:5 wrong-type: http must be a number"),
    "router's port is true": (TOML, "[admins.ada]", "[router]\nhttp = true\n\n[admins.ada]", f"{TOML}:5 wrong-type: http must be a number"),
    "redirect is a word": (TOML, "[admins.ada]", '[router]\nredirect = "yes"\n\n[admins.ada]', f"{TOML}:5 wrong-type: redirect must be true or false"),
    "redirect is a number": (TOML, "[admins.ada]", "[router]\nredirect = 1\n\n[admins.ada]", f"{TOML}:5 wrong-type: redirect must be true or false"),
    "router's port is none": (TOML, "[admins.ada]", "[router]\nhttps = 65536\n\n[admins.ada]", f"{TOML}:5 router-port: 65536 is not a port"),
    "router's port in a block": (TOML, "[admins.ada]", "[router]\nssh = 6022\n\n[admins.ada]", f"{TOML}:5 router-port: port 6022 belongs to the services' blocks"),
    "one port for http and https": (TOML, "[admins.ada]", "[router]\nhttp = 443\nhttps = 443\n\n[admins.ada]", f"{TOML}:4 port-twice: http, https and ssh need different ports"),
    "router's ssh port is https' default": (TOML, "[admins.ada]", "[router]\nssh = 7443\n\n[admins.ada]", f"{TOML}:4 port-twice: http, https and ssh need different ports"),
    "domain in capitals": (TOML, '"localhost"', '"Dark.Test"', f"{TOML}:2 domain: 'Dark.Test' is not a domain"),
    ".dev": (TOML, '"localhost"', '"peak.dev"', f"{TOML}:2 domain: the domain cannot end in .dev"),
    ".local": (TOML, '"localhost"', '"peak.local"', f"{TOML}:2 domain: the domain cannot end in .local"),
    "unknown key of an admin": (TOML, 'name = "Grace"', 'phone = "1"', f"{TOML}:8 unknown-key: unknown key phone"),
    "yaml that is no yaml": (WIKI, "  block: 6010", "  block: [6010", f"{WIKI}:5 yaml: did not find expected ',' or ']'"),
    "one key twice": (WIKI, "  kind: user", "  kind: user\n  kind: co-op", f"{WIKI}:9 yaml: duplicate key 'kind'"),
    "a key that is a number": (WIKI, "http: 6010", "tcp: {5222: 6010}", f"{WIKI}:6 yaml: the key 5222 must be in quotes; otherwise compose refuses the file"),
    "no x-darkpeak": (WIKI, "x-darkpeak:", "x-dark:", f"{WIKI}:1 no-x-darkpeak: there is no x-darkpeak mapping"),
    "x-darkpeak is a word": (WIKI, "", "x-darkpeak: yes\n", f"{WIKI}:1 no-x-darkpeak: there is no x-darkpeak mapping"),
    "the file is a list": (WIKI, "", "- wiki\n", f"{WIKI}:1 yaml: the file is not a mapping"),
    "unknown key": (WIKI, "  kind: user", "  kind: user\n  colour: red", f"{WIKI}:9 unknown-key: unknown key colour in x-darkpeak"),
    "unknown kind of route": (WIKI, "    http: 6010", "    http: 6010\n    gopher: 6010", f"{WIKI}:7 unknown-key: unknown key gopher in routes"),
    "plain ssh to another's port": (WIKI, "    http: 6010", "    plain-ssh: 6020", f"{WIKI}:5 route-outside-block: the plain-ssh route's port 6020 is outside the block"),
    "proxy for http": (WIKI, "    http: 6010", "    http: 6010\n    proxy: [6010]", f"{WIKI}:7 proxy-without-route: no tcp or tls route leads to port 6010, which is in proxy"),
    "proxy is no list": (WIKI, "    http: 6010", "    tls: 6010\n    proxy: 6010", f"{WIKI}:7 wrong-type: proxy must be a list"),
    "a tls name with a space": (WIKI, "    http: 6010", "    tls: {a b: 6010}", f"{WIKI}:6 label: 'a b' cannot be part of a host name"),
    "an unknown limit": (WIKI, "  kind: user", "  kind: user\n  limits: {speed: 9}", f"{WIKI}:9 unknown-key: unknown key speed in limits"),
    "a limit that is no number": (WIKI, "  kind: user", "  kind: user\n  limits: {rate: fast}", f"{WIKI}:9 wrong-type: rate must be a number"),
    "an idle time without a unit": (WIKI, "  kind: user", "  kind: user\n  limits: {idle: 90}", f"{WIKI}:9 wrong-type: idle must be a number with a unit, and not '90'"),
    "an idle time in another form": (WIKI, "  kind: user", "  kind: user\n  limits: {idle: 1h30m}", f"{WIKI}:9 wrong-type: idle must be a number with a unit, and not '1h30m'"),
    "an idle time of nothing": (WIKI, "  kind: user", "  kind: user\n  limits: {idle: 0s}", f"{WIKI}:9 limit-size: idle 0s is not possible"),
    "an idle time of years": (WIKI, "  kind: user", "  kind: user\n  limits: {idle: 9999h}", f"{WIKI}:9 limit-size: idle 9999h is not possible"),
    "a body in another unit": (WIKI, "  kind: user", "  kind: user\n  limits: {body: 2GB}", f"{WIKI}:9 wrong-type: body must be a number with a unit, and not '2GB'"),
    "a body below nothing": (WIKI, "  kind: user", "  kind: user\n  limits: {body: -1M}", f"{WIKI}:9 wrong-type: body must be a number with a unit, and not '-1M'"),
    "a body of half a unit": (WIKI, "  kind: user", "  kind: user\n  limits: {body: 1.5G}", f"{WIKI}:9 wrong-type: body must be a number with a unit, and not '1.5G'"),
    "a list of bodies": (WIKI, "  kind: user", "  kind: user\n  limits: {body: [1G]}", f"{WIKI}:9 wrong-type: body must be a number with a unit, and not ''"),
    "no about": (WIKI, "  about: The members' wiki\n", "", f"{WIKI}:2 missing-key: about is missing"),
    "about is a list": (WIKI, "about: The members' wiki", "about: [wiki]", f"{WIKI}:3 wrong-type: about must be text"),
    "unknown upgrade": (WIKI, "  kind: user", "  kind: user\n  upgrade: nightly", f"{WIKI}:9 unknown-upgrade: invalid upgrade 'nightly'"),
    "upgrade is yes": (WIKI, "  kind: user", "  kind: user\n  upgrade: true", f"{WIKI}:9 unknown-upgrade: invalid upgrade 'true'"),
    "unknown kind": (WIKI, "kind: user", "kind: users", f"{WIKI}:8 unknown-kind: invalid kind 'users'"),
    "no kind": (WIKI, "  kind: user\n", "", f"{WIKI}:2 missing-key: kind is missing"),
    "no kind, in one line": (OTHER, DIRECTORY, DIRECTORY.replace("x-darkpeak:\n  about: The members\n  block: 6020\n  admins: [ada, grace]\n  kind: infrastructure\n  level: alpha\n", "\nx-darkpeak: {about: The members, block: 6020, admins: [ada, grace], level: alpha}\n"), f"{OTHER}:3 missing-key: kind is missing"),
    "no kind, below a comment": (OTHER, "x-darkpeak:\n  about: The members\n  block: 6020\n  admins: [ada, grace]\n  kind: infrastructure\n", "x-darkpeak:\n  # what it is\n  # and for whom\n  about: The members\n  block: 6020\n  admins: [ada, grace]\n", f"{OTHER}:2 missing-key: kind is missing"),
    "unknown level": (WIKI, "level: alpha", "level: gold", f"{WIKI}:9 unknown-level: invalid level 'gold'"),
    "missing admin": (WIKI, "[ada, grace]", "[ada]", f"{WIKI}:7 missing-admin: one admin is missing"),
    "no admins": (WIKI, "  admins: [ada, grace]\n", "", f"{WIKI}:2 missing-admin: two admins are missing"),
    "unknown admin": (WIKI, "[ada, grace]", "[ada, grace, eve]", f"{WIKI}:7 unknown-admin: unknown admin 'eve'"),
    "one block, not of ten": (WIKI, "block: 6010", "block: 6013", f"{WIKI}:4 block-number: block 6013 is not a multiple of ten"),
    "block beyond the last": (OTHER, "block: 6020", "block: 7020", f"{OTHER}:4 block-number: there is no such block"),
    "block is a word": (OTHER, "block: 6020", "block: six", f"{OTHER}:4 wrong-type: block must be a number"),
    "no block": (OTHER, "  block: 6020\n", "", f"{OTHER}:2 missing-key: block is missing"),
    "port on all addresses": (WIKI, "127.0.0.1:6010-", "6010-", f"{WIKI}:13 not-on-loopback: port 6010 is open to the network"),
    "port on another address": (WIKI, "127.0.0.1:6010-", "0.0.0.0:6010-", f"{WIKI}:13 not-on-loopback: port 6010 is open to the network"),
    "port outside its block": (OTHER, "6020:389", "6030:389", f"{OTHER}:11 outside-block: port 6030 is outside the block 6020"),
    "range that leaves its block": (OTHER, "6020:389", "6029-6030:389", f"{OTHER}:11 outside-block: port 6030 is outside the block 6020"),
    "port that nobody can read": (OTHER, "6020:389", "${PORT}:389", f"{OTHER}:11 port-form: cannot read the port 127.0.0.1:${{PORT}}:389|{OTHER}:11 from-shell: PORT is from the shell of whoever runs compose"),
    "one port twice": (OTHER, '"127.0.0.1:6020:389"', '"127.0.0.1:6020:389", "127.0.0.1:6020:80"', f"{OTHER}:11 port-twice: port 6020 is published twice"),
    "port the container does not expose": (OTHER, "6020:389", "6020:390", f"{OTHER}:11 not-exposed: the container slapd does not expose the port 390"),
    "route to a port nobody publishes": (WIKI, "http: 6010", "http: 6015", f"{WIKI}:6 no-such-port: no container publishes TCP port 6015 of the http route"),
    "route to a UDP port": (WIKI, "6010-6011:80", "6010:80/udp", f"{WIKI}:6 no-such-port: no container publishes TCP port 6010 of the http route"),
    "port on the other loopback": (OTHER, "127.0.0.1:6020", "[::1]:6020", f"{OTHER}:11 not-on-loopback: port 6020 is open on ::1, where the router does not ask"),
    "one anchor twice": (WIKI, "[ada, grace]", "[&a ada, &a grace]", f"{WIKI}:7 yaml: the anchor &a is there twice"),
    "route to one of three ports": (WIKI, "6010-6011:80", "6010-6012:80", f"{WIKI}:13 more-than-a-pair: a route leads to the 3 ports 6010-6012, but at most two work"),
    "route outside the block": (WIKI, "http: 6010", "http: 6020", f"{WIKI}:6 route-outside-block: the http route's port 6020 is outside the block"),
    "route that is a word": (WIKI, "http: 6010", "http: wiki", f"{WIKI}:6 wrong-type: an http route must be a number"),
    "label no host name has": (WIKI, "http: 6010", "http: {Wiki_1: 6010}", f"{WIKI}:6 label: 'Wiki_1' cannot be part of a host name"),
    "tcp route without its public port": (WIKI, "http: 6010", "tcp: 6010", f"{WIKI}:6 wrong-type: tcp must be a mapping"),
    "public port of the router": (WIKI, "http: 6010", "tcp: {'7443': 6010}", f"{WIKI}:6 public-port: the public port 7443 of a tcp route is one of the router's own ports"),
    "mistyped instruction": ("services/wiki/webserver/Dockerfile", "EXPOSE", "EXPOES", "services/wiki/webserver/Dockerfile:2 dockerfile: unknown instruction EXPOES"),
    "no FROM": ("services/wiki/webserver/Dockerfile", "FROM debian:trixie\n", "", "services/wiki/webserver/Dockerfile:1 dockerfile: the first instruction is EXPOSE, not FROM"),
    "subnet of another block": (WIKI, "10.60.10.0/24", "10.60.11.0/24", f"{WIKI}:18 subnet: subnet 10.60.11.0/24 does not belong to block 6010"),
    "network that nobody defines": (WIKI, "name: darkpeak-directory,", "name: darkpeak-mail,", f"{WIKI}:19 undefined-external: no service defines darkpeak-mail"),
    "mount of a host's folder": (WIKI, "data:/var", "/srv/data:/var", f"{WIKI}:14 host-path: webserver mounts /srv/data of the host"),
    "mount of a folder beside the file": (WIKI, "data:/var", "./data:/var", f"{WIKI}:14 host-path: webserver mounts ./data of the host"),
    "volume that nobody defines": (WIKI, "data:/var", "pages:/var", f"{WIKI}:14 undefined-volume: there is no volume pages"),
    "container that is not built": (OTHER, "build: slapd", "image: debian", f"{OTHER}:9 not-built: slapd is not built from a folder|{OTHER}:9 no-healthcheck: slapd has no health check"),
    "certificate of no container": (WIKI, "  kind: user", "  kind: user\n  certificate: prosody", f"{WIKI}:9 no-such-container: there is no container 'prosody' for the certificate"),
    "login by another way": (WIKI, "  kind: user", "  kind: user\n  login: saml", f"{WIKI}:9 wrong-type: login must be oidc, members, optional, or a list of groups"),
    "login by two ways": (WIKI, "  kind: user", "  kind: user\n  login: {oidc: /back, saml: /back}", f"{WIKI}:9 wrong-type: login must be oidc, members, optional, or a list of groups"),
    "login that leads elsewhere": (WIKI, "  kind: user", "  kind: user\n  login: {oidc: [/back, 'https://evil.example/']}", f"{WIKI}:9 wrong-type: 'https://evil.example/' is not a path to which members come back"),
    "login that leads nowhere": (WIKI, "  kind: user", "  kind: user\n  login: {oidc: }", f"{WIKI}:9 wrong-type: '' is not a path to which members come back"),
    "shown to others": (WIKI, "  kind: user", "  kind: user\n  shown: cooks", f"{WIKI}:9 shown-to-nobody: no page shows this service|{WIKI}:9 unknown-shown: invalid shown 'cooks'"),
    "shown on no page": (WIKI, "  kind: user", "  kind: user\n  shown: members", f"{WIKI}:9 shown-to-nobody: no page shows this service"),
    "login of no group": (WIKI, "  kind: user", "  kind: user\n  login: []", f"{WIKI}:9 wrong-type: login names no group of members: None"),
    "login of a group that cannot be": (WIKI, "  kind: user", "  kind: user\n  login: [cooks, 'a b']", f"{WIKI}:9 wrong-type: login names no group of members: 'a b'"),
    "members without a login page": (WIKI, "  kind: user", "  kind: user\n  login: members", f"{WIKI}:9 no-login-page: this collective has no login page"),
    "login without a login page": (WIKI, "  kind: user", "  kind: user\n  login: oidc", f"{WIKI}:9 login-volume: no container has the volume login, into which the secret is written|{WIKI}:9 no-login-page: this collective has no login page"),
    "login of the directory": (OTHER, "  kind: inf", "  login: oidc\n  kind: inf", f"{OTHER}:6 login-route: members cannot come back: there is no http route|{OTHER}:6 login-volume: no container has the volume login, into which the secret is written|{OTHER}:6 no-login-page: this collective has no login page"),
    "hosts that are no table": (TOML, "\n[admins.ada]", 'hosts = "server"\n\n[admins.ada]', f"{TOML}:3 wrong-type: hosts must be a table"),
    "host that is no table": (TOML, GRACE, GRACE + "[hosts]\nserver = 1", f"{TOML}:10 wrong-type: host server is not a table"),
    "host without a daemon": (TOML, GRACE, GRACE + "[hosts.server]", f"{TOML}:9 missing-key: docker is missing"),
    "unknown key of a host": (TOML, GRACE, GRACE + SERVER + "port = 22", f"{TOML}:11 unknown-key: unknown key port"),
    "URI that is a number": (TOML, GRACE, GRACE + "[hosts.server]\ndocker = 22", f"{TOML}:10 wrong-type: docker must be text in quotes"),
    "URI that nobody can read": (TOML, GRACE, GRACE + SERVER.replace("ssh://", ""), f"{TOML}:10 uri: 'ops@server' is not a valid Docker URI"),
    "host that no file could be named for": (TOML, GRACE, GRACE + SERVER.replace("hosts.server", "hosts.The_Server"), f"{TOML}:9 host-name: 'The_Server' cannot be a host's name"),
    "placed services that are no list": (TOML, GRACE, GRACE + SERVER + 'services = "wiki"', f"{TOML}:11 wrong-type: services must be a list of names"),
    "place of an unknown service": (TOML, GRACE, GRACE + SERVER + 'services = ["mail"]', f"{TOML}:11 unknown-service: there is no service mail"),
    "place of the router": (TOML, GRACE, GRACE + SERVER + 'services = ["router"]', f"{TOML}:11 placed-router: the router is assigned to a host"),
    "service in two places": (TOML, GRACE, GRACE + SERVER + BOTH + SERVER.replace("server", "other") + 'services = ["wiki"]', f"{TOML}:15 placed-twice: wiki is assigned to two hosts: server and other"),
    "service apart from what it relies on": (TOML, GRACE, GRACE + SERVER + 'services = ["wiki"]', f"{TOML}:11 placed-apart: wiki depends on directory, which is assigned to the default daemon"),
    "service left behind by what it relies on": (TOML, GRACE, GRACE + SERVER + 'services = ["directory"]', f"{TOML}:11 placed-apart: wiki depends on directory, which is assigned to server"),
    "certificates that are no table": (TOML, "\n[admins.ada]", 'certificates = "acme"\n\n[admins.ada]', f"{TOML}:3 wrong-type: certificates must be a table"),
    "certificates of nobody": (TOML, GRACE, GRACE + "[certificates]", f"{TOML}:9 missing-key: acme is missing"),
    "a CA without TLS": (TOML, GRACE, GRACE + ACME.replace("https", "http"), f"{TOML}:10 acme: 'http://ca.example/directory' is not an https address"),
    "a CA that is a number": (TOML, GRACE, GRACE + "[certificates]\nacme = 1", f"{TOML}:10 wrong-type: acme must be text in quotes"),
    "a public CA for localhost": (TOML, GRACE, GRACE + ACME, f"{TOML}:10 acme-domain: no public CA issues certificates for localhost"),
    "a public CA for a name of nobody's": (TOML, '"localhost"\n\n', f'"peak.test"\n\n{ACME}\n', f"{TOML}:5 acme-domain: no public CA issues certificates for peak.test"),
    "unknown key of certificates": (TOML, '"localhost"\n\n', f'"peak.coop"\n\n{ACME}key = 1\n', f"{TOML}:6 unknown-key: unknown key key"),
    "a contact that is no address": (TOML, '"localhost"\n\n', f'"peak.coop"\n\n{ACME}contact = "ada"\n', f"{TOML}:6 contact: 'ada' is not a mail address"),
    "a hook that is not there": (TOML, '"localhost"\n\n', f'"peak.coop"\n\n{ACME}dns = "njalla"\n', f"{TOML}:6 no-such-hook: there is no services/router/certificates/hooks/njalla"),
    "a hook elsewhere": (TOML, '"localhost"\n\n', f'"peak.coop"\n\n{ACME}dns = "../renew"\n', f"{TOML}:6 no-such-hook: there is no services/router/certificates/hooks/../renew"),
    "a root that is not there": (TOML, GRACE, GRACE + ACME + 'trust = "root.pem"', f"{TOML}:11 trust: root.pem contains no certificate"),
    "a root that is no certificate": (TOML, GRACE, GRACE + ACME + 'trust = "collective.toml"', f"{TOML}:11 trust: collective.toml contains no certificate"),
    "no restart policy": (WIKI, "    restart: unless-stopped\n", "", f"{WIKI}:11 no-restart: webserver has no restart policy, so it stays down after a reboot or a crash"),
    "no restart policy of another, in one line": (OTHER, "    restart: unless-stopped\n", "    init: true\n", f"{OTHER}:9 no-restart: slapd has no restart policy, so it stays down after a reboot or a crash"),
    "a health check that is turned off": (WIKI, "    restart: unless", "    healthcheck: {disable: true}\n    restart: unless", f"{WIKI}:11 no-healthcheck: webserver has no health check"),
    "a health check of NONE": (WIKI, "    restart: unless", "    healthcheck: {test: [NONE]}\n    restart: unless", f"{WIKI}:11 no-healthcheck: webserver has no health check"),
    "no health check": ("services/wiki/webserver/Dockerfile", "HEALTHCHECK", "#", f"{WIKI}:11 no-healthcheck: webserver has no health check"),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "expected"), EDITS.values(), ids=EDITS)
def test_one_edit_gives_one_finding(tmp_path: Path, file: str, old: str, new: str, expected: str) -> None:
    """The fault is found, with its line, and there is no other finding."""
    edit(write_collective(tmp_path), file, old, new)
    found = [line for line in findings(tmp_path) if not _follows_from_unreadable(line, expected)]
    assert sorted(found) == sorted(expected.split("|"))


def _follows_from_unreadable(line: str, expected: str) -> bool:
    """Without a readable collective.toml, every admin of every service is unknown too."""
    return expected.startswith(f"{TOML}:1 toml:") and "unknown-admin" in line


def remove(name: str) -> Callable[[Path], None]:
    """Return a function that removes a file."""
    return lambda root: (root / name).unlink()


def make_circle(root: Path) -> None:
    edit(root, OTHER, "networks:\n  directory:", "networks:\n  pages: {name: pages, external: true}\n  directory:")
    edit(root, WIKI, "networks:\n  default:", "networks:\n  pages: {name: pages}\n  default:")


def move_directory(root: Path) -> None:
    edit(root, OTHER, "block: 6020", "block: 6010")
    edit(root, OTHER, "127.0.0.1:6020", "127.0.0.1:6012")
    edit(root, OTHER, "10.60.20.0", "10.60.10.0")


def open_one_port_twice(root: Path) -> None:
    edit(root, OTHER, "  kind: infra", "  routes: {tcp: {'389': 6020}}\n  kind: infra")
    edit(root, WIKI, "http: 6010", "tcp: {'389': 6010}")


def copy_directory(old: str, new: str) -> Callable[[Path], None]:
    """Return a function that gives the directory something that already belongs to the wiki."""
    return lambda root: edit(root, OTHER, old, new)


def certify(root: Path, **settings: str) -> None:
    """Write [certificates] into collective.toml."""
    lines = [f'{key} = "{value}"\n' for key, value in settings.items()]
    edit(root, TOML, '"localhost"\n\n', f'"peak.coop"\n\n{ACME}{"".join(lines)}\n')


def hook_that_cannot_run(root: Path) -> None:
    hooks = root / "services/router/certificates/hooks"
    hooks.mkdir(parents=True)
    (root / "services/router/docker-compose.yml").write_text(IDLE)
    (hooks / "nsupdate").write_text("#!/bin/sh\n")
    certify(root, dns="nsupdate")


def trust_a_key(root: Path) -> None:
    (root / "root.pem").write_text("-----BEGIN CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\n")
    certify(root, trust="root.pem")


CHANGES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "no compose file": (
        remove(OTHER),
        [
            f"{OTHER}:1 no-compose-file: the service has no compose file",
            f"{WIKI}:19 undefined-external: no service defines darkpeak-directory",
        ],
    ),
    "no README": (remove("services/wiki/README.md"), [f"{WIKI}:2 missing-file: README.md is missing"]),
    "no script": (remove("services/wiki/scripts/backup"), [f"{WIKI}:2 missing-file: scripts/backup is missing"]),
    "no Dockerfile": (
        remove("services/directory/slapd/Dockerfile"),
        [
            f"{OTHER}:9 no-dockerfile: there is no slapd/Dockerfile",
            f"{OTHER}:9 no-healthcheck: slapd has no health check",
        ],
    ),
    "a script that cannot be run": (
        lambda root: (root / "services/wiki/scripts/restore").chmod(0o644),
        ["services/wiki/scripts/restore:1 not-executable: scripts/restore is not executable"],
    ),
    "one block for two services": (
        move_directory,
        [f"{WIKI}:4 block-taken: block 6010 already belongs to directory"],
    ),
    "one label for two services": (
        copy_directory("  kind: infra", "  routes: {http: {wiki: 6020}}\n  kind: infra"),
        [f"{WIKI}:6 label-taken: the label wiki already belongs to directory"],
    ),
    "one project name for two services": (
        copy_directory("name: darkpeak-directory\nx-", "name: darkpeak-wiki\nx-"),
        [f"{WIKI}:2 project-taken: the project name darkpeak-wiki already belongs to directory"],
    ),
    "one public port for two services": (
        open_one_port_twice,
        [f"{WIKI}:6 public-port-taken: the public port 389 already belongs to directory"],
    ),
    "a host's compose file that is no YAML": (
        lambda root: (root / VARIANT).write_text("services: [\n"),
        [f"{VARIANT}:2 yaml: did not find expected node content"],
    ),
    "a host's compose file with a container of its own": (
        lambda root: (root / VARIANT).write_text("services:\n  webserver: {}\n  mail: {}\n"),
        [f"{VARIANT}:3 no-such-container: wiki has no container mail"],
    ),
    "a hook that cannot be run": (
        hook_that_cannot_run,
        [f"{TOML}:6 no-such-hook: services/router/certificates/hooks/nsupdate is not executable"],
    ),
    "a root with its key": (trust_a_key, [f"{TOML}:6 trust: root.pem contains a private key"]),
    "services that rely on each other": (make_circle, [f"{OTHER}:2 circle: directory and wiki depend on each other"]),
    "a level, and nothing to run": (
        lambda root: (root / WIKI).write_text((root / WIKI).read_text().partition("services:")[0]),
        [f"{WIKI}:9 no-containers: the level is alpha, but there are no containers"],
    ),
    "a name that no host can have": (
        lambda root: (root / "services/wiki").rename(root / "services/Wiki_1"),
        [
            "services/Wiki_1/docker-compose.yml:2 service-name: 'Wiki_1' cannot be a service's name",
            "services/Wiki_1/docker-compose.yml:6 label: 'Wiki_1' cannot be part of a host name",
        ],
    ),
}


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES)
def test_one_change_gives_its_findings(tmp_path: Path, change: Callable[[Path], object], expected: list[str]) -> None:
    """Faults that need more than one edit, or another change than one of a file's text."""
    change(write_collective(tmp_path))
    assert findings(tmp_path) == expected


def test_tcp_and_udp_may_have_one_number(tmp_path: Path) -> None:
    """A DNS server needs both."""
    both = '"127.0.0.1:6020:389/udp", "127.0.0.1:6020:389/tcp"'
    edit(write_collective(tmp_path), OTHER, '"127.0.0.1:6020:389"', both)
    assert findings(tmp_path) == []


def test_an_idea_needs_neither_block_nor_second_admin(tmp_path: Path) -> None:
    """An idea is on the roadmap before it has containers."""
    write_collective(tmp_path)
    (tmp_path / "services/mail").mkdir()
    idea = "x-darkpeak: {about: Mail, admins: [ada], kind: co-op, level: idea}\n"
    (tmp_path / "services/mail/docker-compose.yml").write_text(idea)
    assert findings(tmp_path) == []


def test_no_services_is_a_finding(tmp_path: Path) -> None:
    """The finding of an empty collective says what to make first."""
    (tmp_path / "collective.toml").write_text('name = "T"\ndomain = "localhost"\n')
    assert findings(tmp_path) == ["services:1 no-services: there is no service"]


def test_every_finding_has_a_hint(tmp_path: Path) -> None:
    """Without a hint, a finding does not help."""
    write_collective(tmp_path)
    (tmp_path / OTHER).write_text(DIRECTORY.replace("6020:", "6030:").replace("ada, grace", "ada, eve, eve"))
    found, unreadable = collective.read(tmp_path)
    every = [*unreadable, *without_notes(lint.check(found))]
    assert len(every) > 2
    assert all(finding.hint for finding in every)
