"""Make a package in a container old, as if the image had been built before the package's last update."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.collectives import Collective

OLDER = """set -eu
dpkg-query --show --showformat '${Version}' hostname
sed -i '/^Package: hostname$/,/^$/s/^Version: .*/&~older/' /var/lib/dpkg/status
"""


def make_older(collective: Collective, service: str, container: str) -> tuple[str, str]:
    """Write an older version of a package into dpkg's list; return that version and the real one."""
    version = collective.execute(service, container, "sh", "-c", OLDER).stdout
    return f"{version}~older", version
