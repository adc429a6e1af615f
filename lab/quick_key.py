"""Make a restic repository quick to open, for tests that open one a thousand times.

restic makes its key so that each opening takes half a second of processor time, against guessing. A test's password
needs no such protection. Only this cost changes: restic and all data are the real ones. The format of a key file:
https://restic.readthedocs.io/en/stable/100_references.html#keys-encryption-and-mac
"""

from __future__ import annotations

import hashlib
import json
import os
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

if TYPE_CHECKING:
    from pathlib import Path

QUICK = {"N": 1024, "r": 1, "p": 1}  # of scrypt: a millisecond
MEMORY = 256 << 20  # bytes that scrypt may use for the old key


def write(repository: Path, password: str) -> None:
    """Replace each key file in a repository's folder by one for the same password that opens at once."""
    for path in list((repository / "keys").iterdir()):
        content = json.dumps(quicken(json.loads(path.read_text()), password.encode())).encode()
        path.with_name(hashlib.sha256(content).hexdigest()).write_bytes(content)
        path.unlink()


def quicken(key: dict[str, Any], password: bytes) -> dict[str, Any]:
    """Return the content of a key file with the same secrets, encrypted again at a low cost."""
    sealed = b64decode(key["data"])
    secrets = counter(derive(key, password)[:32], sealed[:16], sealed[16:-16])
    quick = {**key, **QUICK, "salt": b64encode(os.urandom(64)).decode()}
    derived, nonce = derive(quick, password), os.urandom(16)
    hidden = counter(derived[:32], nonce, secrets)
    one_time = derived[48:] + aes(derived[32:48], modes.ECB(), nonce)  # noqa: S305 (a single block)
    return quick | {"data": b64encode(nonce + hidden + Poly1305.generate_tag(one_time, hidden)).decode()}


def derive(key: dict[str, Any], password: bytes) -> bytes:
    """Return what restic derives from a password: 32 bytes to encrypt with, and 32 to authenticate with."""
    cost = {"n": key["N"], "r": key["r"], "p": key["p"], "maxmem": MEMORY}
    return hashlib.scrypt(password, salt=b64decode(key["salt"]), dklen=64, **cost)


def counter(key: bytes, nonce: bytes, text: bytes) -> bytes:
    """Encrypt or decrypt in counter mode, where both are the same."""
    return aes(key, modes.CTR(nonce), text)


def aes(key: bytes, mode: modes.CTR | modes.ECB, text: bytes) -> bytes:
    """Encrypt with AES."""
    return Cipher(algorithms.AES(key), mode).encryptor().update(text)
