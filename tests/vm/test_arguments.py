"""The complete commands that make the VM's image, start the VM and connect to it."""

import re
from pathlib import Path

import pytest

from darkpeak.collective.hosts import VAGRANT_HOST, find_host, uri_of
from darkpeak.collective.model import Place
from darkpeak.collective.settings import Host
from darkpeak.system.base import Wanted, make_files
from darkpeak.vm.arguments import (
    make_image,
    make_qemu,
    make_recipe,
    make_ssh,
    make_ssh_config,
    make_tunnel,
)
from darkpeak.vm.state import State, VmSettings
from darkpeak.vocabulary import SUITE, TUNNEL_PORT

STATE = State(Path("/home/ada/my, state"))
MACHINE = VmSettings(2222, 1536, 2, (7080, 7443, 7022))
WANTED = Wanted((80, 7080), (), 0)


def test_the_vm_is_reached_only_from_loopback() -> None:
    [network] = [word for word in make_qemu(STATE, MACHINE, accelerated=False) if word.startswith("user,")]
    forwards = re.findall(r"hostfwd=tcp:([^,]+)", network)
    assert forwards == ["127.0.0.1:2222-:22", "127.0.0.1:7080-:7080", "127.0.0.1:7443-:7443", "127.0.0.1:7022-:7022"]
    assert f"localhost:{TUNNEL_PORT}:/var/run/docker.sock" in make_tunnel(STATE)


@pytest.mark.parametrize(("accelerated", "expected"), [(True, ("kvm", "host")), (False, ("tcg,thread=multi", "max"))])
def test_with_and_without_hardware_acceleration(accelerated: bool, expected: tuple[str, str]) -> None:  # noqa: FBT001
    words = make_qemu(STATE, MACHINE, accelerated=accelerated)
    assert (words[words.index("-accel") + 1], words[words.index("-cpu") + 1]) == expected


def test_a_comma_in_the_folders_name_is_doubled_for_qemu() -> None:
    assert "file=/home/ada/my,, state/disk.img,format=raw,if=virtio,discard=unmap" in make_qemu(
        STATE, MACHINE, accelerated=False
    )


def test_the_image_has_every_file_of_the_base_system() -> None:
    text = make_recipe(SUITE, WANTED, "start() { :; }\n", "ssh-ed25519 AAAA vm\n").script
    for file in make_files(WANTED, (22,)):
        assert f"put {file.path} " in text
    assert "start docker" in text
    assert "put /etc/fstab 644" in text  # without this file, Vagrant fails


def test_another_recipe_has_another_hash() -> None:
    one, again, other = (make_recipe(SUITE, Wanted(ports), "", "").hash for ports in ((80,), (80,), (80, 443)))
    assert one == again
    assert len({one, other, make_recipe("forky", Wanted((80,)), "", "").hash}) == 3


def test_a_bare_machine_has_an_ssh_server_and_nothing_of_the_base_system() -> None:
    bare = make_recipe(SUITE, None, "", "")
    assert "docker.io" not in bare.packages
    assert "openssh-server" in bare.packages
    assert "daemon.json" not in bare.script


def test_owners_are_kept_without_being_root() -> None:
    assert make_image(Path("root"), Path("disk.img"), is_root=False)[:3] == ("unshare", "--map-root-user", "--map-auto")
    assert make_image(Path("root"), Path("disk.img"), is_root=True)[0] == "mke2fs"


def test_ssh_knows_the_vm_by_its_own_key_and_asks_no_agent() -> None:
    config = make_ssh_config(STATE, 2222)
    assert config.startswith("Host vagrant\n    HostName 127.0.0.1\n    Port 2222\n")
    for line in ("StrictHostKeyChecking yes", "IdentityAgent none", 'IdentityFile "/home/ada/my, state/key"'):
        assert f"    {line}\n" in config
    assert make_ssh(STATE, "true")[-2:] == ("vagrant", "true")


def test_vagrant_is_a_host_unless_collective_toml_has_one() -> None:
    assert find_host((), "vagrant") == find_host((), "tcp://localhost:4243") == VAGRANT_HOST
    own = Host("vagrant", "ssh://ops@vm", Place("collective.toml", 9))
    assert uri_of((own,), "vagrant") == "ssh://ops@vm"
    assert find_host((own,), "tcp://localhost:4243") is None
