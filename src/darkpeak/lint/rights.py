"""Rules about keys that make a container as powerful as root on the host, or that let it use the host's own parts."""

import re
from collections.abc import Iterable, Iterator

from darkpeak.collective.model import Finding
from darkpeak.collective.tree import Tree
from darkpeak.lint.anatomy import host_mounts
from darkpeak.lint.rule import ERROR, Rule
from darkpeak.lint.written import Written, child, is_on, items, pairs
from darkpeak.vocabulary import ROUTER

RULE = "root-on-host"
REMOVE = "remove it: whoever breaks into the container would be root on the host"
OWN = "remove it: a container has its own"
INCLUDE = ("path", "env_file", "project_directory")  # keys of an entry, with files
SPACES = {"pid": "processes", "ipc": "shared memory", "uts": "host name", "userns_mode": "users", "cgroup": "cgroups"}
# man 7 capabilities: with one of these, a container can reach the host's kernel, memory, disks or other processes.
CAPABILITIES = {
    *("ALL", "AUDIT_CONTROL", "BPF", "CHECKPOINT_RESTORE", "DAC_READ_SEARCH", "MAC_ADMIN", "MAC_OVERRIDE", "PERFMON"),
    *("SYS_ADMIN", "SYS_BOOT", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "SYS_TIME", "SYSLOG"),
}
SWITCHED_OFF = re.compile(r"unconfined|disable|no-new-privileges[:=]false|\$", re.IGNORECASE)
# Devices that lead to no data of the host: a tunnel, graphics, sound, cameras, serial adapters.
DEVICES = re.compile(r"/dev/(net/tun|dri(/.*)?|snd(/.*)?|video\d+|tty(USB|ACM)\d+|serial/.+)")
SYSCTLS = re.compile(r"net\.|kernel\.(shm|msg|sem)|fs\.mqueue\.")  # those that each container has for itself
PORT_OPENERS = re.compile(r"gateway_mode|host_binding|trusted_host_interfaces|bridge\.name$|^parent$")
SOCKETS = re.compile(r".*/(docker|podman|containerd|buildkitd|crio)\.sock")
OPEN_DRIVERS = {"host", "macvlan", "ipvlan"}


def switches(written: Written) -> Iterator[Finding]:
    """No container is privileged, also not for a moment, and none gets the engine's socket."""
    for name, container in written.containers():
        for key, what in (("privileged", "is privileged"), ("use_api_socket", "gets the engine's socket")):
            if is_on(container, key):
                yield written.finding(container.key_line(key), RULE, f"{name} {what}", REMOVE)
        hooks = (hook for key in ("post_start", "pre_stop") for hook in items(container, key))
        for hook in (hook for hook in hooks if is_on(hook, "privileged")):
            yield written.finding(hook.line, RULE, f"{name} has a privileged hook", REMOVE)
        if child(container, "provider").mapping():
            what = f"{name} has a provider, a program of this machine that compose runs"
            yield written.finding(container.key_line("provider"), RULE, what, "remove it, and build a container")


def engine_sockets(written: Written) -> Iterator[Finding]:
    """No container mounts the engine's socket: it is as good as root's password."""
    for name, container in written.containers():
        for mount in items(container, "volumes"):
            source = child(mount, "source").text() or mount.text().partition(":")[0]
            if SOCKETS.fullmatch(source):
                yield written.finding(mount.line, RULE, f"{name} gets the engine's socket", REMOVE)


def spaces(written: Written) -> Iterator[Finding]:
    """A container has its own processes, memory, users and network; only the router has the host's network."""
    for name, container in written.containers():
        for key, noun in {**SPACES, "network_mode": "network"}.items():
            value, line = child(container, key).text(), container.key_line(key)
            if value == "host" and not (key == "network_mode" and written.service.name == ROUTER):
                yield written.finding(line, RULE, f"{name} uses the {noun} of the host", OWN)
            elif value.startswith("container:") or "$" in value:
                yield written.finding(line, RULE, f"{name} uses the {noun} of another project's container", OWN)
        for source in (entry for entry in items(container, "volumes_from") if entry.text().startswith("container:")):
            what = f"{name} mounts the volumes of another project's container"
            yield written.finding(source.line, RULE, what, "remove it, and share one volume by its name")
        if child(container, "cgroup_parent").text():
            what = f"{name} leaves the engine's control group"
            yield written.finding(container.key_line("cgroup_parent"), RULE, what, "remove it, and use mem_limit")


def capabilities(written: Written) -> Iterator[Finding]:
    """No container has a capability with which it could take over the host, and none switches a protection off."""
    for name, container in written.containers():
        for entry in items(container, "cap_add"):
            capability = entry.text().upper().removeprefix("CAP_")
            if capability in CAPABILITIES or "$" in capability:
                yield written.finding(entry.line, RULE, f"{name} has the capability {capability}", REMOVE)
        for entry in items(container, "security_opt"):
            if SWITCHED_OFF.search(entry.text()):
                what = f"{name} switches a protection off: {entry.text()}"
                yield written.finding(entry.line, RULE, what, REMOVE)


def devices(written: Written) -> Iterator[Finding]:
    """No container has a device with data of the host, or a setting of the host's kernel."""
    for name, container in written.containers():
        for entry in items(container, "devices"):
            device = (child(entry, "source").text() or entry.text()).split(":")[0]
            if not DEVICES.fullmatch(device) and "=" not in device:  # vendor.example/device=name is a CDI device
                yield written.finding(entry.line, RULE, f"{name} uses the host's device {device}", REMOVE)
        for entry in items(container, "device_cgroup_rules"):
            yield written.finding(entry.line, RULE, f"{name} may use devices of the host: {entry.text()}", REMOVE)
        for setting, _, line in pairs(container, "sysctls"):
            if not SYSCTLS.match(setting):
                yield written.finding(line, RULE, f"{name} changes {setting} of the host's kernel", REMOVE)


def builds(written: Written) -> Iterator[Finding]:
    """A build has no rights on the host, and uses only files of the service's folder."""
    for name, container in written.containers():
        build = child(container, "build")
        if is_on(build, "privileged"):
            yield written.finding(build.key_line("privileged"), RULE, f"the build of {name} is privileged", REMOVE)
        for entry in items(build, "entitlements"):
            what = f"the build of {name} has the right {entry.text()}"
            yield written.finding(entry.line, RULE, what, REMOVE)
        if child(build, "network").text() == "host":
            what = f"the build of {name} uses the network of the host"
            yield written.finding(build.key_line("network"), RULE, what, REMOVE)
        if "ssh" in build.mapping():
            what = f"the build of {name} can use the ssh keys of whoever runs it"
            yield written.finding(
                build.key_line("ssh"), RULE, what, "remove it, and copy what it needs into the folder"
            )
        for path, line in _paths(build):
            if written.is_outside(path):
                what = f"{name} is built from {path}, outside the service's folder"
                yield written.finding(line, "outside-folder", what, "copy what it needs into the folder")
        file = child(build, "dockerfile").text()
        place = file if file.startswith(("/", "~")) else f"{child(build, 'context').text() or '.'}/{file}"
        if file and written.is_outside(place):
            what = f"{name} is built by {file}, outside the service's folder"
            yield written.finding(build.key_line("dockerfile"), "outside-folder", what, "copy it into the folder")


def _paths(build: Tree) -> Iterator[tuple[str, int]]:
    """Yield the folders from which an image is built, with their lines; addresses are not folders."""
    places = [(build.text(), build.line), (child(build, "context").text(), build.key_line("context"))]
    places += [(path, line) for _, path, line in pairs(build, "additional_contexts")]
    yield from ((path, line) for path, line in places if path and "://" not in path and not path.startswith("service:"))


def files(written: Written) -> Iterator[Finding]:
    """Configs, secrets, env files and other compose files are files of the service's folder."""
    places = [
        (child(entry, "file").text(), entry.key_line("file"))
        for section in ("secrets", "configs")
        for _, entry in written.section(section)
    ]
    for _, container in written.containers():
        extended = child(container, "extends")
        places.append((child(extended, "file").text(), extended.key_line("file")))
        for key in ("env_file", "label_file"):
            places += _named(items(container, key))
    for entry in items(written.tree, "include"):
        places += _named([entry, *(part for key in INCLUDE for part in items(entry, key))])
    for path, line in places:
        if path and written.is_outside(path):
            hint = "copy it into the folder; a secret is made at the first start, in a volume"
            yield written.finding(line, "outside-folder", f"{path} is outside the service's folder", hint)


def _named(entries: Iterable[Tree]) -> list[tuple[str, int]]:
    """Return the names of files, which are written as NAME or as {path: NAME}, with their lines."""
    return [(child(entry, "path").text() or entry.text(), entry.line) for entry in entries]


def networks(written: Written) -> Iterator[Finding]:
    """A network keeps to the engine's bridge, so that other machines reach its containers only through the router."""
    hint = "remove it; publish ports on 127.0.0.1, and route to them"
    for name, network in written.section("networks"):
        driver = child(network, "driver").text()
        if driver in OPEN_DRIVERS:
            what = f"the network {name} has the driver {driver}: its containers are open to other machines"
            yield written.finding(network.key_line("driver"), "open-network", what, hint)
        for option, _, line in pairs(network, "driver_opts"):
            if PORT_OPENERS.search(option):
                what = f"the network {name} sets {option}, which can open containers to other machines"
                yield written.finding(line, "open-network", what, hint)


def bind_volumes(written: Written) -> Iterator[Finding]:
    """No volume, and no mount in its long form, is a folder of the host."""
    for name, volume in written.section("volumes"):
        options = {option: (text, line) for option, text, line in pairs(volume, "driver_opts")}
        device, line = options.get("device", ("", volume.line))
        flags = options.get("o", ("", 0))[0].split(",")
        kind = options.get("type", ("", 0))[0]
        if (
            {"bind", "rbind"} & set(flags)
            or kind in {"none", "overlay"}
            or (device.startswith(("/", "~", ".", "$")) and not kind.startswith(("nfs", "tmpfs")))
        ):
            what = f"the volume {name} is {device or 'a folder'} of the host"
            yield written.finding(line, "host-path", what, "remove driver_opts: the engine makes a volume of its own")
    for name, container in written.containers():
        for mount in items(container, "volumes"):
            if child(mount, "type").text() == "bind":
                what = f"{name} mounts {child(mount, 'source').text()} of the host"
                yield written.finding(mount.line, "host-path", what, "use a named volume")


RULES = (
    Rule(
        "root-on-host",
        ERROR,
        "Whoever breaks into a container with these rights is root on the machine, and has all services and all data.",
        "remove it",
        file=(switches, spaces, capabilities, devices, builds, engine_sockets),
    ),
    Rule(
        "outside-folder",
        ERROR,
        "A service's folder has all that it is built from, so that the service works in every clone, and reads no "
        "file of the admin.",
        "copy what it needs into the folder",
        file=(builds, files),
    ),
    Rule(
        "open-network",
        ERROR,
        "Other machines must reach containers only through the router and its limits.",
        "remove it; publish ports on 127.0.0.1, and route to them",
        file=(networks,),
    ),
    Rule(
        "host-path",
        ERROR,
        "A folder of the host ties the service to one machine, is not in its backups, and can be any file of the "
        "machine.",
        "use a named volume",
        service=(host_mounts,),
        file=(bind_volumes,),
    ),
)
