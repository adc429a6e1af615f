"""Packages inside a container, as they would be had it been built before their last update."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.collectives import Collective

OLDER = """set -eu
dpkg-query --show --showformat '${Version}' hostname
sed -i '/^Package: hostname$/,/^$/s/^Version: .*/&~older/' /var/lib/dpkg/status
"""


def make_older(collective: Collective, service: str, container: str) -> tuple[str, str]:
    """Have dpkg believe that a package is older than it is; return that version, and the one it was."""
    version = collective.execute(service, container, "sh", "-c", OLDER).stdout
    return f"{version}~older", version
