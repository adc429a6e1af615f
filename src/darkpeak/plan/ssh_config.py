"""The block for `~/.ssh/config` with which members reach the services' ssh routes. Pure."""

from darkpeak.collective.model import Collective
from darkpeak.vocabulary import JUMP


def make_ssh_config(collective: Collective) -> list[str]:
    """Return the block's lines: through the jump server, or through TLS if plain ssh leads to a service."""
    hosts = [f"{service.name}.{collective.domain}" for service in collective.services if service.routes.ssh is not None]
    if not hosts:
        return []
    port = collective.router.ssh
    if any(service.routes.plain_ssh is not None for service in collective.services):
        tls = f"openssl s_client -quiet -verify_quiet -servername %h -connect {_address(collective, '%h')}:{port}"
        return [f"Host {' '.join(hosts)}", f"  ProxyCommand {tls}"]
    jump = f"{JUMP}.{collective.domain}"
    return [
        f"Host {jump}",
        f"  HostName {_address(collective, jump)}",
        f"  Port {port}",
        "",
        f"Host {' '.join(hosts)}",
        f"  ProxyJump {jump}",
    ]


def _address(collective: Collective, name: str) -> str:
    """Return the host name to connect to; the C library does not resolve names below localhost."""
    return "localhost" if collective.domain == "localhost" else name
