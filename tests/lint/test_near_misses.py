"""For every rule, the nearest form that is allowed: it has no finding. tests/lint/test_every_rule.py has what breaks it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from darkpeak import collective, lint
from darkpeak.collective.environment import stale
from darkpeak.lint import RULES
from darkpeak.lint.limits import LINES
from tests.lint import test_every_rule
from tests.making import DIRECTORY, edit, write_collective, write_service

TOML = "collective.toml"
WIKI = "services/wiki/docker-compose.yml"
OTHER = "services/directory/docker-compose.yml"
BUILD = "services/wiki/webserver/Dockerfile"
BACKUP = "services/wiki/scripts/backup"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILQfJ7OJlm8472sy9qFty58x+3dbGjMbJVkFZM0ksv9J ada"
ADMINS = "[admins.ada]"
RESTART = "    restart: unless-stopped\n"
ACME = '[certificates]\nacme = "https://ca.example/directory"\n'
SERVER = '[hosts.server-2]\ndocker = "ssh://ops@server.example:2222"\n'
IDEA = "x-darkpeak: {about: Mail, admins: [ada], kind: co-op, level: idea}\n"

Change = Callable[[Path], object]


def findings(root: Path) -> list[str]:
    """Return all findings, with those about .env; the small collective has no limits, which lint notes."""
    found, unreadable = collective.read(root)
    every = {*unreadable, *lint.check(found), *stale(found)}
    return [f"{item.at} {item.rule}: {item.what}" for item in sorted(every) if item.rule not in LINES]


def change(*edits: tuple[str, str, str]) -> Change:
    """Return a function that edits files: each with its old text and its new one."""

    def edit_all(root: Path) -> None:
        for file, old, new in edits:
            edit(root, file, old, new)

    return edit_all


def toml(text: str) -> Change:
    """Return a function that adds lines to collective.toml."""
    return change((TOML, ADMINS, f"{text}\n{ADMINS}"))


def certified(*lines: str) -> Change:
    """Return a function that adds [certificates] for a domain that a public CA knows."""
    return change((TOML, '"localhost"\n', '"peak.coop"\n'), (TOML, ADMINS, "\n".join([ACME, *lines, "", ADMINS])))


def own(line: str) -> Change:
    """Return a function that adds a line to the wiki's container."""
    return change((WIKI, RESTART, f"    {line}\n{RESTART}"))


def file(name: str, text: str, mode: int = 0o644) -> Change:
    """Return a function that writes a file."""

    def write(root: Path) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(text.encode())
        path.chmod(mode)

    return write


def both(*changes: Change) -> Change:
    return lambda root: [one(root) for one in changes]


def rename(name: str) -> Change:
    return lambda root: (root / "services/wiki").rename(root / "services" / name)


def linked(root: Path) -> None:
    """Let a script be a link to another one."""
    (root / BACKUP).rename(root / f"{BACKUP}.sh")
    (root / BACKUP).symlink_to("backup.sh")


def to_block(block: int) -> Change:
    """Return a function that moves the directory to another block."""
    subnet = f"10.{60 + (block - 6000) // 100}.{(block - 6000) % 100}.0"
    return change(
        (OTHER, "block: 6020", f"block: {block}"), (OTHER, ":6020:", f":{block}:"), (OTHER, "10.60.20.0", subnet)
    )


NEAR: dict[str, Change] = {
    "toml": change((TOML, 'name = "Test"', "name = 'Test' # [a comment")),
    "yaml": change((WIKI, "block: 6010", "block: 6010 # [the first")),
    "no-compose-file": both(file("services/README.md", "x"), file("services/.old/x", "x")),
    "no-services": lambda root: shutil.rmtree(root / "services/wiki"),
    "no-x-darkpeak": change((WIKI, "x-darkpeak:", "x-darkpeak: &own")),
    "missing-key": file("services/mail/docker-compose.yml", IDEA),
    "unknown-key": change((WIKI, "services:", "x-own: 1\nservices:")),
    "wrong-type": change((WIKI, "block: 6010", 'block: "6010"')),
    "unknown-kind": change((WIKI, "kind: user", "kind: co-op")),
    "unknown-shown": change((WIKI, "  kind: user", "  kind: user\n  shown: everybody")),
    "unknown-upgrade": change((WIKI, "  kind: user", "  kind: user\n  upgrade: auto")),
    "unknown-level": change((WIKI, "level: alpha", 'level: "alpha"')),
    "limit-size": change((WIKI, "  kind: user", "  kind: user\n  limits: {rate: 1, idle: 168h, body: 1K}")),
    "port-form": change((WIKI, "6010-6011:80", "6010-6011:80/tcp")),
    "build-files": both(file("services/wiki/webserver/pipe", ""), lambda root: (root / "services/wiki/webserver/x").symlink_to("pipe")),
    "named-file": both(own("env_file: [./named.env]"), file("services/wiki/named.env", "A=1\n")),
    "compose": own("x-own: {privileged: true}"),
    "env": file("services/wiki/.env", 'DARKPEAK_DOMAIN="localhost" # ours\n'),
    "host-name": toml(SERVER),
    "uri": toml('[hosts.server]\ndocker = "tcp://192.0.2.1:2376"\n'),
    "repository": toml('[backup]\nrepositories = ["sftp:backup@nas.example:/darkpeak"]\n'),
    "router-port": toml("[router]\nhttp = 80\nhttps = 443\nssh = 5999\n"),
    "acme": certified(),
    "acme-domain": change((TOML, '"localhost"\n', f'"peak.test.coop"\n\n{ACME}\n')),
    "contact": certified('contact = "ada@peak.coop"'),
    "no-such-hook": both(certified('dns = "nsupdate"'), file("services/router/certificates/hooks/nsupdate", "#!/bin/sh\n", 0o755), file("services/router/docker-compose.yml", IDEA)),
    "trust": both(certified('trust = "root.pem"'), file("root.pem", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")),
    "domain": change((TOML, '"localhost"', '"dev.local-1.test"')),
    "unknown-admin": change((WIKI, "[ada, grace]", '["ada", \'grace\']')),
    "admin-twice": both(toml("[admins.adam]\n"), change((WIKI, "[ada, grace]", "[ada, adam]"))),
    "missing-admin": change((WIKI, "[ada, grace]", "[grace, ada]")),
    "ssh-key": toml(f'[admins.adam]\nssh = ["{KEY}"]\n'),
    "unknown-service": toml(f'{SERVER}services = ["wiki", "directory"]\n'),
    "placed-router": toml(f"{SERVER}services = []\n"),
    "placed-twice": toml(f'{SERVER}services = ["wiki", "directory"]\n[hosts.other]\ndocker = "ssh://x"\nservices = []\n'),
    "placed-apart": toml(f'{SERVER}services = ["directory", "wiki"]\n'),
    "block-number": to_block(6990),
    "block-taken": to_block(6000),
    "project-taken": change((OTHER, "name: darkpeak-directory\nx", "name: darkpeak-wiki2\nx")),
    "project-name": change((OTHER, "name: darkpeak-directory\nx", "name: darkpeak-ldap\nx")),
    "not-on-loopback": change((WIKI, '["127.0.0.1:6010-6011:80"]', '[{target: 80, published: "6010-6011", host_ip: 127.0.0.1}]')),
    "outside-block": change((OTHER, ":6020:389", ":6029:389")),
    "port-twice": change((OTHER, '"127.0.0.1:6020:389"', '"127.0.0.1:6020:389/udp", "127.0.0.1:6020:389"')),
    "subnet": change((WIKI, "10.60.10.0/24", "10.60.10.0/24, gateway: 10.60.10.9")),
    "label": change((WIKI, "http: 6010", "http: {wiki-1: 6010}")),
    "label-taken": change((OTHER, "  kind: infra", "  routes: {http: {wiki2: 6020}}\n  kind: infra")),
    "route-outside-block": both(change((WIKI, "http: 6010", "http: 6019")), change((WIKI, "6010-6011", "6018-6019"))),
    "no-such-port": change((WIKI, "http: 6010", "http: 6011")),
    "more-than-a-pair": change((OTHER, "6020:389", "6020-6022:389")),
    "public-port": change((WIKI, "http: 6010", "tcp: {'7444': 6010}")),
    "public-port-taken": change((WIKI, "http: 6010", "tcp: {'389': 6010}"), (OTHER, "  kind: infra", "  routes: {tcp: {'390': 6020}}\n  kind: infra")),
    "plain-ssh-taken": change((WIKI, "http: 6010", "plain-ssh: 6010"), (OTHER, "  kind: infra", "  routes: {ssh: 6020}\n  kind: infra")),
    "proxy-without-route": change((WIKI, "http: 6010", "tls: {mail: 6010}\n    proxy: [6010]")),
    "ssh-name": both(change((WIKI, "http: 6010", "ssh: 6010")), rename("jumps")),
    "defined-twice": change((WIKI, "  data: {}", "  data: {}\n  a: {name: shared, external: true}"), (OTHER, "networks:\n  dir", "volumes:\n  b: {name: shared}\nnetworks:\n  dir")),
    "undefined-external": change((WIKI, "  data: {}", "  data: {}\n  a: {name: shared, external: true}"), (OTHER, "networks:\n  dir", "volumes:\n  b: {name: shared}\nnetworks:\n  dir")),
    "circle": change((OTHER, "networks: [directory]", "networks: [directory, default]")),
    "others-data": change((WIKI, "  data: {}", "  data: {name: darkpeak-wiki_directory}")),
    "others-image": own("image: darkpeak-wiki-slapd"),
    "swarm-only": change((WIKI, "\nvolumes:", "\nconfigs: {site: {content: x, external: false}}\nvolumes:")),
    "engine-refuses": own("stop_signal: rtmin+3\n    mem_limit: 6m\n    cap_add: [cap_chown]\n    tmpfs: ['/tmp:size=1m', '/var/lib/wiki2']"),
    "others-name": change((OTHER, RESTART, f"    container_name: darkpeak-directory-slapd-1\n{RESTART}")),
    "own-label": both(own("labels: {darkpeak-content: x, org.darkpeak.content: x, com.docker.desktop: x}"), change((BUILD, "EXPOSE", "LABEL org.x='darkpeak.content=1'\nEXPOSE"))),
    "before-others": own("oom_score_adj: 500\n    ulimits: {nofile: 4096, rtprio: 0}\n    cpu_rt_runtime: 0\n    oom_kill_disable: false"),
    "service-name": rename("wiki-2"),
    "missing-file": linked,
    "no-file": linked,
    "not-executable": lambda root: (root / BACKUP).chmod(0o500),
    "unreadable": lambda root: (root / BACKUP).chmod(0o500),
    "empty-file": file(BACKUP, "#!/bin/sh", 0o755),
    "no-interpreter": file(BACKUP, "#! /usr/bin/env sh\n", 0o755),
    "interpreter": file(BACKUP, "#!/usr/bin/env -S perl -w\n", 0o755),
    "crlf": file(BACKUP, "#!/bin/sh\n# one carriage return: \r is no line's end\n", 0o755),
    "no-containers": lambda root: (root / WIKI).write_text((root / WIKI).read_text().partition("services:")[0].replace("alpha", "idea").replace("  routes:\n    http: 6010\n", "")),
    "not-built": change((WIKI, "build: webserver", "build: webserver\n    image: registry.example/wiki")),
    "no-dockerfile": change((WIKI, "build: webserver", "build: {context: ./webserver/, dockerfile: Dockerfile}")),
    "no-such-container": change((WIKI, "kind: user", "kind: user\n  certificate: webserver"), (WIKI, "    build", "    image: x\n    build")),
    **dict.fromkeys(
        ("no-login-page", "login-route", "login-volume"),
        both(
            lambda root: write_service(root, "account", DIRECTORY.replace("directory", "account").replace("20", "30"), "slapd"),
            change((WIKI, "kind: user", "kind: user\n  login: {oidc: [/a, /b-c/~d]}"), (WIKI, '"data:', '"login:/login:ro", "data:'), (WIKI, "  data: {}", "  data: {}\n  login:"), (BUILD, "VOLUME ", "VOLUME /login ")),
        ),
    ),
    "shown-to-nobody": change((WIKI, "kind: user", "kind: user\n  shown: everybody")),
    "not-exposed": change((BUILD, "EXPOSE 80 389", "expose 80/tcp")),
    "no-healthcheck": both(change((BUILD, "HEALTHCHECK CMD true\n", "")), own("healthcheck: {test: [CMD, health]}")),
    "no-restart": change((WIKI, "unless-stopped", "always")),
    "member-data": both(
        change((WIKI, "level: alpha", "level: beta")),
        file("services/wiki/README.md", "## Use it\n## Run it\n## Backup\n## How it is made\n"),
        file("services/wiki/scripts/export-member", "#!/bin/sh\n", 0o755),
        file("services/wiki/scripts/forget-member", "#!/bin/sh\n", 0o755),
    ),
    "undefined-volume": change((WIKI, '["data:/var/lib/wiki"]', "[{type: volume, source: data, target: /var/lib/wiki}]")),
    "root-on-host": own("privileged: 'false'"),
    "outside-folder": change((WIKI, "build: webserver", "build: ./scripts/../webserver")),
    "open-network": change((WIKI, "default: {ipam", "default: {driver: bridge, ipam")),
    "host-path": own("tmpfs: [/srv]"),
    "replicas": own("scale: 1"),
    "one-at-a-time": change((OTHER, RESTART, f"    container_name: slapd\n{RESTART}")),
    "others-network": change((WIKI, "\nnetworks:", "\n  job: {build: webserver, network_mode: none, restart: always, volumes: ['data:/var/lib/wiki']}\nnetworks:")),
    "lower-case": change((WIKI, "  webserver:\n", "  web_server-2:\n")),
    "other-project": file("services/wiki/docker-compose.vm.yml", "services: {webserver: {labels: {name: other}}}\n"),
    "models": change((WIKI, "services:", "x-models: {llm: {model: x}}\nservices:")),
    "other-compose-file": both(file("services/wiki/webserver/compose.yaml", ""), file("services/wiki/compose.yaml.old", "")),
    "compose-variable": file("services/wiki/.env", "# COMPOSE_FILE=x\nMY_COMPOSE_FILE=x\nCOMPOSE=1\n"),
    "dockerfile": change((BUILD, "FROM debian:trixie\nEXPOSE", "# a comment\n\nARG X=1\nfrom debian:trixie\nexpose")),
    "base-image": change((BUILD, "debian:trixie", "docker.io/library/debian:trixie-slim")),
    "copy-of-nothing": change((BUILD, "EXPOSE", "COPY --from=debian:trixie nothing /x\nCOPY Dockerfil[a-f] /x\nEXPOSE")),
}  # fmt: skip


@pytest.mark.parametrize("near", NEAR.values(), ids=NEAR)
def test_the_nearest_allowed_form_has_no_finding(tmp_path: Path, near: Change) -> None:
    near(write_collective(tmp_path))
    assert findings(tmp_path) == []


# Rules with near misses in other files of tests, and the words where they are.
ELSEWHERE = {
    "linked-folder": ("collective/test_links.py", "def test_a_link_to_a_folder_of_the_collective_is_a_service"),
    "subnet-in-use": ("plan/test_moves.py", '"its own network"'),
    "moved": ("evidence/test_moves.py", "(ARRIVING, [])"),
    "port-in-use": ("plan/test_moves.py", '"one of two ports"'),
    "other-way": ("plan/test_stack.py", '"as a stack"'),
    "stack-key": ("lint/test_stacks.py", '"what is kept"'),
    "stack-loses": ("lint/test_stacks.py", '"somebody thought of it"'),
    "stack-network": ("lint/test_stacks.py", '"as it is"'),
    "stack-data": ("lint/test_stacks.py", '"two without one"'),
    "stack-port": ("lint/test_stacks.py", '"one port"'),
    "nodes-without-swarm": ("lint/test_stacks.py", "def test_what_is_written_about_a_swarm_is_checked"),
    "backup-key": ("repository/test_key.py", "def test_a_key_for_two_admins_is_no_finding"),
    "no-dump": ("lint/test_databases.py", "def test_a_database_without_a_volume_needs_no_dump"),
    "no-trust": ("lint/test_written.py", '"a volume of its own"'),
    "shellcheck": ("lint/test_outside.py", "def test_a_sound_collective_has_no_findings_of_them"),
    "hadolint": ("lint/test_outside.py", "def test_a_sound_collective_has_no_findings_of_them"),
    "bad-ignore": ("lint/test_ignores.py", "def test_a_warning_is_ignored_in_each_kind_of_file"),
    "unused-ignore": ("lint/test_ignores.py", "def test_a_warning_is_ignored_in_each_kind_of_file"),
}


def test_every_rule_has_a_near_miss() -> None:
    in_tables = {rule for rule, _, _, _, expected in test_every_rule.EDITS.values() if not expected}
    assert set(RULES) - set(NEAR) - in_tables == set(ELSEWHERE)
    tests = Path(__file__).parent.parent
    assert [rule for rule, (name, words) in ELSEWHERE.items() if words not in (tests / name).read_text()] == []
