"""Keys of compose files that give a service power over the host or over others: each is found, with its line."""

from pathlib import Path

import pytest

from darkpeak import collective, lint
from darkpeak.vocabulary import KEY_FILE
from tests.making import edit, without_notes, write_collective, write_service

FILE = "services/wiki/docker-compose.yml"
DOCKERFILE = "services/wiki/webserver/Dockerfile"
AT = 12  # the line at which the cases add lines to the container
ROUTER = """\
name: darkpeak-router
x-darkpeak: {about: The way in, block: 6000, admins: [ada, grace], kind: infrastructure, level: alpha}
services:
  haproxy: {build: haproxy, restart: always, network_mode: host, volumes: ["ca:/ca", "trust:/trust"]}
volumes:
  ca: {name: darkpeak-ca}
  trust: {name: darkpeak-trust}
"""
TRUST = "  trust: {name: darkpeak-trust, external: true}\n"


def findings(root: Path) -> list[str]:
    found, unreadable = collective.read(root)
    return [
        f"{item.at.line} {item.rule}: {item.what}" for item in sorted({*unreadable, *without_notes(lint.check(found))})
    ]


# lines of the container webserver, and the findings (their lines are counted from these lines)
CONTAINER = {
    "privileged": ("privileged: true", ["0 root-on-host: webserver is privileged"]),
    "privileged, as a text": ('privileged: "yes"', ["0 root-on-host: webserver is privileged"]),
    "privileged, maybe": ("privileged: ${P:-true}", ["0 root-on-host: webserver is privileged"]),
    "not privileged": ("privileged: false", []),
    "a privileged hook": ("post_start: [{command: x, privileged: true}]", ["0 root-on-host: webserver has a privileged hook"]),
    "the engine's socket": ("use_api_socket: true", ["0 root-on-host: webserver gets the engine's socket"]),
    "a provider": ("provider: {type: awesome}", ["0 root-on-host: webserver has a provider, a program of this machine that compose runs"]),
    "the host's processes": ("pid: host", ["0 root-on-host: webserver uses the processes of the host"]),
    "another's processes": ('pid: "container:darkpeak-directory-slapd-1"', ["0 root-on-host: webserver uses the processes of another project's container"]),
    "its own processes": ('pid: "service:webserver"', []),
    "the host's memory": ("ipc: host", ["0 root-on-host: webserver uses the shared memory of the host"]),
    "its own memory": ("ipc: shareable", []),
    "the host's users": ("userns_mode: host", ["0 root-on-host: webserver uses the users of the host"]),
    "the host's name": ("uts: host", ["0 root-on-host: webserver uses the host name of the host"]),
    "the host's cgroups": ("cgroup: host", ["0 root-on-host: webserver uses the cgroups of the host"]),
    "all capabilities": ("cap_add: [ALL]", ["0 root-on-host: webserver has the capability ALL"]),
    "two capabilities": ("cap_add:\n      - NET_ADMIN\n      - cap_sys_admin", ["2 root-on-host: webserver has the capability SYS_ADMIN"]),
    "an unknown capability": ("cap_add: ['${CAP}']", ["0 from-shell: CAP is from the shell of whoever runs compose", "0 root-on-host: webserver has the capability ${CAP}"]),
    "harmless capabilities": ("cap_add: [NET_ADMIN, CHOWN]", []),
    "no AppArmor": ('security_opt: ["apparmor:unconfined"]', ["0 root-on-host: webserver switches a protection off: apparmor:unconfined"]),
    "no SELinux": ('security_opt: ["label=disable"]', ["0 root-on-host: webserver switches a protection off: label=disable"]),
    "no new privileges": ('security_opt: ["no-new-privileges:true"]', []),
    "new privileges": ('security_opt: ["no-new-privileges=false"]', ["0 root-on-host: webserver switches a protection off: no-new-privileges=false"]),
    "a disk": ('devices: ["/dev/sda:/dev/sdb:rwm"]', ["0 root-on-host: webserver uses the host's device /dev/sda"]),
    "a disk, in the long form": ("devices: [{source: /dev/mem, target: /dev/mem}]", ["0 root-on-host: webserver uses the host's device /dev/mem"]),
    "a tunnel": ('devices: ["/dev/net/tun:/dev/net/tun"]', []),
    "all devices": ('device_cgroup_rules: ["a *:* rwm"]', ["0 root-on-host: webserver may use devices of the host: a *:* rwm"]),
    "a setting of the kernel": ("sysctls: {kernel.core_pattern: '|/x'}", ["0 root-on-host: webserver changes kernel.core_pattern of the host's kernel"]),
    "a setting of its network": ("sysctls: [net.core.somaxconn=1024]", []),
    "another control group": ("cgroup_parent: /", ["0 root-on-host: webserver leaves the engine's control group"]),
    "another's volumes": ("volumes_from: ['container:darkpeak-directory-slapd-1:rw']", ["0 root-on-host: webserver mounts the volumes of another project's container"]),
    "a password": ("environment:\n      DB_PASSWORD: hunter2hunter2", ["1 secret: DB_PASSWORD of webserver looks like a secret"]),
    "a password in a list": ("environment:\n      - LANG=C\n      - dbPassword=hunter2", ["2 secret: dbPassword of webserver looks like a secret"]),
    "a default password": ("environment: {SECRET_KEY_BASE: '${KEY:-abc123def}'}", ["0 secret: SECRET_KEY_BASE of webserver looks like a secret"]),
    "a password in an address": ("environment: {DATABASE_URL: 'postgres://app:hunter2@database/app'}", ["0 secret: DATABASE_URL of webserver looks like a secret"]),
    "what is no secret": ("environment: {TOKEN_LIFETIME: 3600s, PASSWORD_FILE: /data/pw, MYSQL_RANDOM_ROOT_PASSWORD: 'yes', KEYCLOAK: x, API_KEY: '', MONKEY: y}", []),
    "spared when memory ends": ("oom_score_adj: -500", ["0 before-others: webserver is spared when memory ends, so that the kernel kills others"]),
    "spared, maybe": ("oom_score_adj: ${ADJ:-0}", ["0 before-others: webserver is spared when memory ends, so that the kernel kills others"]),
    "killed first": ("oom_score_adj: '500'", []),
    "never killed": ("oom_kill_disable: true", ["0 before-others: webserver is never killed, so that it stands still when its memory ends"]),
    "real time": ("cpu_rt_period: 1000000", ["0 before-others: webserver has real-time processor time, for which all others wait"]),
    "real time by a limit": ("ulimits: {nofile: 9, rtprio: 99}", ["0 before-others: webserver may take real-time priority"]),
    "priority by a limit": ("ulimits:\n      nice: {soft: 0, hard: 40}", ["1 before-others: webserver may take a higher priority"]),
    "usual limits": ("ulimits: {nofile: {soft: 9, hard: 9}, memlock: -1, rtprio: 0}", []),
    "its own priority": ("cap_add: [cap_sys_nice, SYS_RESOURCE]", ["0 before-others: webserver has the capability SYS_NICE, and can raise its own priority or limits", "0 before-others: webserver has the capability SYS_RESOURCE, and can raise its own priority or limits"]),
    "a label of compose's": ("labels: ['com.docker.compose.project=darkpeak-directory', 'org.example=1']", ["0 own-label: webserver has the label com.docker.compose.project"]),
    "a label of darkpeak's for swarm": ("deploy:\n      labels: {darkpeak.lock: x}", ["1 own-label: webserver has the label darkpeak.lock"]),
    "a label of somebody": ("labels: {darkpeak: x, com.docker.composed: y}", []),
    "an env file elsewhere": ("env_file: ../directory/.env", ["0 outside-folder: ../directory/.env is outside the service's folder"]),
    "an env file of a person": ("env_file: [{path: ~/.netrc}]", ["0 outside-folder: ~/.netrc is outside the service's folder"]),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), CONTAINER.values(), ids=CONTAINER)
def test_a_key_of_a_container(tmp_path: Path, lines: str, expected: list[str]) -> None:
    edit(write_collective(tmp_path), FILE, "    build: webserver\n", f"    build: webserver\n    {lines}\n")
    assert findings(tmp_path) == [f"{AT + 1 + int(one[0])}{one[1:]}" for one in expected]


# text of the wiki's compose file, new text, the findings
FILES = {
    "the host's network": ("    networks: [default, directory]\n", "    network_mode: host\n", ["15 root-on-host: webserver uses the network of the host"]),
    "another's network": ("    networks: [default, directory]\n", "    network_mode: container:x\n", ["15 root-on-host: webserver uses the network of another project's container"]),
    "the root of the host": ("  data: {}", "  data: {driver_opts: {type: none, o: bind, device: /}}", ["21 host-path: the volume data is / of the host"]),
    "a folder of the host": ("  data: {}", "  data:\n    driver_opts:\n      o: 'rw,bind'\n      device: '${HOME}/x'", ["24 from-shell: HOME is from the shell of whoever runs compose", "24 host-path: the volume data is ${HOME}/x of the host"]),
    "a folder of the host below another one": ("  data: {}", "  data: {driver_opts: {type: overlay, o: 'lowerdir=/,upperdir=/u,workdir=/w', device: overlay}}", ["21 host-path: the volume data is overlay of the host"]),
    "a disk of the host": ("  data: {}", "  data: {driver_opts: {type: ext4, device: /dev/sda1}}", ["21 host-path: the volume data is /dev/sda1 of the host"]),
    "a network file system": ("  data: {}", "  data: {driver_opts: {type: nfs, o: addr=192.0.2.1, device: ':/x'}}", []),
    "a bind mount in the long form": ('["data:/var/lib/wiki"]', "[{type: bind, source: data, target: /var/lib/wiki}]", ["14 host-path: webserver mounts data of the host"]),
    "a forged record": ("  data: {}", "  data: {labels: {darkpeak.record: drill}}", ["21 own-label: data has the label darkpeak.record"]),
    "a volume of compose's": ("  data: {}", "  data:\n    labels:\n      - com.docker.compose.volume=x", ["23 own-label: data has the label com.docker.compose.volume"]),
    "a label of a network": ("  default: {ipam", "  default: {labels: [darkpeak.drill=1], ipam", ["18 own-label: default has the label darkpeak.drill"]),
    "a label of a build": ("    build: webserver\n", "    build: {context: webserver, labels: {darkpeak.content: x}}\n", ["12 own-label: webserver has the label darkpeak.content"]),
    "a name of darkpeak's": ("    networks: [default, directory]\n", "    container_name: darkpeak-lock-wiki\n    networks: [default, directory]\n", ["15 one-at-a-time: webserver has container_name and a pair of ports: two versions cannot run side by side", "15 others-name: webserver has the container name darkpeak-lock-wiki, which belongs to darkpeak itself"]),
    "a name that compose 1 made": ("    networks: [default, directory]\n", "    container_name: darkpeak-router_haproxy_1\n    networks: [default, directory]\n", ["15 one-at-a-time: webserver has container_name and a pair of ports: two versions cannot run side by side", "15 others-name: webserver has the container name darkpeak-router_haproxy_1, which belongs to haproxy of router"]),
    "another's volume": ("  data: {}", "  data: {name: darkpeak-directory_members}", ["21 others-data: the volume darkpeak-directory_members belongs to directory"]),
    "another's network by its name": ("  default: {ipam", "  other: {name: darkpeak-directory_default}\n  default: {ipam", ["18 others-data: the network darkpeak-directory_default belongs to directory"]),
    "another's image": ("    build: webserver", "    image: darkpeak-directory-slapd:latest\n    build: webserver", ["11 others-image: webserver has the name darkpeak-directory-slapd for its image, which directory has too"]),
    "the CA's key": ("  data: {}", "  data: {}\n  stolen: {name: darkpeak-ca, external: true}", ["22 others-data: the volume darkpeak-ca has the private key of the collective's CA"]),
    "the CA's key by its key": ("  data: {}", "  data: {}\n  darkpeak-ca: {external: true}", ["22 others-data: the volume darkpeak-ca has the private key of the collective's CA"]),
    "the backups": ("  data: {}", "  data: {name: safe}", ["21 others-data: the volume safe belongs to the backups"]),
    "a volume of its own": ("  data: {}", "  data: {name: darkpeak-wiki_data}", []),
    "a network on the LAN": ("  default: {ipam", "  default: {driver: macvlan, ipam", ["18 open-network: the network default has the driver macvlan: its containers are open to other machines"]),
    "a network that is routed": ("  default: {ipam", "  default: {driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: routed}, ipam", ["18 open-network: the network default sets com.docker.network.bridge.gateway_mode_ipv4, which can open containers to other machines"]),
    "a secret of a person": ("volumes:\n  data: {}", "secrets: {key: {file: ~/.ssh/id_ed25519}}\nvolumes:\n  data: {}", ["20 outside-folder: ~/.ssh/id_ed25519 is outside the service's folder"]),
    "a secret of its own": ("volumes:\n  data: {}", "configs: {a: {file: ./webserver/Dockerfile}}\nvolumes:\n  data: {}", []),
    "a build of everything": ("    build: webserver\n", "    build: {context: webserver, additional_contexts: {all: ../directory}}\n", ["12 outside-folder: webserver is built from ../directory, outside the service's folder"]),
    "a privileged build": ("    build: webserver\n", "    build:\n      context: webserver\n      privileged: true\n      ssh: [default]\n      network: host\n      entitlements: [security.insecure]\n", ["14 root-on-host: the build of webserver is privileged", "15 root-on-host: the build of webserver can use the ssh keys of whoever runs it", "16 root-on-host: the build of webserver uses the network of the host", "17 root-on-host: the build of webserver has the right security.insecure"]),
    "a secret of a build": ("    build: webserver\n", "    build: {context: webserver, args: {API_TOKEN: abcdef}}\n", ["12 secret: API_TOKEN of webserver looks like a secret"]),
    "a project of something else": ("name: darkpeak-wiki", "name: nextcloud", ["2 project-name: the project name nextcloud is not one of darkpeak's"]),
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Make a collective with a router, whose certificate the wiki uses, and with a repository on the engine."""
    write_collective(tmp_path)
    write_service(tmp_path, "router", ROUTER, "haproxy", ("/ca", "/trust"))
    edit(tmp_path, "collective.toml", "[admins.ada]", '[backup]\nrepositories = ["volume:safe"]\n\n[admins.ada]')
    edit(tmp_path, FILE, "  data: {}\n", f"  data: {{}}\n{TRUST}")
    return tmp_path


@pytest.mark.parametrize(("old", "new", "expected"), FILES.values(), ids=FILES)
def test_a_key_of_the_file(files: Path, old: str, new: str, expected: list[str]) -> None:
    edit(files, FILE, old, new)
    assert findings(files) == expected


def test_a_service_that_uses_the_directory_can_verify_it(files: Path) -> None:
    edit(files, FILE, TRUST, "")
    assert findings(files) == ["19 no-trust: wiki uses the directory, but has no volume darkpeak-trust to verify it"]


def test_the_file_for_one_host_is_read_too(files: Path) -> None:
    (files / FILE.replace(".yml", ".vagrant.yml")).write_text("services:\n  webserver: {privileged: true}\n")
    assert findings(files) == ["2 root-on-host: webserver is privileged"]


def test_an_anchor_hides_nothing(files: Path) -> None:
    edit(files, FILE, "services:", "x-all: &all {pid: host}\nservices:")
    edit(files, FILE, "    build: webserver\n", "    <<: *all\n    build: webserver\n")
    assert [line.partition(" ")[2] for line in findings(files)] == [
        "root-on-host: webserver uses the processes of the host"
    ]


def test_a_link_out_of_the_folder_is_followed(files: Path) -> None:
    (files / "services/wiki/key").symlink_to("/etc/shadow")
    edit(files, FILE, "volumes:\n  data", "secrets: {key: {file: key}}\nvolumes:\n  data")
    assert findings(files) == ["20 outside-folder: key is outside the service's folder"]


IMAGES = {
    "another base": ("FROM debian:trixie", "FROM alpine:3.20", ["1 base-image: the base alpine:3.20 is not Debian, and not pinned"]),
    "a base for ever": ("FROM debian:trixie", f"FROM alpine:3.20@sha256:{'0' * 64}", []),
    "two stages": ("FROM debian:trixie", "FROM debian:trixie AS build\nFROM build\nCOPY --from=build /x /x", []),
    "a second base": ("FROM debian:trixie", "FROM debian:trixie AS build\nFROM python:3.12", ["2 base-image: the base python:3.12 is not Debian, and not pinned"]),
    "a copy of nothing": ("EXPOSE", "COPY bin/ page.html /x/\nEXPOSE", ["2 copy-of-nothing: COPY of bin/, which does not exist", "2 copy-of-nothing: COPY of page.html, which does not exist"]),
    "a copy of nothing, as a list": ("EXPOSE", 'ADD --chown=1 ["a b", "/x"]\nEXPOSE', ["2 copy-of-nothing: ADD of a b, which does not exist"]),
    "a copy over two lines": ("EXPOSE", "COPY --chmod=755 \\\n  nothing /x\nEXPOSE", ["2 copy-of-nothing: COPY of nothing, which does not exist"]),
    "copies of something": ("EXPOSE", "COPY . /x\nCOPY Docker* /x\nADD https://deb.debian.org/x /x\nCOPY <<A /x\nA\nEXPOSE", []),
    "a label of darkpeak's": ("EXPOSE", 'LABEL a=b \\\n  "darkpeak.content"=x\nEXPOSE', ["2 own-label: the image has the label darkpeak.content"]),
    "a label in the old form": ("EXPOSE", "LABEL com.docker.compose.project a\nEXPOSE", ["2 own-label: the image has the label com.docker.compose.project"]),
    "a label later": ("EXPOSE", "ONBUILD label darkpeak.parts=x\nEXPOSE", ["2 own-label: the image has the label darkpeak.parts"]),
    "a label of somebody": ("EXPOSE", "LABEL a=darkpeak.content com.docker.compose=x\nONBUILD RUN darkpeak.content=1\nEXPOSE", []),
    "a secret": ("EXPOSE", "ENV LANG=C DB_PASSWORD=hunter2\nEXPOSE", ["2 secret: DB_PASSWORD looks like a secret"]),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), IMAGES.values(), ids=IMAGES)
def test_a_line_of_a_dockerfile(files: Path, old: str, new: str, expected: list[str]) -> None:
    edit(files, DOCKERFILE, old, new)
    assert findings(files) == expected


def test_two_services_have_not_one_container_name(files: Path) -> None:
    for service, container in (("router", "haproxy"), ("directory", "slapd")):
        name = f"services/{service}/docker-compose.server.yml"
        (files / name).write_text(f"services:\n  {container}:\n    container_name: way-in\n")
    assert findings(files) == [
        "3 others-name: slapd has the container name way-in, which belongs to router",
        "3 others-name: haproxy has the container name way-in, which belongs to directory",
    ]


def test_no_container_has_the_name_that_compose_gives_to_its_neighbour(files: Path) -> None:
    job = "  job: {build: webserver, restart: always, container_name: NAME, volumes: ['data:/var/lib/wiki']}\nnetworks:"
    edit(files, FILE, "networks:\n", job.replace("NAME", "darkpeak-wiki-webserver-2") + "\n")
    assert [line.partition(" ")[2] for line in findings(files)] == [
        "others-name: job has the container name darkpeak-wiki-webserver-2, which belongs to webserver of wiki"
    ]
    edit(files, FILE, "darkpeak-wiki-webserver-2", "darkpeak-wiki-job-1")
    assert findings(files) == []


def test_a_broken_ssh_key_is_the_only_finding(files: Path) -> None:
    """The backup key could not be opened by it either, but that is not what is wrong."""
    (files / KEY_FILE).write_text("age-encryption.org/v1\n")
    edit(files, "collective.toml", "[admins.ada]\n", '[admins.ada]\nssh = ["ssh-ed25519 AAAAC3Nz ada"]\n')
    assert findings(files) == ["8 ssh-key: 'ssh-ed25519 AAAAC3Nz ada' of ada is not an ssh public key"]


def test_hints_name_only_people_who_are_there(files: Path) -> None:
    text = (files / "collective.toml").read_text().replace("ada", "mo").replace("grace", "lena")
    (files / "collective.toml").write_text(text)
    for file in files.glob("services/*/*.yml"):
        file.write_text(file.read_text().replace("[ada, grace]", "[mo]"))
    hints = [item.hint for item in without_notes(lint.check(collective.read(files)[0]))]
    assert hints == ["name at least two people of collective.toml, like admins: [lena, mo]"] * 3
