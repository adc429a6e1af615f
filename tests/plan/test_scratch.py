"""The scratch project of a drill: no connection may lead into it or out of it."""

from itertools import islice

import pytest

from darkpeak.actions.drill import compare
from darkpeak.errors import SystemFailure
from darkpeak.plan.scratch import free_subnets, make_scratch
from darkpeak.repository.snapshots import Part

LIVE = {
    "name": "darkpeak-chat",
    "services": {
        "prosody": {
            "build": {"context": "/chat/prosody"},
            "container_name": "chat",
            "depends_on": {"database": {"condition": "service_healthy"}},
            "environment": {"DOMAIN": "localhost"},
            "networks": {"default": None, "directory": {"aliases": ["chat"], "ipv4_address": "10.60.30.9"}},
            "ports": [{"host_ip": "127.0.0.1", "published": "6030", "target": 5280}],
            "restart": "unless-stopped",
            "volumes": [
                {"type": "volume", "source": "data", "target": "/data"},
                {"type": "volume", "source": "trust", "target": "/trust"},
            ],
        },
        "database": {"build": {"context": "/chat/database"}, "network_mode": "host", "pid": "host"},
        "side": {"build": {"context": "/chat/side"}, "network_mode": "service:database"},
    },
    "networks": {
        "default": {"name": "darkpeak-chat_default", "ipam": {"config": [{"subnet": "10.60.30.0/24"}]}},
        "directory": {"name": "darkpeak-directory", "external": True},
    },
    "volumes": {
        "data": {"name": "darkpeak-chat_data"},
        "own": {"name": "a-name-of-its-own"},
        "trust": {"name": "darkpeak-trust", "external": True},
    },
}
LABELS = {"darkpeak.drill": "scratch"}
IMAGES = {"prosody": "sha256:1", "database": "sha256:2", "side": "sha256:3"}


def test_a_scratch_project_has_no_connection_to_the_outside() -> None:
    assert make_scratch(LIVE, "darkpeak-chat-drill", IMAGES, free_subnets([])) == {
        "name": "darkpeak-chat-drill",
        "services": {
            "prosody": {
                "depends_on": {"database": {"condition": "service_healthy"}},
                "environment": {"DOMAIN": "localhost"},
                "image": "sha256:1",
                "labels": LABELS,
                "networks": {"default": None, "directory": {"aliases": ["chat"]}},
                "pull_policy": "never",
                "volumes": [
                    {"type": "volume", "source": "data", "target": "/data"},
                    {"type": "volume", "source": "trust", "target": "/trust", "read_only": True},
                ],
            },
            "database": {
                "image": "sha256:2",
                "labels": LABELS,
                "networks": {"default": None},
                "pull_policy": "never",
            },
            "side": {
                "image": "sha256:3",
                "labels": LABELS,
                "network_mode": "service:database",
                "pull_policy": "never",
            },
        },
        "networks": {
            "default": {"internal": True, "ipam": {"config": [{"subnet": "10.61.0.0/24"}]}},
            "directory": {"internal": True, "ipam": {"config": [{"subnet": "10.61.1.0/24"}]}},
        },
        "volumes": {"data": {}, "own": {}, "trust": {"name": "darkpeak-trust", "external": True}},
    }


def test_what_compose_prints_in_a_way_that_it_cannot_read_is_corrected() -> None:
    """The device limits of blkio_config are the only keys of the specification that compose 2.26 prints like this."""
    limits = {"weight": 10, "weight_device": [{"Path": "/dev/vda", "Weight": 300}]}
    live = {"services": {"web": {"blkio_config": limits}}}
    scratch = make_scratch(live, "copy", {"web": "sha256:1"}, free_subnets([]))
    right = {"weight": 10, "weight_device": [{"path": "/dev/vda", "weight": 300}]}
    assert scratch["services"]["web"]["blkio_config"] == right


def test_only_free_subnets_are_used() -> None:
    used = ["172.17.0.0/16", "10.61.0.0/24", "10.61.2.128/25", "fd00::/64"]
    assert list(islice(free_subnets(used), 2)) == ["10.61.1.0/24", "10.61.3.0/24"]
    with pytest.raises(SystemFailure):
        next(free_subnets(["10.0.0.0/8"]))


SAVED = {"a.sql": Part(1000, ""), "b.tar": Part(10, "", 4)}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (SAVED, []),
        ({**SAVED, "more": Part(1, "")}, []),
        ({**SAVED, "a.sql": Part(901, "")}, []),
        ({**SAVED, "a.sql": Part(899, "")}, ["a.sql had 1000 bytes, and has 899 after the restore"]),
        ({**SAVED, "b.tar": Part(10, "", 3)}, ["b.tar had 4 rows, and has 3 after the restore"]),
        ({"b.tar": SAVED["b.tar"]}, ["a.sql is in the snapshot, but not in the restored copy"]),
    ],
    ids=["the same", "one more", "a little less", "less", "fewer rows", "missing"],
)
def test_restored_parts_are_compared_with_the_snapshot(found: dict[str, Part], said: list[str]) -> None:
    assert compare(SAVED, found) == said
