"""For every rule, a folder that breaks it and one that does not, with exactly the findings of each."""

from collections.abc import Callable
from pathlib import Path

import pytest

from darkpeak import collective, lint
from darkpeak.lint import RULES
from tests.collective import test_findings
from tests.lint import test_written
from tests.making import edit, write_collective

COMPOSE = "services/wiki/docker-compose.yml"
BUILD = "services/wiki/webserver/Dockerfile"
README = "services/wiki/README.md"
BACKUP = "services/wiki/scripts/backup"
HARDENED = """\
    security_opt: ["no-new-privileges:true"]
    cap_drop: [ALL]
    mem_limit: 1g
    pids_limit: 500
    logging: {driver: local, options: {max-size: 10m, max-file: "3"}}
"""
UPGRADE = "RUN apt-get update && apt-get dist-upgrade -y\n"
VOLUME = "VOLUME /var/lib/wiki\n"
LEAVING = "".join(
    f"|{COMPOSE}:2 member-data: there is no scripts/{name}-member, which level beta needs"
    for name in ("export", "forget")
)
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\n"


def sound(root: Path) -> Path:
    """Make a collective without any finding, not even a note."""
    write_collective(root)
    for file in (COMPOSE, "services/directory/docker-compose.yml"):
        edit(root, file, "    restart: unless-stopped\n", f"    restart: unless-stopped\n{HARDENED}")
    return root


def findings(root: Path) -> list[str]:
    found, unreadable = collective.read(root)
    return [f"{item.at} {item.rule}: {item.what}" for item in sorted({*unreadable, *lint.check(found)})]


def test_the_sound_collective_has_no_finding_and_no_note(tmp_path: Path) -> None:
    assert findings(sound(tmp_path)) == []


# A rule, the file, its text, the new text, what is found. Without a finding, the change is one that is allowed.
EDITS = {
    "a build without upgrade": ("no-upgrade", BUILD, UPGRADE, "", f"{BUILD}:1 no-upgrade: the packages of webserver are not upgraded in the build"),
    "only an update of the lists": ("no-upgrade", BUILD, "&& apt-get dist-upgrade -y", "", f"{BUILD}:1 no-upgrade: the packages of webserver are not upgraded in the build"),
    "an upgrade with other words": ("no-upgrade", BUILD, "apt-get dist-upgrade -y", "apt -y -q full-upgrade", ""),
    "an upgrade in lines": ("no-upgrade", BUILD, "&& apt-get", "\\\n  # all of them\n  && apt-get", ""),
    "an upstream's image": ("no-upgrade", BUILD, f"FROM debian:trixie\nEXPOSE 80 389\nHEALTHCHECK CMD true\n{UPGRADE}", f"FROM alpine:3@sha256:{'0' * 64}\nEXPOSE 80\nHEALTHCHECK CMD true\n", ""),
    "no release": ("latest", BUILD, "debian:trixie", "debian", f"{BUILD}:1 latest: the base debian is another one with each release"),
    "the latest release": ("latest", BUILD, "debian:trixie", "debian:latest", f"{BUILD}:1 latest: the base debian:latest is another one with each release"),
    "a release by a default": ("latest", BUILD, "FROM debian:trixie", "ARG SUITE=trixie\nFROM debian:${SUITE}", ""),
    "no release by a default": ("latest", BUILD, "FROM debian:trixie", "ARG SUITE=latest\nFROM debian:$SUITE", f"{BUILD}:2 latest: the base debian:latest is another one with each release"),
    "a command in a shell": ("shell-form", BUILD, VOLUME, f"{VOLUME}CMD serve --now\n", f"{BUILD}:6 shell-form: CMD starts a shell, which does not pass on the signal to stop"),
    "an entry point in a shell": ("shell-form", BUILD, VOLUME, f"{VOLUME}ENTRYPOINT serve\n", f"{BUILD}:6 shell-form: ENTRYPOINT starts a shell, which does not pass on the signal to stop"),
    "a command as a list": ("shell-form", BUILD, VOLUME, f'{VOLUME}CMD ["serve"]\n', ""),
    "a shell that becomes the command": ("shell-form", BUILD, VOLUME, f"{VOLUME}CMD exec serve $OPTIONS\n", ""),
    "a mount without VOLUME": ("no-volume", BUILD, VOLUME, "", f"{COMPOSE}:14 no-volume: webserver/Dockerfile has no VOLUME /var/lib/wiki for the volume data"),
    "VOLUME as a list, with a slash": ("no-volume", BUILD, VOLUME, 'VOLUME ["/var/lib/wiki/"]\n', ""),
    "VOLUME of an upstream": ("no-volume", BUILD, f"FROM debian:trixie\nEXPOSE 80 389\nHEALTHCHECK CMD true\n{UPGRADE}{VOLUME}", f"FROM alpine:3@sha256:{'0' * 64}\nEXPOSE 80\nHEALTHCHECK CMD true\n", ""),
    "VOLUME without a mount": ("unnamed-volume", BUILD, VOLUME, f"{VOLUME}VOLUME /srv\n", f"{BUILD}:6 unnamed-volume: webserver has VOLUME /srv, but no named volume there"),
    "VOLUME in memory": ("unnamed-volume", COMPOSE, '    volumes: ["data:/var/lib/wiki"]\n', "    tmpfs: [/var/lib/wiki, '/srv:uid=1']\n", ""),
    "rights by setuid": ("new-privileges", COMPOSE, '    security_opt: ["no-new-privileges:true"]\n', "", f"{COMPOSE}:11 new-privileges: webserver can gain rights by setuid programs"),
    "no rights, without a value": ("new-privileges", COMPOSE, "no-new-privileges:true", "no-new-privileges", ""),
    "all capabilities": ("capabilities", COMPOSE, "    cap_drop: [ALL]\n", "", f"{COMPOSE}:11 capabilities: webserver keeps capabilities that it may not need"),
    "all but one capability": ("capabilities", COMPOSE, "[ALL]", "[all]\n    cap_add: [CHOWN]", ""),
    "memory without end": ("no-memory-limit", COMPOSE, "    mem_limit: 1g\n", "", f"{COMPOSE}:11 no-memory-limit: webserver has no limit of memory"),
    "memory by deploy": ("no-memory-limit", COMPOSE, "mem_limit: 1g", "deploy: {resources: {limits: {memory: 1g}}}", ""),
    "processes without end": ("no-pids-limit", COMPOSE, "    pids_limit: 500\n", "", f"{COMPOSE}:11 no-pids-limit: webserver has no limit of processes"),
    "processes by deploy": ("no-pids-limit", COMPOSE, "pids_limit: 500", "deploy: {resources: {limits: {pids: 9}}}", ""),
    "a log without end": ("no-log-limit", COMPOSE, 'logging: {driver: local, options: {max-size: 10m, max-file: "3"}}', "init: true", f"{COMPOSE}:11 no-log-limit: webserver has no limit of its log"),
    "a log as JSON": ("no-log-limit", COMPOSE, "driver: local, options: {max-size: 10m", "driver: json-file, options: {labels: x", f"{COMPOSE}:11 no-log-limit: webserver has no limit of its log"),
    "a log of the system": ("no-log-limit", COMPOSE, "driver: local", "driver: journald", ""),
    "a README without a section": ("readme-section", README, "## Run it\n", "", f"{README}:1 readme-section: the README has no section “Run it”, which level alpha needs"),
    "a README with other words": ("readme-section", README, "## Use it\n\n## Run it\n", "# For members\n## For admins\n", ""),
    "the beta level's README": ("readme-section", COMPOSE, "level: alpha", "level: beta", f"{README}:1 readme-section: the README has no section “Backup”, which level beta needs|{README}:1 readme-section: the README has no section “How it is made”, which level beta needs" + LEAVING),
    "no scripts for members at beta": ("member-data", COMPOSE, "level: alpha", "level: live", "|".join(f"{README}:1 readme-section: the README has no section “{name}”, which level live needs" for name in ("Backup", "How it is made", "Move", "Remove", "Restart", "Restore", "Security", "Upgrade")) + LEAVING.replace("beta", "live")),
    "a label with a secret": ("secret", COMPOSE, "    restart: unless", "    labels: {org.example.token: abcdef}\n    restart: unless", f"{COMPOSE}:16 secret: org.example.token of webserver looks like a secret"),
    "a label of the image": ("secret", BUILD, VOLUME, f'{VOLUME}LABEL "org.example.token"="abcdef"\n', f"{BUILD}:6 secret: org.example.token looks like a secret"),
    "a password for chpasswd": ("secret", BUILD, VOLUME, f"{VOLUME}RUN echo 'root:hunter2' | chpasswd\n", f"{BUILD}:6 secret: a command of RUN has a secret"),
    "an option with a password": ("secret", BUILD, VOLUME, f"{VOLUME}RUN setup --password=hunter2\n", f"{BUILD}:6 secret: a command of RUN has a secret"),
    "no password at all": ("secret", BUILD, VOLUME, f"{VOLUME}RUN useradd --password '*' git && setup --password \"$(cat /run/secret)\" --token-file=x\n", ""),
    "a variable with a secret": ("secret", BUILD, VOLUME, f"{VOLUME}RUN export API_KEY=abcdefg && setup\n", f"{BUILD}:6 secret: a command of RUN has a secret"),
    "an address with a password": ("secret", BUILD, VOLUME, f"{VOLUME}RUN curl https://ada:hunter2@example.org/x\n", f"{BUILD}:6 secret: a command of RUN has a secret"),
    "one admin twice": ("admin-twice", COMPOSE, "[ada, grace]", "[ada, grace, ada]", f"{COMPOSE}:7 admin-twice: ada is named twice"),
    "another's container name": ("others-name", COMPOSE, "    build: webserver", "    container_name: darkpeak-directory-slapd-1\n    build: webserver", f"{COMPOSE}:12 one-at-a-time: webserver has container_name and a pair of ports: two versions cannot run side by side|{COMPOSE}:12 others-name: webserver has the container name darkpeak-directory-slapd-1, which belongs to slapd of directory"),
    "a label of darkpeak's": ("own-label", COMPOSE, "    restart: unless", "    labels: {darkpeak.content: abcdef}\n    restart: unless", f"{COMPOSE}:16 own-label: webserver has the label darkpeak.content"),
    "real time": ("before-others", COMPOSE, "    restart: unless", "    cpu_rt_runtime: 950ms\n    restart: unless", f"{COMPOSE}:16 before-others: webserver has real-time processor time, for which all others wait"),
    "a restart policy that no engine knows": ("engine-refuses", COMPOSE, "restart: unless-stopped", "restart: sometimes", f"{COMPOSE}:16 engine-refuses: the engine refuses restart: sometimes of webserver"),
    "a signal that does not exist": ("engine-refuses", COMPOSE, "    restart: unless", "    stop_signal: SIGSTOPP\n    restart: unless", f"{COMPOSE}:16 engine-refuses: the engine refuses stop_signal: SIGSTOPP of webserver"),
    "memory for nothing": ("engine-refuses", COMPOSE, "mem_limit: 1g", "mem_limit: 4m", f"{COMPOSE}:19 engine-refuses: the engine refuses mem_limit: 4m of webserver"),
    "a capability that does not exist": ("engine-refuses", COMPOSE, "cap_drop: [ALL]", "cap_drop: [ALL]\n    cap_add: [CHOWN, CAP_NET_BIND]", f"{COMPOSE}:19 engine-refuses: the engine refuses CAP_NET_BIND in cap_add of webserver"),
    "a mount beside nothing": ("engine-refuses", COMPOSE, "    mem_limit", "    tmpfs: [tmp]\n    mem_limit", f"{COMPOSE}:19 engine-refuses: the engine cannot mount something at tmp in webserver"),
    "two mounts at one place": ("engine-refuses", COMPOSE, "    mem_limit", "    tmpfs: ['/var/lib/wiki/:size=1m']\n    mem_limit", f"{COMPOSE}:19 engine-refuses: webserver has two mounts at /var/lib/wiki"),
    "a volume's name with a space": ("engine-refuses", COMPOSE, "  data: {}", "  data: {name: a b}", f"{COMPOSE}:26 engine-refuses: the engine refuses the name 'a b'"),
    "a container with a name that no image has": ("engine-refuses", COMPOSE, "  webserver:\n", "  webserver_:\n", f"{COMPOSE}:11 engine-refuses: the engine cannot name the image of webserver_"),
    "an included file of others": ("outside-folder", COMPOSE, "volumes:\n  data: {}", "include: [../common.yml]\nvolumes:\n  data: {}", f"{COMPOSE}:25 outside-folder: ../common.yml is outside the service's folder"),
    "an included file of others, in the long form": ("outside-folder", COMPOSE, "volumes:\n  data: {}", "include: [{path: [a.yml, /b.yml], env_file: .env}]\nvolumes:\n  data: {}", f"{COMPOSE}:25 outside-folder: /b.yml is outside the service's folder"),
    "an extended file of others": ("outside-folder", COMPOSE, "    restart: unless", "    extends: {file: ../common.yml, service: a}\n    restart: unless", f"{COMPOSE}:16 outside-folder: ../common.yml is outside the service's folder"),
    "labels of others": ("outside-folder", COMPOSE, "    restart: unless", "    label_file: [../labels]\n    restart: unless", f"{COMPOSE}:16 outside-folder: ../labels is outside the service's folder"),
    "a network of two": ("defined-twice", COMPOSE, "external: true", "external: false", f"{COMPOSE}:24 defined-twice: darkpeak-directory is defined by directory too"),
    "a secret without its file": ("missing-file", COMPOSE, "volumes:\n  data: {}", "secrets: {key: {file: ./gone}}\nvolumes:\n  data: {}", f"{COMPOSE}:25 missing-file: ./gone is missing, the file of key in secrets"),
    "a config without its file": ("missing-file", COMPOSE, "volumes:\n  data: {}", "configs: {site: {file: gone.conf}}\nvolumes:\n  data: {}", f"{COMPOSE}:25 missing-file: gone.conf is missing, the file of site in configs"),
    "a secret of Swarm": ("swarm-only", COMPOSE, "volumes:\n  data: {}", "secrets: {key: {external: true}}\nvolumes:\n  data: {}", f"{COMPOSE}:25 swarm-only: key in secrets has external, which compose does not support"),
    "a config made by Swarm": ("swarm-only", COMPOSE, "volumes:\n  data: {}", "configs: {site: {content: x, template_driver: golang}}\nvolumes:\n  data: {}", f"{COMPOSE}:25 swarm-only: site in configs has template_driver, which compose does not support"),
    "models": ("models", COMPOSE, "volumes:\n  data: {}", "models: {llm: {model: x}}\nvolumes:\n  data: {}", f"{COMPOSE}:25 models: models are not supported"),
    "the engine's socket": ("root-on-host", COMPOSE, '["data:/var/lib/wiki"]', '["data:/var/lib/wiki", "/var/run/docker.sock:/x:ro"]', f"{COMPOSE}:14 host-path: webserver mounts /var/run/docker.sock of the host|{COMPOSE}:14 root-on-host: webserver gets the engine's socket"),
    "a secret from the shell": ("from-shell", COMPOSE, "volumes:\n  data: {}", "secrets: {key: {environment: KEY}}\nvolumes:\n  data: {}", f"{COMPOSE}:25 from-shell: key is from the shell of whoever runs compose"),
    "a secret of a file": ("from-shell", COMPOSE, "volumes:\n  data: {}", "secrets: {key: {file: webserver/Dockerfile}}\nvolumes:\n  data: {}", ""),
    "a variable without a value": ("from-shell", COMPOSE, "    restart: unless", "    environment: [DOMAIN=x, ZONE]\n    restart: unless", f"{COMPOSE}:16 from-shell: ZONE is from the shell of whoever runs compose"),
    "a variable without a value, in a mapping": ("from-shell", COMPOSE, "    restart: unless", "    environment: {DOMAIN: x, ZONE: }\n    restart: unless", f"{COMPOSE}:16 from-shell: ZONE is from the shell of whoever runs compose"),
    "a variable in a value": ("from-shell", COMPOSE, "    restart: unless", "    environment: {A: 'to $ZONE'}\n    restart: unless", f"{COMPOSE}:16 from-shell: ZONE is from the shell of whoever runs compose"),
    "a variable that must be set": ("from-shell", COMPOSE, "    restart: unless", "    environment: {A: '${ZONE:?write it}'}\n    restart: unless", f"{COMPOSE}:16 from-shell: ZONE is from the shell of whoever runs compose"),
    "a variable as another one's default": ("from-shell", COMPOSE, "    restart: unless", "    environment: {A: '${DARKPEAK_DOMAIN:-$ZONE}'}\n    restart: unless", f"{COMPOSE}:16 from-shell: ZONE is from the shell of whoever runs compose"),
    "a variable in a command": ("from-shell", COMPOSE, "    restart: unless", "    command: [serve, '${HOME}']\n    restart: unless", f"{COMPOSE}:16 from-shell: HOME is from the shell of whoever runs compose"),
    "a variable with a default": ("from-shell", COMPOSE, "    restart: unless", "    environment: ['A=${ZONE:-x}', 'B=${ZONE-}', A=]\n    restart: unless", ""),
    "a variable of the container": ("from-shell", COMPOSE, "    restart: unless", "    command: [sh, -c, 'serve $$HOME $${HOME}']\n    restart: unless", ""),
    "a variable of darkpeak, and one of compose": ("from-shell", COMPOSE, "    restart: unless", "    environment: ['DARKPEAK_DOMAIN', 'A=$COMPOSE_PROJECT_NAME']\n    restart: unless", ""),
    "an argument of a build": ("from-shell", COMPOSE, "build: webserver", "build: {context: webserver, args: [ZONE]}", f"{COMPOSE}:12 from-shell: ZONE is from the shell of whoever runs compose"),
    "what only people read": ("from-shell", COMPOSE, "services:\n", "x-note: costs $PRICE\nservices:\n", ""),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "file", "old", "new", "expected"), EDITS.values(), ids=EDITS)
def test_an_edit_gives_exactly_these_findings(  # noqa: PLR0913, PLR0917 (a table)
    tmp_path: Path, rule: str, file: str, old: str, new: str, expected: str
) -> None:
    edit(sound(tmp_path), file, old, new)
    assert findings(tmp_path) == sorted(filter(None, expected.split("|")))
    assert not expected or f" {rule}: " in expected


def write(name: str, text: str, mode: int = 0o644) -> Callable[[Path], object]:
    """Return a function that writes a file of the wiki."""

    def change(root: Path) -> None:
        path = root / "services/wiki" / name
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(mode)

    return change


def replace_by_folder(root: Path) -> None:
    (root / BACKUP).unlink()
    (root / BACKUP).mkdir()


def own_key(root: Path) -> None:
    write("webserver/server.key", f"# x\n{KEY}")(root)


def fifo(root: Path) -> None:
    import os

    os.mkfifo(root / "services/wiki/webserver/pipe")


def plain_ssh_for_two(root: Path) -> None:
    edit(root, COMPOSE, "http: 6010", "plain-ssh: 6010")
    edit(root, "services/directory/docker-compose.yml", "  kind: infra", "  routes: {plain-ssh: 6020}\n  kind: infra")


def named_jump(root: Path) -> None:
    edit(root, COMPOSE, "http: 6010", "ssh: 6010")
    (root / "services/wiki").rename(root / "services/jump")


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "plain-ssh-taken": (plain_ssh_for_two, f"{COMPOSE}:5 plain-ssh-taken: plain ssh already leads to directory"),
    "ssh-name": (
        named_jump,
        "services/jump/docker-compose.yml:5 ssh-name: the ssh name jump belongs to the router",
    ),
    "no-file": (replace_by_folder, f"{BACKUP}:1 no-file: scripts/backup is a folder"),
    "empty-file": (write("scripts/backup", "", 0o755), f"{BACKUP}:1 empty-file: scripts/backup is empty"),
    "no-interpreter": (
        write("scripts/backup", "exit 0\n", 0o755),
        f"{BACKUP}:1 no-interpreter: scripts/backup has no #! line",
    ),
    "interpreter": (
        write("scripts/backup", "#!/usr/bin/ruby\n", 0o755),
        f"{BACKUP}:1 interpreter: scripts/backup needs /usr/bin/ruby, which is not there",
    ),
    "crlf": (
        write("scripts/backup", "#!/bin/sh\nexit 0\r\n", 0o755),
        f"{BACKUP}:2 crlf: scripts/backup has lines that end with CRLF, as on Windows",
    ),
    "secret": (own_key, "services/wiki/webserver/server.key:2 secret: the file has a private key"),
    "build-files": (
        fifo,
        f"{COMPOSE}:11 build-files: webserver cannot be built: webserver/pipe is a FIFO, which Docker cannot copy",
    ),
    "other-compose-file": (
        write("compose.yaml", "services: {}\n"),
        "services/wiki/compose.yaml:1 other-compose-file: plain compose would use compose.yaml, and not docker-compose.yml",
    ),
    "compose-variable": (
        write(".env", "A=1\nCOMPOSE_PROFILES=x\n"),
        "services/wiki/.env:2 compose-variable: COMPOSE_PROFILES makes plain compose do something else than darkpeak",
    ),
}


@pytest.mark.parametrize(("rule", "change", "expected"), [(rule, *case) for rule, case in CHANGES.items()], ids=CHANGES)
def test_a_change_gives_exactly_this_finding(
    tmp_path: Path, rule: str, change: Callable[[Path], object], expected: str
) -> None:
    change(sound(tmp_path))
    assert findings(tmp_path) == [expected]
    assert f" {rule}: " in expected


def test_a_certificate_that_is_no_key_is_no_secret(tmp_path: Path) -> None:
    write("webserver/ca.pem", "-----BEGIN CERTIFICATE-----\n")(sound(tmp_path))
    assert findings(tmp_path) == []


def test_volumes_from_is_behind_a_volume_too(tmp_path: Path) -> None:
    """The guide's own way: one container has the volume, the other one uses it."""
    root = sound(tmp_path)
    edit(
        root,
        COMPOSE,
        "services:\n",
        "services:\n  data:\n    build: data\n    volumes: ['data:/srv']\n    restart: always\n" + HARDENED,
    )
    edit(root, COMPOSE, '["data:/var/lib/wiki"]', "[]\n    volumes_from: [data]")
    (root / "services/wiki/data").mkdir()
    (root / "services/wiki/data/Dockerfile").write_text(
        f"FROM debian:trixie\n{UPGRADE}HEALTHCHECK CMD true\nVOLUME /srv\n"
    )
    assert findings(root) == []


ENVIRONMENTS: dict[str, tuple[str, str]] = {
    "a value in .env": ("ZONE=x\n", ""),
    "a value in .env, exported": ("# of ours\n export ZONE = x\n", ""),
    "another value in .env": ("ZONES=x\n", f"{COMPOSE}:16 from-shell: ZONE is from the shell of whoever runs compose"),
    "only a name in .env": ("ZONE\n", f"{COMPOSE}:16 from-shell: ZONE is from the shell of whoever runs compose"),
}


@pytest.mark.parametrize(("text", "expected"), ENVIRONMENTS.values(), ids=ENVIRONMENTS)
@pytest.mark.parametrize("line", ["[ZONE]", "{ZONE: }", "{A: $ZONE}"])
def test_a_variable_is_in_env(tmp_path: Path, line: str, text: str, expected: str) -> None:
    edit(sound(tmp_path), COMPOSE, "    restart:", f"    environment: {line}\n    restart:")
    write(".env", text)(tmp_path)
    assert findings(tmp_path) == list(filter(None, [expected]))


def test_a_line_of_an_environment_file_has_a_value(tmp_path: Path) -> None:
    edit(sound(tmp_path), COMPOSE, "    restart:", "    env_file: [{path: a.env}, b.env]\n    restart:")
    write("a.env", "# ZONE\nA=1\n\nZONE\n")(tmp_path)
    write("b.env", "ZONE=1\nZONE\nB=\n")(tmp_path)
    expected = "services/wiki/a.env:4 from-shell: ZONE is from the shell of whoever runs compose"
    assert findings(tmp_path) == [expected]
    write(".env", "ZONE=1\n")(tmp_path)
    assert findings(tmp_path) == []


EXPANDED = ("A=x $ZONE\n", 'export A = "\\$B $ZONE"\n', "A: ${ZONE}\n", "A=\\$ZONE\n", "A=${DARKPEAK_DOMAIN:-$ZONE}\n")
KEPT = (
    "A='$ZONE'\n",
    "A=$$ZONE\n",
    "A=x # $ZONE\n",
    'A="x" # $ZONE\n',
    'A="\\$ZONE"\n',
    "A=${ZONE:-x}\n",
    "B=1\nA=$B\n",
)


@pytest.mark.parametrize("name", ["a.env", ".env"])
@pytest.mark.parametrize("text", [*EXPANDED, *KEPT])
def test_a_value_of_an_environment_file_has_no_variable_of_the_shell(tmp_path: Path, name: str, text: str) -> None:
    edit(sound(tmp_path), COMPOSE, "    restart:", "    env_file: a.env\n    restart:")
    write("a.env", "C=1\n")(tmp_path)
    write(name, text)(tmp_path)
    expected = [f"services/wiki/{name}:1 from-shell: ZONE is from the shell of whoever runs compose"]
    assert findings(tmp_path) == (expected if text in EXPANDED else [])


# Rules with cases in other files of tests: with a real engine, a program from outside, or a long text of their own.
ELSEWHERE = {
    "linked-folder": "collective/test_links.py",
    "shellcheck": "lint/test_outside.py",
    "hadolint": "lint/test_outside.py",
    "bad-ignore": "lint/test_ignores.py",
    "unused-ignore": "lint/test_ignores.py",
    "no-trust": "lint/test_written.py",
    "ssh-key": "lint/test_written.py",
    "no-services": "collective/test_findings.py",
    "subnet-in-use": "plan/test_moves.py: overlaps with",
    "moved": "evidence/test_moves.py: has moved to far",
    "port-in-use": "plan/test_moves.py: is used by the container",
    "other-way": "plan/test_stack.py",
    "stack-key": "lint/test_stacks.py",
    "stack-loses": "lint/test_stacks.py",
    "stack-network": "lint/test_stacks.py",
    "stack-data": "lint/test_stacks.py",
    "stack-port": "lint/test_stacks.py",
    "nodes-without-swarm": "lint/test_stacks.py",
    "backup-key": "repository/test_key.py",
    "env": "collective/test_environment.py",
    "named-file": "collective/test_hostile.py",
    "compose": "collective/test_resolved.py",
    "no-dump": "lint/test_databases.py",
    "unreadable": "collective/test_scripts.py",
    "other-project": "collective/test_features.py",
    "replicas": "collective/test_features.py",
    "one-at-a-time": "collective/test_features.py",
    "others-network": "collective/test_features.py",
    "lower-case": "collective/test_features.py",
}


def test_every_rule_has_a_folder_that_breaks_it() -> None:
    tables = [str(case) for case in (*EDITS.values(), *CHANGES.values())]
    for table in (
        test_findings.EDITS,
        test_findings.CHANGES,
        test_written.CONTAINER,
        test_written.FILES,
        test_written.IMAGES,
    ):
        tables += [str(case) for case in table.values()]
    text = "\n".join(tables)
    shown = {rule for rule in RULES if f" {rule}: " in text}
    tests = Path(__file__).parent.parent
    held = {rule: case.partition(": ") for rule, case in ELSEWHERE.items()}
    assert [rule for rule, (file, _, words) in held.items() if (words or rule) not in (tests / file).read_text()] == []
    assert set(RULES) - shown - set(ELSEWHERE) == set()
