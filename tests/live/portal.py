"""The login page, used as members use it: curl with a cookie jar, which fills in the page's own forms."""

from __future__ import annotations

import base64
import hmac
import html
import http.client
import json
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tests.live.browser import Browser
from tests.live.facts import router

if TYPE_CHECKING:
    from pathlib import Path

    from lab.collectives import Collective

BASE = "https://account.localhost:7443"
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)"')
CHECK = ("-H", "X-CSRF-Check: 1")  # the portal's scripts send it
MESSAGE = re.compile(r'<p class="message"[^>]*>([^<]*)</p>')


class Visitor(Browser):
    """One visitor of the login page, with their own cookies."""

    def log_in(self, uid: str, password: str, path: str = "/") -> str:
        """Fill in the login form; return the page that follows."""
        return self.submit(path, f"user={uid}", f"password={password}")

    def submit(self, path: str, *fields: str) -> str:
        """Fill in the form of a page; return the page that follows."""
        return self.fill_in(self.get(path).decode(), path, *fields)

    def fill_in(self, page: str, path: str, *fields: str) -> str:
        """Send the form of a page that was opened before to a path; return the page that follows."""
        hidden = [f"{name}={html.unescape(value)}" for name, value in HIDDEN.findall(page)]
        return self.post(path, *hidden, *fields)

    def sent_to(self, path: str, *fields: str) -> str:
        """Fill in the form of a page; return where it redirects to."""
        page = self.get(path).decode()
        hidden = [f"{name}={html.unescape(value)}" for name, value in HIDDEN.findall(page)]
        return self.location(path, *(word for field in (*hidden, *fields) for word in ("--data-urlencode", field)))

    def add_factor(self, uid: str, password: str) -> str:
        """Log in, and add a program with codes as the second factor, as the page's script does; return its secret."""
        self.log_in(uid, password)
        made = json.loads(self.get("/2fregisters/totp/getkey", *CHECK, "-d", ""))
        fields = {"code": code_of(made["secret"]), "token": made["token"], "TOTPName": "phone"}
        said = self.get("/2fregisters/totp/verify", *CHECK, "-d", urlencode(fields))
        assert json.loads(said) == {"result": 1}
        secret: str = made["secret"]
        return secret

    def location(self, path: str, *options: str) -> str:
        """Return where a path redirects to; empty if it does not."""
        return self._curl(path, "-o", "/dev/null", "-w", "%{redirect_url}", *options).decode()

    def seconds(self, path: str, *options: str) -> float:
        """Return how long a request takes."""
        return float(self._curl(path, "-o", "/dev/null", "-w", "%{time_total}", *options))


def fill_in_directly(port: int, address: str, uid: str, password: str) -> tuple[str, str]:
    """Fill in the login form at the login page's own port, which trusts this machine about the address of a visitor.

    Return the page that follows, and the cookies that it sets.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Host": "account.localhost", "X-Forwarded-For": address}
    connection.request("GET", "/", headers=headers)
    token = dict(HIDDEN.findall(connection.getresponse().read().decode()))["token"]
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request("POST", "/", urlencode({"user": uid, "password": password, "token": token}), headers)
    answer = connection.getresponse()
    page = answer.read().decode()
    connection.close()
    return page, answer.getheader("Set-Cookie") or ""


def code_of(secret: str) -> str:
    """Return the six digits that a program with this secret shows now (RFC 6238)."""
    key = base64.b32decode(secret.upper() + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, int(time.time() // 30).to_bytes(8, "big"), "sha1")
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def message(page: str) -> str:
    """Return the message of a page; empty if it has none."""
    found = MESSAGE.search(page)
    return html.unescape(found[1]) if found else ""


def visitors(collective: Collective, folder: Path) -> type[Visitor]:
    """Return a class of visitors who trust the collective's CA; each has the address that is given."""
    trusted = folder / "ca.crt"
    trusted.write_text(router.authority(collective))

    class At(Visitor):
        def __init__(self, address: str = "127.0.0.1", language: str = "en", base: str = BASE) -> None:
            options = ("--cacert", str(trusted), "--interface", address, "--header", f"Accept-Language: {language}")
            super().__init__(base, options)

    return At
