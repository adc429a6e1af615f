"""Ask a registry which digest a tag has now: by a HEAD request, which counts as no download where those are limited.

The protocol is that of the OCI distribution specification, with its tokens. What a registry says is believed only if it
can be right: a new digest is compared with what the registry sends under that name.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from darkpeak.engine.logins import find_login
from darkpeak.packages.container import CannotTell
from darkpeak.packages.references import DIGEST, LOOPBACK, Reference
from darkpeak.vocabulary import MIB

if TYPE_CHECKING:
    from requests import Response, Session

SECONDS = (10, 30)  # to connect, and between two parts of an answer
LARGEST = 4 * MIB  # of a manifest, or of an answer with a token: the specification's own limit
ACCEPTED = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.index.v1",
        "docker.distribution.manifest.list.v2",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.v2",
    )
)
PARAMETER = re.compile(r'(\w+)="([^"]*)"')
TOKEN = re.compile(r"[!-~]+")
OK, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, LIMITED = 200, 401, 403, 404, 429


@dataclass(frozen=True)
class Challenge:
    """What a registry wants before it answers."""

    scheme: str  # bearer or basic
    realm: str
    parameters: tuple[tuple[str, str], ...]


def find_digest(reference: Reference) -> str:
    """Return the digest that the registry has for a tag now.

    Raises:
        CannotTell: when it does not answer as a registry does, limits requests, or has no such tag.
    """
    import requests

    try:
        with requests.Session() as session:
            return _find(session, reference)
    except requests.Timeout as error:
        raise CannotTell(f"the registry {reference.registry} does not answer in time") from error
    except requests.exceptions.SSLError as error:
        raise CannotTell(f"the registry {reference.registry} has no valid certificate") from error
    except (requests.RequestException, ValueError) as error:
        raise CannotTell(f"the registry {reference.registry} does not answer ({type(error).__name__})") from error


def _find(session: Session, reference: Reference) -> str:
    url = f"{reference.url}/manifests/{reference.tag}"
    session.headers.update({"Accept": ACCEPTED})
    session.auth = _unchanged  # a .netrc of this machine is for others
    answer = session.head(url, timeout=SECONDS, allow_redirects=True)
    if answer.status_code == UNAUTHORIZED:
        header = authorization(session, reference, read_challenge(answer.headers.get("WWW-Authenticate", "")))
        session.headers["Authorization"] = header
        answer = session.head(url, timeout=SECONDS, allow_redirects=True)
    _check(answer, reference)
    said = answer.headers.get("Docker-Content-Digest", "")
    if not DIGEST.fullmatch(said):
        raise CannotTell(f"{reference.registry} does not answer as a registry: it names no digest of {reference.name}")
    if said != reference.digest:
        _compare(session, reference, said)
    return said


def _unchanged(request: Any) -> Any:
    return request


def _compare(session: Session, reference: Reference, said: str) -> None:
    """Get what the registry has under a digest, which must be its hash."""
    with session.get(f"{reference.url}/manifests/{said}", timeout=SECONDS, stream=True) as answer:
        _check(answer, reference)
        content = _read(answer, reference)
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != said:
        raise CannotTell(f"the registry {reference.registry} lies: what it sends as {said} has another digest")


def _read(answer: Response, reference: Reference) -> bytes:
    content = b""
    for part in answer.iter_content(64 * 1024):
        content += part
        if len(content) > LARGEST:
            raise CannotTell(f"the registry {reference.registry} sends too much")
    return content


def _check(answer: Response, reference: Reference) -> None:
    """Refuse every answer but a good one."""
    registry, code = reference.registry, answer.status_code
    after = answer.headers.get("Retry-After", "")
    if code == LIMITED:
        when = f": ask again in {after} s" if after.isdigit() else ""
        raise CannotTell(f"the registry {registry} limits how often it may be asked{when}")
    if code in (UNAUTHORIZED, FORBIDDEN):
        raise CannotTell(f"the registry {registry} wants a login for {reference.name}: docker login {registry}")
    if code == NOT_FOUND:
        raise CannotTell(f"the registry {registry} has no {reference.name}")
    if code != OK:
        raise CannotTell(f"the registry {registry} answers with an error ({code})")


def read_challenge(header: str) -> Challenge:
    """Return what a header WWW-Authenticate asks for."""
    scheme, _, rest = header.strip().partition(" ")
    found = dict(PARAMETER.findall(rest))
    return Challenge(scheme.lower(), found.pop("realm", ""), tuple(sorted(found.items())))


def authorization(session: Session, reference: Reference, challenge: Challenge) -> str:
    """Return the header Authorization that a registry wants, with a login of this machine if there is one.

    Raises:
        CannotTell: when it cannot be had.
    """
    from requests.auth import HTTPBasicAuth

    login = find_login(reference.registry)
    if challenge.scheme == "basic" and login:
        return f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"
    if challenge.scheme != "bearer":
        raise CannotTell(f"the registry {reference.registry} wants a login: docker login {reference.registry}")
    realm = urlsplit(challenge.realm)
    if realm.scheme != "https" and not LOOPBACK.fullmatch(realm.hostname or ""):
        raise CannotTell(f"the registry {reference.registry} wants a login at an address without TLS")
    wanted = {"service": "", "scope": f"repository:{reference.repository}:pull", **dict(challenge.parameters)}
    parameters = {key: wanted[key] for key in ("service", "scope") if wanted[key]}
    auth = HTTPBasicAuth(*login) if login else _unchanged
    with session.get(challenge.realm, params=parameters, auth=auth, timeout=SECONDS, stream=True) as answer:
        _check(answer, reference)
        token = _token(_read(answer, reference))
    if not token:
        raise CannotTell(f"the registry {reference.registry} gives no token")
    return f"Bearer {token}"


def _token(content: bytes) -> str:
    """Return the token in an answer; empty if it has none that can be in a header."""
    found = json.loads(content)
    token = found.get("token") or found.get("access_token") if isinstance(found, Mapping) else ""
    return token if isinstance(token, str) and TOKEN.fullmatch(token) else ""
