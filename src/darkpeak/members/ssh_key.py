"""A public ssh key as a value, and its checks. Pure."""

import base64
import hashlib
from dataclasses import dataclass

from darkpeak.errors import UsageError

# As in git's add-key.
KINDS = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
SHORTEST_RSA = 2048  # bits
MAKE = "make one: ssh-keygen -t ed25519"


@dataclass(frozen=True, order=True)
class Key:
    """A public key; `comment` may be empty."""

    kind: str
    body: str
    comment: str = ""

    @property
    def line(self) -> str:
        """The key as a line of an authorized_keys file."""
        return " ".join(filter(None, (self.kind, self.body, self.comment)))

    @property
    def fingerprint(self) -> str:
        """Its fingerprint, as ssh-keygen -l prints it."""
        digest = hashlib.sha256(base64.b64decode(self.body)).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def parse_key(text: str) -> Key:
    """Return the key of a `.pub` file.

    Raises:
        UsageError: when it is not one public key on one line, or when the key is too weak.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    words = lines[0].split(None, 2) if len(lines) == 1 else []
    kind, body, comment = (*words, "", "", "")[:3]
    if not body:
        raise UsageError("this is not one public key", hint="give the file that ends with .pub: one line")
    if kind not in KINDS:
        what = "DSA keys are too weak" if kind == "ssh-dss" else f"a public key does not begin with {kind[:40]!r}"
        raise UsageError(what, hint=MAKE)
    if not comment.isprintable():
        raise UsageError("the comment of the key cannot be printed", hint="remove it: it is what follows the key")
    parts = _parts(body)
    if not parts or parts[0] != kind.encode():
        raise UsageError("the key is damaged", hint="copy the whole line of the file that ends with .pub")
    if kind == "ssh-rsa" and int.from_bytes(parts[-1]).bit_length() < SHORTEST_RSA:
        raise UsageError(f"RSA keys need {SHORTEST_RSA} bits or more", hint=MAKE)
    return Key(kind, body, comment.strip())


def _parts(body: str) -> list[bytes]:
    """Return the fields of a key, each with its length before it; none if it is damaged."""
    try:
        rest = base64.b64decode(body, validate=True)
    except ValueError:  # also of characters that are not ASCII
        return []
    parts = []
    while rest:
        length = int.from_bytes(rest[:4])
        if len(rest) < 4 + length:
            return []
        parts.append(rest[4 : 4 + length])
        rest = rest[4 + length :]
    return parts
