"""How a daemon is reached: by its URI, by DOCKER_HOST with TLS where that asks for it, or by a docker context."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from darkpeak import process
from darkpeak.collective.uri import Uri, parse_uri
from darkpeak.engine import ssh
from darkpeak.errors import SystemFailure

SET_BY_US = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_TLS", "DOCKER_CERT_PATH")
CERTIFICATES = ("ca.pem", "cert.pem", "key.pem")


@dataclass(frozen=True)
class Tls:
    """The folder with ca.pem, cert.pem and key.pem, and whether the daemon's own certificate must be good."""

    folder: Path
    verify: bool = True


@dataclass(frozen=True)
class Endpoint:
    """A daemon's URI, and the environment in which `docker`, compose and the services' scripts find it."""

    uri: str
    environment: Mapping[str, str] = field(repr=False)
    tls: Tls | None = None

    def arguments(self) -> dict[str, Any]:
        """Return what the library's client is told."""
        from docker.tls import TLSConfig

        if self.tls is None:
            return {"base_url": self.uri}
        authority, certificate, key = (str(self.tls.folder / name) for name in CERTIFICATES)
        config = TLSConfig(client_cert=(certificate, key), ca_cert=authority, verify=self.tls.verify)
        return {"base_url": self.uri, "tls": config}


def resolve(host: str | None, surroundings: Mapping[str, str]) -> Endpoint:
    """Return how to reach a daemon: `host`, else DOCKER_HOST, else the docker context, else the usual socket.

    Raises:
        SystemFailure: when ssh finds no way in, or the context or a certificate is not there.
    """
    uri = host or surroundings.get("DOCKER_HOST")
    if uri:
        kept = {key: value for key, value in surroundings.items() if key != "DOCKER_CONTEXT"}
        return _through_ssh(uri, surroundings) or Endpoint(uri, kept | {"DOCKER_HOST": uri}, _tls(surroundings))
    name = _context_name(surroundings)
    if not name:
        return Endpoint("unix:///var/run/docker.sock", surroundings)
    uri, tls = _read_context(name, surroundings)
    return _through_ssh(uri, surroundings) or Endpoint(uri, surroundings, tls)


def _through_ssh(uri: str, surroundings: Mapping[str, str]) -> Endpoint | None:
    """Return the near end of an ssh connection, where the URI is one of ssh."""
    parsed = parse_uri(uri)
    if uri.startswith("ssh:") and parsed is None:
        raise SystemFailure(f"{uri!r} is not a valid Docker URI", hint="write ssh://USER@HOST[:PORT][/SOCKET]")
    if parsed is None or parsed.scheme != "ssh":
        return None
    near = f"unix://{ssh.connect(parsed).socket}"
    kept = {key: value for key, value in surroundings.items() if key not in SET_BY_US}
    return Endpoint(near, kept | {"DOCKER_HOST": near})


def _tls(surroundings: Mapping[str, str]) -> Tls | None:
    """Return what DOCKER_TLS_VERIFY and DOCKER_CERT_PATH say, as `docker` understands them."""
    verify = bool(surroundings.get("DOCKER_TLS_VERIFY"))
    if not verify and not surroundings.get("DOCKER_TLS"):
        return None
    folder = Path(surroundings.get("DOCKER_CERT_PATH") or Path.home() / ".docker")
    return _checked(Tls(folder, verify))


def _checked(tls: Tls) -> Tls:
    missing = [name for name in CERTIFICATES if not (tls.folder / name).is_file()]
    if missing:
        message = f"no {missing[0]} in {tls.folder}, and this daemon is to be reached with TLS"
        raise SystemFailure(message, hint="DOCKER_CERT_PATH names the folder with ca.pem, cert.pem and key.pem")
    return tls


def _context_name(surroundings: Mapping[str, str]) -> str:
    """Return the docker context in use; empty where it is the default one."""
    name = surroundings.get("DOCKER_CONTEXT", "")
    if not name:
        folder = Path(surroundings.get("DOCKER_CONFIG") or Path.home() / ".docker")
        try:
            name = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("currentContext", "")
        except (OSError, ValueError, AttributeError):
            name = ""
    return "" if name == "default" else str(name)


def _read_context(name: str, surroundings: Mapping[str, str]) -> tuple[str, Tls | None]:
    """Return a context's URI and TLS, from `docker` itself: it alone knows where it keeps them."""
    shown = process.run(("docker", "context", "inspect", name), environment=surroundings)
    try:
        context = json.loads(shown.stdout)[0]
        endpoint = context["Endpoints"]["docker"]
    except (ValueError, LookupError) as error:
        message = f"there is no docker context called {name}"
        raise SystemFailure(message, hint="docker context ls shows them") from error
    if not context.get("TLSMaterial", {}).get("docker"):
        return str(endpoint["Host"]), None
    folder = Path(context["Storage"]["TLSPath"]) / "docker"
    return str(endpoint["Host"]), _checked(Tls(folder, verify=not endpoint.get("SkipTLSVerify", False)))


def is_open_to_all(uri: str, tls: Tls | None) -> bool:
    """Whether anybody on the network between could drive this daemon, and with it the machine."""
    parsed: Uri | None = parse_uri(uri)
    return parsed is not None and parsed.scheme == "tcp" and not parsed.loopback and tls is None
