"""The page: what a visitor asks for, who that is, and what is answered. It needs no JavaScript.

Who a visitor is, only the login page says, by its own cookie. Each form has a token that belongs to this login.
"""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import ldap
from bottle import Bottle, HTTPResponse, request, response, static_file, template

from . import directory, portal, wishes
from .ssh_key import BadKeyError, parse_key

HERE = Path(__file__).parent
TEXTS: dict[str, dict[str, str]] = {
    file.stem: json.loads(file.read_text()) for file in sorted((HERE / "texts").glob("*.json"))
}
TEMPLATES = [str(HERE / "templates")]
KEY = secrets.token_bytes(32)  # forms that were opened before a restart have to be opened again
LOGIN = "/to-me"  # the login page, which leads back here
MOST_WRONG, WAIT = 5, 600  # wrong passwords of a member in these seconds
DONE = ("saved", "key_added", "key_removed", "asked", "stays")  # messages after a form
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
wrong: dict[str, list[float]] = {}
app = Bottle()


def texts() -> dict[str, str]:
    """Return the texts of the first language that the browser asks for, else the English ones."""
    for asked in request.get_header("Accept-Language", "").split(","):
        language = asked.split(";")[0].split("-")[0].strip().lower()
        if language in TEXTS:
            return TEXTS[language]
    return TEXTS["en"]


def member() -> str:
    """Return the member who has logged in; lead everybody else to the login page."""
    uid = portal.find_member(request.get_cookie("account", ""))
    if not uid:
        raise HTTPResponse(status=303, headers={"Location": LOGIN, **HEADERS})
    return uid


def token() -> str:
    """Return what a form of this login has in it, and a form of another site has not."""
    return hmac.new(KEY, request.get_cookie("account", "").encode(), "sha256").hexdigest()


def show(uid: str, said: str = "", status: int = HTTPStatus.OK, **typed: str) -> HTTPResponse:
    """Return the page, with a message; `typed` is what stays in the forms."""
    words = texts()
    page = template(
        "page",
        template_lookup=TEMPLATES,
        t=words,
        who=directory.find(uid),
        wishes=wishes.read(uid),
        said=words.get(said, ""),
        failed=status != HTTPStatus.OK,
        token=token(),
        typed=typed,
    )
    return HTTPResponse(page, status, {"Content-Type": "text/html; charset=utf-8", **HEADERS})


def on_post(path: str) -> Callable[[Callable[[str], str]], Callable[[], HTTPResponse]]:
    """Have a function do what a form asks for; it returns the name of the message that follows."""

    def decorate(act: Callable[[str], str]) -> Callable[[], HTTPResponse]:
        def answer() -> HTTPResponse:
            uid = member()
            if not hmac.compare_digest(field("token").encode(), token().encode()):
                return show(uid, "too_long", 403)
            try:
                said = act(uid)
            except (directory.RefusedError, BadKeyError) as error:
                return show(uid, str(error), 422, **{name: field(name) for name in ("name", "mail", "key")})
            return HTTPResponse(status=303, headers={"Location": f"/me?done={said}", **HEADERS})

        app.post(path)(answer)
        return answer

    return decorate


def field(name: str) -> str:
    """Return what a form has in a field."""
    return str(request.forms.getunicode(name, ""))


def page() -> HTTPResponse:
    """Show the page."""
    done = str(request.query.getunicode("done", ""))
    return show(member(), done if done in DONE else "")


def copy() -> HTTPResponse:
    """Give the member the copy of their data."""
    uid = member()
    file = wishes.copy_of(uid)
    if not wishes.read(uid).until:
        return show(uid, "copy_none", 404)
    answer = static_file(file.name, root=str(file.parent), download=f"{uid}.zip", mimetype="application/zip")
    for name, value in HEADERS.items():
        answer.set_header(name, value)
    return answer


@on_post("/me/name")
def name(uid: str) -> str:
    """Change the full name."""
    directory.set_name(uid, field("name"))
    return "saved"


@on_post("/me/mail")
def mail(uid: str) -> str:
    """Change the mail address."""
    now = time.monotonic()
    recent = [then for then in wrong.get(uid, ()) if then > now - WAIT]
    if len(recent) >= MOST_WRONG:
        raise directory.RefusedError("too_many")
    wrong[uid] = [*recent, now]  # before it is known: many at once are as many
    directory.set_mail(uid, field("mail"), field("password"))
    del wrong[uid]
    return "saved"


@on_post("/me/keys/add")
def add_key(uid: str) -> str:
    """Add an ssh key."""
    directory.add_key(uid, parse_key(field("key")))
    return "key_added"


@on_post("/me/keys/remove")
def remove_key(uid: str) -> str:
    """Remove an ssh key."""
    directory.remove_key(uid, field("fingerprint"))
    return "key_removed"


@on_post("/me/export")
def export(uid: str) -> str:
    """Ask for a copy of all data."""
    wishes.wish(uid, "export")
    return "asked"


@on_post("/me/forget")
def forget(uid: str) -> str:
    """Ask to be forgotten."""
    if field("uid") != uid:
        raise directory.RefusedError("forget_type")
    wishes.wish(uid, "forget")
    return "asked"


@on_post("/me/stay")
def stay(uid: str) -> str:
    """Withdraw the wish to be forgotten."""
    wishes.withdraw(uid, "forget")
    return "stays"


@on_post("/me/log-out")
def log_out(uid: str) -> str:
    """End all logins of the member, also at services where the router lets members in: it reads that in the answer."""
    portal.end_sessions(uid)
    ended = {"X-Account-Ended": hashlib.sha256(uid.encode()).hexdigest()}
    raise HTTPResponse(status=303, headers={"Location": "/?logout=1", **ended, **HEADERS})


def failed(error: object) -> str:
    """Say that something does not answer, and write why into the log."""
    response.headers.update(HEADERS)
    cause = getattr(error, "exception", None)
    words = texts()
    return str(template("failed", template_lookup=TEMPLATES, t=words, directory=isinstance(cause, ldap.LDAPError)))


app.get("/me")(page)
app.get("/me/copy")(copy)
app.error(500)(failed)
