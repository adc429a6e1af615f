"""Facts that are read from the engine's answers and from a container's output."""

from darkpeak.engine.facts import read_clock, read_machine, read_network, read_published
from darkpeak.plan.facts import HostMachine, Network, Published

SAID = """\
Filesystem     1024-blocks     Used Available Capacity Mounted on
overlay          26214400  5242880  20971520      20% /

Filesystem      Inodes  IUsed   IFree IUse% Mounted on
overlay        1638400 163840 1474560   10% /

MemTotal:        2097152 kB
MemAvailable:    1048576 kB

  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   1: 0100007F:177A 0100007F:8000 01 00000000:00000000 00:00000000 00000000     0        0 2
  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000000000000:1BA8 00000000000000000000000000000000:0000 0A 00000000

Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
eth0 00000000 0100A8C0 0003 0 0 0 00000000 0 0 0
eth0 0000A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0
tun0 0000000A 00000000 0001 0 0 0 000000FF 0 0 0
tun0 00000000 00000000 0001 0 0 0 00000080 0 0 0
br-1 000A3C0A 00000000 0001 0 0 0 00FFFFFF 0 0 0
"""


def test_a_machine_is_read() -> None:
    expected = HostMachine(20 << 30, 25 << 30, 90, 1 << 30, frozenset({22, 7080}), ("10.0.0.0/8", "192.168.0.0/24"))
    assert read_machine(SAID) == expected


def test_incomplete_output_gives_no_machine() -> None:
    assert read_machine(SAID.rpartition("\n\n")[0]) is None


def test_a_network_is_read() -> None:
    item = {
        "Name": "darkpeak-directory",
        "Labels": {"com.docker.compose.project": "darkpeak-directory"},
        "IPAM": {"Config": [{"Subnet": "10.60.20.0/24"}]},
    }
    assert read_network(item) == Network("darkpeak-directory", "darkpeak-directory", ("10.60.20.0/24",))
    assert read_network({"Name": "host", "Labels": None, "IPAM": {"Config": None}}) == Network("host", "", ())


def test_the_engines_nanoseconds_are_read() -> None:
    assert read_clock("2026-01-01T00:00:00.123456789Z") == 1767225600.123456
    assert read_clock("2026-01-01T01:00:00+01:00") == 1767225600


def test_published_ports_are_at_the_address_in_the_first_network() -> None:
    networks = {"zoo": {"IPAddress": "10.60.20.3"}, "chat": {"IPAddress": "10.60.30.2", "GlobalIPv6Address": "fd00::2"}}
    ports = [
        {"PrivatePort": 53, "PublicPort": 6050, "Type": "udp", "IP": "127.0.0.1"},
        {"PrivatePort": 53, "PublicPort": 6050, "Type": "udp", "IP": "::1"},
        {"PrivatePort": 80, "Type": "tcp"},
    ]
    item = {"Labels": {}, "Ports": ports, "NetworkSettings": {"Networks": networks}}
    assert list(read_published(item)) == [
        Published("", "10.60.30.2", 53, "udp"),
        Published("", "[fd00::2]", 53, "udp"),
    ]
    assert list(read_published({"Labels": {}, "Ports": None, "NetworkSettings": {"Networks": {"host": {}}}})) == []
