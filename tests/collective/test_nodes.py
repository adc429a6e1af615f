"""The nodes of a swarm are written into collective.toml, and its comments stay."""

import pytest

from darkpeak.collective.nodes import with_nodes

TEXT = """\
name = "x"  # ours

[hosts.cluster]
docker = "ssh://a"
swarm = true  # three machines

[hosts.other]
docker = "ssh://x"
"""
ONE = TEXT.replace("machines\n", 'machines\nnodes = ["ssh://b"]\n')


@pytest.mark.parametrize(
    ("before", "nodes", "after"),
    [
        (TEXT, ("ssh://b",), ONE),
        (ONE, ("ssh://b", "ssh://c"), ONE.replace('"ssh://b"', '"ssh://b", "ssh://c"')),
        (ONE, (), TEXT),
        (
            '[hosts.cluster]\ndocker = "ssh://a"',
            ("ssh://b",),
            '[hosts.cluster]\ndocker = "ssh://a"\nnodes = ["ssh://b"]\n',
        ),
        ('[hosts]\ncluster = {docker = "ssh://a"}\n', ("ssh://b",), None),
        ("[hosts.other]\n", ("ssh://b",), None),
    ],
    ids=["the first", "another", "none", "no line break", "in one line", "another host"],
)
def test_nodes_are_written(before: str, nodes: tuple[str, ...], after: str | None) -> None:
    assert with_nodes(before, "cluster", nodes) == after
