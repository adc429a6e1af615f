"""Old ciphers of TLS 1.2, which no port of ours accepts, and those that it does."""

from __future__ import annotations

from lab.commands import run

ACCEPTED = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": True,
    "ECDHE-ECDSA-CHACHA20-POLY1305": True,
    "ECDHE-ECDSA-AES128-SHA": False,
    "ECDHE-ECDSA-AES256-SHA384": False,
}


def accepts(port: int, cipher: str) -> bool:
    """Return whether a port of this host accepts a cipher."""
    argv = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0"]
    return f"Cipher is {cipher}" in run(argv, check=False, stdin="", timeout=20).stdout
