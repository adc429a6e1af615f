"""`[certificates]` of collective.toml: the CA from which the router gets certificates."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from darkpeak.collective.model import Finding, Place
from darkpeak.collective.settings import Certificates
from darkpeak.collective.text import read_or_empty
from darkpeak.collective.tree import toml_line
from darkpeak.vocabulary import COLLECTIVE_FILE, HOOK, HTTPS_URL, PRIVATE_KEY, ROUTER

KEYS = ("acme", "contact", "dns", "trust")
EXAMPLE = 'write acme = "https://…/directory"; your CA\'s documentation has the address'
HOOKS = f"services/{ROUTER}/certificates/hooks"
# No public CA issues certificates for names below these: nobody owns them.
PRIVATE = ("test", "localhost", "invalid", "example", "internal", "local", "lan", "home", "arpa")


def read_certificates(root: Path, text: str, data: Any, domain: str) -> tuple[Certificates | None, list[Finding]]:
    """Return the settings (None if they name no CA, or are wrong) and the findings."""
    if not isinstance(data, dict):
        return None, []  # read.py has a finding for a wrong type
    findings = list(_wrong(root, text, data, domain))
    if findings:
        return None, findings
    trust = read_or_empty(root / data["trust"]) if "trust" in data else ""
    return Certificates(data["acme"], data.get("contact", ""), data.get("dns", ""), trust), []


def _wrong(root: Path, text: str, data: dict[str, Any], domain: str) -> Iterator[Finding]:
    for key, value in data.items():
        if key not in KEYS:
            yield _finding(text, key, "unknown-key", f"unknown key {key}", f"the known keys are {', '.join(KEYS)}")
        elif not isinstance(value, str):
            yield _finding(text, key, "wrong-type", f"{key} must be text in quotes", f"write {key} as text in quotes")
    texts = {key: value for key, value in data.items() if isinstance(value, str)}
    if "acme" not in data:
        yield _finding(text, "", "missing-key", "acme is missing", EXAMPLE)
    elif "acme" in texts and not HTTPS_URL.fullmatch(texts["acme"]):
        yield _finding(text, "acme", "acme", f"{texts['acme']!r} is not an https address", EXAMPLE)
    elif "acme" in texts and "trust" not in data and domain.rpartition(".")[2] in PRIVATE:
        hint = 'remove [certificates] to use the collective\'s own CA; for another private CA, write trust = "FILE"'
        yield _finding(text, "acme", "acme-domain", f"no public CA issues certificates for {domain}", hint)
    if "contact" in texts and ("@" not in texts["contact"] or set(texts["contact"]) & set(" :,")):
        hint = 'write contact = "admins@collective.example"'
        yield _finding(text, "contact", "contact", f"{texts['contact']!r} is not a mail address", hint)
    if "dns" in texts:
        yield from _wrong_hook(root, text, texts["dns"])
    if "trust" in texts:
        yield from _wrong_trust(root, text, texts["trust"])


def _wrong_hook(root: Path, text: str, name: str) -> Iterator[Finding]:
    file = root / HOOKS / name
    if not HOOK.fullmatch(name) or not file.is_file():
        hint = f"put an executable file there that takes present|cleanup NAME VALUE (see {HOOKS}/README.md)"
        yield _finding(text, "dns", "no-such-hook", f"there is no {HOOKS}/{name}", hint)
    elif not os.access(file, os.X_OK):
        yield _finding(
            text, "dns", "no-such-hook", f"{HOOKS}/{name} is not executable", f"run: chmod +x {HOOKS}/{name}"
        )


def _wrong_trust(root: Path, text: str, name: str) -> Iterator[Finding]:
    content = read_or_empty(root / name)
    if "-----BEGIN CERTIFICATE-----" not in content:
        hint = "save your CA's root certificate there, in PEM"
        yield _finding(text, "trust", "trust", f"{name} contains no certificate", hint)
    elif PRIVATE_KEY in content:
        hint = "keep only the certificate in it, and remove the key from git's history too"
        yield _finding(text, "trust", "trust", f"{name} contains a private key", hint)


def _finding(text: str, key: str, rule: str, what: str, hint: str) -> Finding:
    return Finding(Place(COLLECTIVE_FILE, toml_line(text, "certificates", *([key] if key else []))), rule, what, hint)
