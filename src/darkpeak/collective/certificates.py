"""`[certificates]` of collective.toml: the CA that certifies the collective's names to everyone."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from darkpeak.collective.model import Certificates, Finding, Place
from darkpeak.collective.tree import toml_line
from darkpeak.vocabulary import COLLECTIVE_FILE, HOOK, HTTPS_URL, PRIVATE_KEY, ROUTER

KEYS = ("acme", "contact", "dns", "trust")
EXAMPLE = 'write acme = "https://…/directory", as your CA\'s documentation has it'
HOOKS = f"services/{ROUTER}/certificates/hooks"
# No public CA certifies what is below these: they are nobody's.
NOBODYS = ("test", "localhost", "invalid", "example", "internal", "local", "lan", "home", "arpa")


def read_certificates(root: Path, text: str, data: Any, domain: str) -> tuple[Certificates | None, list[Finding]]:
    """Return what the file says, None where no CA can be asked, and everything that is wrong with it."""
    if not isinstance(data, dict):
        return None, []  # a wrong type is noted by whoever knows the keys of the whole file
    findings = list(_wrong(root, text, data, domain))
    if findings:
        return None, findings
    trust = (root / data["trust"]).read_text(encoding="utf-8") if "trust" in data else ""
    return Certificates(data["acme"], data.get("contact", ""), data.get("dns", ""), trust), []


def _wrong(root: Path, text: str, data: dict[str, Any], domain: str) -> Iterator[Finding]:
    for key, value in data.items():
        if key not in KEYS:
            yield _finding(text, key, "unknown-key", f"unknown key {key}", f"known here: {', '.join(KEYS)}")
        elif not isinstance(value, str):
            yield _finding(text, key, "wrong-type", f"{key} must be text in quotes", f"write {key} as text in quotes")
    told = {key: value for key, value in data.items() if isinstance(value, str)}
    if "acme" not in data:
        yield _finding(text, "", "missing-key", "acme is missing", EXAMPLE)
    elif "acme" in told and not HTTPS_URL.fullmatch(told["acme"]):
        yield _finding(text, "acme", "acme", f"{told['acme']!r} is no https address", EXAMPLE)
    elif "acme" in told and "trust" not in data and domain.rpartition(".")[2] in NOBODYS:
        hint = 'leave [certificates] out to use the collective\'s own CA; or name the root of yours, trust = "FILE"'
        yield _finding(text, "acme", "acme-domain", f"no public CA can certify names of {domain}", hint)
    if "contact" in told and ("@" not in told["contact"] or set(told["contact"]) & set(" :,")):
        hint = 'write contact = "admins@collective.example"'
        yield _finding(text, "contact", "contact", f"{told['contact']!r} is no mail address", hint)
    if "dns" in told:
        yield from _wrong_hook(root, text, told["dns"])
    if "trust" in told:
        yield from _wrong_trust(root, text, told["trust"])


def _wrong_hook(root: Path, text: str, name: str) -> Iterator[Finding]:
    file = root / HOOKS / name
    if not HOOK.fullmatch(name) or not file.is_file():
        hint = f"put an executable file there that takes present|cleanup NAME VALUE (see {HOOKS}/README.md)"
        yield _finding(text, "dns", "no-such-hook", f"there is no {HOOKS}/{name}", hint)
    elif not os.access(file, os.X_OK):
        yield _finding(text, "dns", "no-such-hook", f"{HOOKS}/{name} is not executable", f"chmod +x {HOOKS}/{name}")


def _wrong_trust(root: Path, text: str, name: str) -> Iterator[Finding]:
    try:
        content = (root / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        content = ""
    if "-----BEGIN CERTIFICATE-----" not in content:
        hint = "put your CA's root certificate there, in PEM, beside collective.toml"
        yield _finding(text, "trust", "trust", f"{name} holds no certificate", hint)
    elif PRIVATE_KEY in content:
        hint = "leave the certificate alone in it, and take the key out of git's history too"
        yield _finding(text, "trust", "trust", f"{name} holds a private key", hint)


def _finding(text: str, key: str, rule: str, what: str, hint: str) -> Finding:
    return Finding(Place(COLLECTIVE_FILE, toml_line(text, "certificates", *([key] if key else []))), rule, what, hint)
