"""A public ssh key that a member gives, as a value. Pure: what is wrong with one is the name of a text of the page."""

import base64
import hashlib
from dataclasses import dataclass

# As in `darkpeak member ssh-key` and git's add-key.
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
LONGEST = 4096  # characters, as the directory allows


class BadKeyError(ValueError):
    """It is not a good key; the text is a name in texts/."""


@dataclass(frozen=True)
class Key:
    """A public key; `comment` may be empty."""

    kind: str
    body: str
    comment: str = ""

    @property
    def line(self) -> str:
        """The key as the directory has it."""
        return " ".join(filter(None, (self.kind, self.body, self.comment)))

    @property
    def fingerprint(self) -> str:
        """Its fingerprint, as ssh-keygen -l prints it."""
        digest = hashlib.sha256(base64.b64decode(self.body)).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def split_key(line: str) -> Key:
    """Return a key that the directory has."""
    kind, body, comment = (*line.split(None, 2), "", "", "")[:3]
    return Key(kind, body, comment)


def parse_key(text: str) -> Key:
    """Return the one key of a `.pub` file; raise BadKeyError for anything else, also for options before it."""
    lines = [line for line in text.splitlines() if line.strip()]
    key = split_key(lines[0].strip()) if len(lines) == 1 else Key("", "")
    if not key.body or len(key.line) > LONGEST:
        raise BadKeyError("key_none")
    if key.kind not in KINDS:
        raise BadKeyError("key_weak" if key.kind == "ssh-dss" else "key_kind")
    parts = _parts(key.body)
    if not parts or parts[0] != key.kind.encode() or not key.comment.isprintable():
        raise BadKeyError("key_damaged")
    if key.kind == "ssh-rsa" and int.from_bytes(parts[-1]).bit_length() < SHORTEST_RSA:
        raise BadKeyError("key_weak")
    return key


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
