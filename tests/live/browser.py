"""A browser for the wiki: curl with a cookie jar, which fills in DokuWiki's own forms."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from typing import Any

DEADLINE = 30


def new_jar() -> str:
    """Make an empty file for cookies; return its path."""
    with tempfile.NamedTemporaryFile(prefix="cookies-", delete=False) as jar:
        return jar.name


@dataclass(frozen=True)
class Browser:
    """One visitor, with their own cookies; `options` are curl's, for instance the CA to trust."""

    base: str
    options: tuple[str, ...] = ()
    jar: str = field(default_factory=new_jar)

    def get(self, path: str, *options: str) -> bytes:
        """Return the content at a path, with any status."""
        return self._curl(path, *options)

    def status(self, path: str, *options: str) -> int:
        """Return the status of a path."""
        return int(self._curl(path, "-o", "/dev/null", "-w", "%{http_code}", *options))

    def post(self, path: str, *fields: str) -> str:
        """Send a form, follow redirects, and return the page; a field is `name=value`."""
        words = [word for one in fields for word in ("--data-urlencode", one)]
        return self._curl(path, "--location", *words).decode()

    def logs_in(self, uid: str, password: str) -> bool:
        """Fill in the login form; return whether the login was accepted."""
        token = self.token("/start?do=login")
        page = self.post("/start", f"sectok={token}", "id=start", "do=login", f"u={uid}", f"p={password}")
        accepted = "Logged in as" in page
        assert accepted or "username or password was wrong" in page, page
        return accepted

    def save(self, page: str, text: str) -> None:
        """Save a page with its form."""
        token = self.token(f"/{page}?do=edit")
        self.post(f"/{page}", f"sectok={token}", f"id={page}", "prefix=.", "suffix=", f"wikitext={text}", "do[save]=1")
        assert self.page(page) == text

    def page(self, page: str) -> str:
        """Return the text of a page."""
        return self.get(f"/_export/raw/{page}").decode()

    def revisions(self, page: str) -> list[str]:
        """Return the texts of a page's old revisions, the oldest first."""
        listed = self.get(f"/{page}?do=revisions").decode()
        dates = sorted(set(re.findall(rf"/{page}\?rev=(\d+)", listed)))
        return [self.get(f"/_export/raw/{page}?rev={date}").decode() for date in dates]

    def upload(self, file: str, content: bytes) -> None:
        """Upload a file with the media manager's form; it replaces one with the same name."""
        namespace, _, name = file.rpartition(":")
        token = self.token(f"/lib/exe/mediamanager.php?ns={namespace}")
        fields = (f"sectok={token}", f"ns={namespace}", f"mediaid={name}", "ow=1", f"upload=@-;filename={name}")
        words = [word for one in fields for word in ("--form", one)]
        said = self._curl(f"/lib/exe/mediamanager.php?ns={namespace}", *words, stdin=content).decode()
        assert "Upload successful" in said, said

    def media(self, file: str) -> bytes:
        """Return an uploaded file."""
        return self.get(f"/_media/{file}")

    def forbid(self, page: str) -> None:
        """Let only members read a page, with the admins' form for access rules."""
        for who, level in (("@ALL", 0), ("@user", 8)):
            assert self.call("plugin.acl.addAcl", scope=page, user=who, level=level)["result"]

    def call(self, method: str, *options: str, **arguments: object) -> Any:
        """Call the JSON-RPC interface."""
        body = ("--header", "Content-Type: application/json", "--data", json.dumps(arguments))
        return json.loads(self._curl(f"/lib/exe/jsonrpc.php/{method}", *body, *options))

    def token(self, path: str) -> str:
        """Return the token of a form; DokuWiki refuses forms without it."""
        page = self.get(path).decode()
        found = re.search(r'name="sectok" value="(\w*)"', page)
        assert found, page
        return found[1]

    def _curl(self, path: str, *options: str, stdin: bytes = b"") -> bytes:
        argv = ["curl", "--silent", "--show-error", "--max-time", str(DEADLINE), "-b", self.jar, "-c", self.jar]
        done = subprocess.run(
            [*argv, *self.options, *options, self.base + path], input=stdin, capture_output=True, check=False
        )
        assert done.returncode == 0, f"{self.base + path}: {done.stderr.decode()}"
        return done.stdout
