"""Logins: the directory knows the members and their passwords."""

import hashlib
import os
import ssl
import time
import unicodedata

import bottle
from ldap3 import Connection, Server, Tls
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars

DIRECTORY = "ldaps://directory"
BASE = "ou=people,dc=collective"
FILTER = "(uid=%u)"
CA = "/trust/ca.crt"
SECONDS = 60  # for so long, a login is not checked again: each check costs the directory much work
SALT = os.urandom(16)
known: dict[bytes, tuple[str, float]] = {}


def member(name: str, password: str) -> str:
    """Return the name of a member in the directory's own spelling; empty if name or password are wrong."""
    if not password:  # a bind without a password always succeeds
        return ""
    tls = Tls(ca_certs_file=CA, validate=ssl.CERT_REQUIRED)
    server = Server(DIRECTORY, tls=tls, connect_timeout=3, get_info="NO_INFO")
    with Connection(server, auto_bind=True, receive_timeout=5) as anonymous:
        anonymous.search(BASE, FILTER.replace("%u", escape_filter_chars(name)), attributes=["uid"])
        found = [(entry.entry_dn, str(entry.uid)) for entry in anonymous.entries]
    if len(found) != 1:
        return ""
    dn, uid = found[0]
    bound = Connection(server, dn, password, receive_timeout=5)
    try:
        return uid if bound.bind() else ""
    finally:
        bound.unbind()


def user() -> str:
    """Return who sends this request; ends it with 401 if that is no member, and with 503 without the directory."""
    name, password = bottle.request.auth or ("", "")
    # As the directory has it: some keyboards write "é" as two characters.
    password = unicodedata.normalize("NFC", password or "")
    key = hashlib.sha256(SALT + f"{name}\0{password}".encode()).digest()
    uid, until = known.get(key, ("", 0.0))
    if time.monotonic() > until:
        known.pop(key, None)
        try:
            uid = member(name, password)
        except LDAPException as error:
            print(f"login: no answer from the directory: {error}", flush=True)
            bottle.abort(503, "The directory does not answer. Try again later.")
        if uid:
            known[key] = uid, time.monotonic() + SECONDS
    if not uid:
        ask = {"WWW-Authenticate": 'Basic realm="members", charset="UTF-8"'}
        raise bottle.HTTPResponse("Log in with your name and password.\n", 401, ask)
    return uid
