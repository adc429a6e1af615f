"""A service is the same after it was kept as JSON, with each value that it can have."""

import json
from pathlib import Path

from darkpeak import collective
from darkpeak.collective.model import Service
from darkpeak.collective.packed import pack, unpack
from tests.making import edit, write_collective


def test_a_service_with_a_login_is_the_same_after_it_was_kept(tmp_path: Path) -> None:
    write_collective(tmp_path)
    edit(tmp_path, "services/wiki/docker-compose.yml", "  kind: user", "  kind: user\n  login: {oidc: [/a, /b]}")
    for service in collective.read(tmp_path)[0].services:
        kept = json.loads(json.dumps(pack(service)))
        assert unpack(Service, kept) == service
