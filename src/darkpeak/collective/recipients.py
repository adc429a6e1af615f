"""Which admins can open the backup key: read from the encrypted file itself."""

import base64
import hashlib
import re

from darkpeak.collective.model import Collective
from darkpeak.collective.text import NotReadable, read_bytes
from darkpeak.vocabulary import KEY_FILE


def openers(collective: Collective) -> tuple[str, ...]:
    """Return the names of the admins who can open the key file."""
    try:
        found = set(tags(read_bytes(collective.root / KEY_FILE)))
    except NotReadable:
        return ()
    return tuple(admin.name for admin in collective.admins if any(tag(line) in found for line in admin.ssh))


def tags(sealed: bytes) -> list[str]:
    """Return the tags of the ssh keys that an age file is encrypted to."""
    text = sealed.decode("ascii", errors="replace")
    if text.startswith("-----BEGIN"):
        try:
            sealed = base64.b64decode("".join(text.strip().splitlines()[1:-1]))
        except ValueError:
            return []
    header = sealed.partition(b"\n---")[0].decode("ascii", errors="replace")
    return re.findall(r"^-> ssh-(?:ed25519|rsa) (\S+)", header, re.MULTILINE)


def tag(line: str) -> str:
    """Return the tag of an ssh public key, as age computes it; empty if this is not a key."""
    words = line.split()
    try:
        return base64.b64encode(hashlib.sha256(base64.b64decode(words[1])).digest()[:4]).decode().rstrip("=")
    except (IndexError, ValueError):  # also letters that are not ASCII
        return ""


def public_part(line: str) -> str:
    """Return what two lines of the same ssh public key share, its kind and value; empty if this is not a key."""
    return " ".join(line.split()[:2]) if is_public_key(line) else ""


def is_public_key(line: str) -> bool:
    """Return whether a line is an ssh public key: its kind, then a value in base64 that begins with the same kind."""
    words = line.split()
    try:
        value = base64.b64decode(words[1], validate=True)
    except (IndexError, ValueError):
        return False
    kind = words[0].encode()
    return value.startswith(len(kind).to_bytes(4) + kind) and len(value) > 4 + len(kind)
