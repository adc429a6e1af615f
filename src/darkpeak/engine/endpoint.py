"""How a daemon is reached: by a URI, by DOCKER_HOST (with TLS if that is set), or by a docker context."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from darkpeak import process
from darkpeak.collective.uri import Uri, parse_uri
from darkpeak.engine import ssh
from darkpeak.engine.api import CERTIFICATES, Api, Tls
from darkpeak.errors import SystemFailure

SET_BY_US = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_TLS", "DOCKER_CERT_PATH")
DEFAULT_SOCKET = "unix:///var/run/docker.sock"


@dataclass(frozen=True)
class Endpoint:
    """A daemon's URI, and the environment variables with which `docker`, compose and scripts reach it."""

    uri: str
    environment: Mapping[str, str] = field(repr=False)
    tls: Tls | None = None
    connection: ssh.Connection | None = None

    @property
    def lost(self) -> str:
        """What to say if it is reached by an ssh connection that is lost; else empty."""
        lost = self.connection is not None and self.connection.lost
        return f"the ssh connection to {self.connection.name} was lost" if self.connection and lost else ""

    def cut(self) -> None:
        """End all that waits for an answer through it: programs, and over ssh also requests."""
        if self.connection:
            self.connection.close()
        process.end_users_of(self.environment.get("DOCKER_HOST", self.uri))

    @property
    def api(self) -> Api:
        """Its API."""
        return Api(self.uri, self.tls)


def resolve(host: str | None, environment: Mapping[str, str], *, asks: bool = True) -> Endpoint:
    """Return how to reach a daemon: `host`, else DOCKER_HOST, else the docker context, else the default socket.

    Unless it `asks`, ssh asks nobody for a passphrase.

    Raises:
        SystemFailure: when ssh cannot log in, or when the context or a certificate does not exist.
    """
    uri = host or environment.get("DOCKER_HOST")
    if uri:
        kept = {key: value for key, value in environment.items() if key != "DOCKER_CONTEXT"}
        found = _through_ssh(uri, environment, asks=asks)
        return found or Endpoint(uri, kept | {"DOCKER_HOST": uri}, _tls(environment))
    name = _context_name(environment)
    if not name:
        return Endpoint(DEFAULT_SOCKET, environment)
    uri, tls = _read_context(name, environment)
    return _through_ssh(uri, environment, asks=asks) or Endpoint(uri, environment, tls)


def _through_ssh(uri: str, environment: Mapping[str, str], *, asks: bool) -> Endpoint | None:
    """Return the local end of an ssh connection if the URI is one of ssh, else None."""
    parsed = parse_uri(uri)
    if uri.startswith("ssh:") and parsed is None:
        raise SystemFailure(f"{uri!r} is not a valid Docker URI", hint="write ssh://USER@HOST[:PORT][/SOCKET]")
    if parsed is None or parsed.scheme != "ssh":
        return None
    connection = ssh.connect(parsed, asks=asks)
    local = f"unix://{connection.socket}"
    kept = {key: value for key, value in environment.items() if key not in SET_BY_US}
    return Endpoint(local, kept | {"DOCKER_HOST": local}, connection=connection)


def _tls(environment: Mapping[str, str]) -> Tls | None:
    """Return the settings of DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, as `docker` reads them."""
    verify = bool(environment.get("DOCKER_TLS_VERIFY"))
    if not verify and not environment.get("DOCKER_TLS"):
        return None
    folder = Path(environment.get("DOCKER_CERT_PATH") or Path.home() / ".docker")
    return _checked(Tls(folder, verify))


def _checked(tls: Tls) -> Tls:
    missing = [name for name in CERTIFICATES if not (tls.folder / name).is_file()]
    if missing:
        message = f"there is no {missing[0]} in {tls.folder}, which this daemon needs for TLS"
        raise SystemFailure(message, hint="set DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem")
    return tls


def _context_name(environment: Mapping[str, str]) -> str:
    """Return the docker context in use; empty if it is the default one."""
    name = environment.get("DOCKER_CONTEXT", "")
    if not name:
        folder = Path(environment.get("DOCKER_CONFIG") or Path.home() / ".docker")
        try:
            name = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("currentContext", "")
        except (OSError, ValueError, AttributeError):
            name = ""
    return "" if name == "default" else str(name)


def _read_context(name: str, environment: Mapping[str, str]) -> tuple[str, Tls | None]:
    """Return a context's URI and TLS settings, from `docker` itself, which knows where it keeps them."""
    shown = process.run(("docker", "context", "inspect", name), environment=environment)
    try:
        context = json.loads(shown.stdout)[0]
        endpoint = context["Endpoints"]["docker"]
    except (ValueError, LookupError) as error:
        message = f"there is no docker context {name}"
        raise SystemFailure(message, hint="list the contexts: docker context ls") from error
    if not context.get("TLSMaterial", {}).get("docker"):
        return str(endpoint["Host"]), None
    folder = Path(context["Storage"]["TLSPath"]) / "docker"
    return str(endpoint["Host"]), _checked(Tls(folder, verify=not endpoint.get("SkipTLSVerify", False)))


def default_name(environment: Mapping[str, str]) -> str:
    """Return what to call the daemon that is used without --host and DOCKER_HOST."""
    name = _context_name(environment)
    return f"the docker context {name}" if name else DEFAULT_SOCKET


def how_to_reach(error: str) -> str:
    """Return what to do if no engine answers, by the error."""
    if "Permission denied" in error:
        return "join the group docker (it is as powerful as root), then log out and in: sudo adduser $USER docker"
    if "HTTP request to an HTTPS server" in error:
        return "it needs TLS: set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of the certificates"
    return "start it (systemctl start docker; Debian's package: docker.io), or name another: --host, DOCKER_HOST"


def is_open_to_all(uri: str, tls: Tls | None) -> bool:
    """Return whether everyone on the network can control this daemon, and with it its machine."""
    parsed: Uri | None = parse_uri(uri)
    return parsed is not None and parsed.scheme == "tcp" and not parsed.loopback and tls is None


def in_short(error: BaseException) -> str:
    """Return the message of an error, without its number."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return text.splitlines()[0] if text else type(error).__name__
