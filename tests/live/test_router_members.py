"""Routes that only members may use: the router lets in who has a token of the login page for this host."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from darkpeak.router.routes import Gate, Table
from tests.live.routed import FIRST, HTTP, HTTPS, SECOND, TABLE, WHOLE, Answer, Routed, curl, parse, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.collectives import Collective

HOST = "one.localhost"
NOW, NEXT, LATER, STRANGER = (ECKey.generate_key("P-256") for _ in range(4))
NONCE = "0b8a5f0e-7c1f-4c0e-9e3f-6f1f6b6f0a11"
pytestmark = pytest.mark.usefixtures("routed")


def public(key: ECKey) -> str:
    """Return the public half of a key, as the login page prints it."""
    return key.as_pem(private=False).decode()


@pytest.fixture(scope="module")
def routed(collective: Collective) -> Iterator[Routed]:
    """Yield a router with a service for members only, by two names, and an open one."""
    collective.compose("router", "up", "-d", "--build", "--wait", timeout=600)
    with serving(FIRST, SECOND):
        routed = Routed(collective)
        routed.router.apply(table(NOW, NEXT))
        yield routed


def table(*keys: ECKey) -> Table:
    """Return the routes, with these keys of the login page."""
    return replace(TABLE, gate=Gate(("one", WHOLE), tuple(map(public, keys))))


def token(key: ECKey = NOW, **claims: object) -> str:
    """Return a token of ada for the host, as the login page makes it, except for `claims`; None removes one."""
    whole = {
        "aud": HOST,
        "sub": "ada",
        "groups": "admins,cooks",
        "nonce": NONCE,
        "exp": int(time.time()) + 900,
        **claims,
    }
    said = {name: value for name, value in whole.items() if value is not None}
    return jwt.encode({"alg": "ES256"}, said, key)


def get(path: str = "/", *options: str, host: str = HOST, cookie: str = "") -> Answer:
    """Request a path of a host by https."""
    to = ("--insecure", "--connect-to", f"::127.0.0.1:{HTTPS}", *(("--cookie", cookie) if cookie else ()))
    return parse(curl(*to, *options, f"https://{host}:{HTTPS}{path}").stdout.encode())


def test_who_is_not_logged_in_is_led_to_the_login_page_and_back() -> None:
    asked = get("/page?x=1%202&y=//evil")
    assert (asked.status, asked.by_router) == (302, "login")
    where = urlsplit(asked.headers["location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == f"https://account.localhost:{HTTPS}/enter"
    sent = {name: values[0] for name, values in parse_qs(where.query).items()}
    nonce = sent["nonce"]
    assert sent == {"host": HOST, "nonce": nonce, "to": "/page?x=1%202&y=//evil"}
    assert asked.headers["set-cookie"].startswith(f"__Host-asked={nonce}; Path=/; Secure; HttpOnly; SameSite=Lax;")
    mine = token(nonce=nonce)
    back = get(f"/.account/enter?token={mine}&to={quote(sent['to'], safe='')}", cookie=f"__Host-asked={nonce}")
    assert (back.status, back.headers["location"]) == (303, sent["to"])
    assert back.headers["set-cookie"] == f"__Host-member={mine}; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert get(cookie=f"__Host-asked={nonce}").headers["location"].count(nonce) == 1  # two pages at once


def test_a_member_comes_in_and_the_service_knows_who_it_is_but_not_the_token() -> None:
    for key in (NOW, NEXT):
        inside = get(cookie=f"a=1; __Host-member={token(key)}; __Host-asked={NONCE}; b=2")
        assert inside.status == 200
        headers = {name.lower(): value for name, value in inside.told["headers"]}
        assert headers["x-forwarded-user"] == "ada"
        assert headers["x-forwarded-groups"] == "admins,cooks"
        assert headers["cookie"] == "a=1; b=2"
    alone = get(cookie=f"__Host-member={token()}").told["headers"]
    assert "cookie" not in {name.lower() for name, _ in alone}
    assert get(host=WHOLE, cookie=f"__Host-member={token(aud=WHOLE)}").status == 200
    assert get("/", "-X", "POST", "-d", "x=1", cookie=f"__Host-member={token()}").status == 200


def test_where_login_is_optional_strangers_come_in_and_members_are_known(routed: Routed) -> None:
    def user(answer: Answer) -> str:
        headers: dict[str, str] = {name.lower(): value for name, value in answer.told["headers"]}
        return headers.get("x-forwarded-user", "")

    routed.router.apply(replace(TABLE, gate=Gate((), tuple(map(public, (NOW, NEXT))), ("one",))))
    try:
        forged = ("--header", "X-Forwarded-User: eve")
        assert user(get("/", *forged)) == ""
        assert user(get("/", *forged, cookie=f"__Host-member={token(STRANGER)}")) == ""
        assert user(get("/", *forged, cookie=f"__Host-member={token(exp=int(time.time()) - 1)}")) == ""
        assert user(get("/", "-X", "POST", "-d", "x=1")) == ""
        known = get("/page", cookie=f"a=1; __Host-member={token()}")
        assert (known.status, user(known)) == (200, "ada")
        asked = get("/.account/login?to=//evil.example")
        where = urlsplit(asked.headers["location"])
        sent = {name: values[0] for name, values in parse_qs(where.query).items()}
        assert (asked.status, where.path, sent["host"], sent["to"]) == (302, "/enter", HOST, "/")
        mine = token(nonce=sent["nonce"])
        back = get(f"/.account/enter?token={mine}&to=/", cookie=f"__Host-asked={sent['nonce']}")
        assert (back.status, back.headers["location"]) == (303, "/")
        inside = get("/.account/login", cookie=f"__Host-member={mine}")
        assert (inside.status, inside.headers["location"]) == (303, "/")
        left = get("/.account/leave", cookie=f"__Host-member={mine}")
        assert left.headers["set-cookie"].startswith("__Host-member=; Path=/; Secure;")
        plain = parse(curl(f"http://{HOST}:{HTTP}/").stdout.encode())
        assert plain.status == 200
        moved = parse(curl(f"http://{HOST}:{HTTP}/.account/login").stdout.encode())
        assert (moved.status, moved.headers["location"]) == (307, f"https://{HOST}:{HTTPS}/.account/login")
    finally:
        routed.router.apply(table(NOW, NEXT))


def encoded(part: bytes) -> str:
    """Return a part of a token."""
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def refused() -> dict[str, str]:
    """Return tokens that must not let anybody in, by what is wrong with them."""
    good = token()
    head, claims, signature = good.split(".")
    unsigned = encoded(b'{"alg":"none"}')
    shared = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "HS256"}, {"aud": HOST, "sub": "ada"}))
    hashed = encoded(hmac.digest(public(NOW).encode(), shared.encode(), "sha256"))
    return {
        "none": "",
        "garbage": "a.b.c",
        "another key": token(STRANGER),
        "no algorithm": f"{unsigned}.{claims}.{signature}",
        "no algorithm, no signature": f"{unsigned}.{claims}.",
        "no signature": f"{head}.{claims}.",
        "signed with the public key": f"{shared}.{hashed}",
        "other claims": f"{head}.{token(sub='grace').split('.')[1]}.{signature}",
        "expired": token(exp=int(time.time()) - 1),
        "no end": token(exp=None),
        "end in words": token(exp="tomorrow"),
        "another host": token(aud="two.localhost"),
        "its other name": token(aud=WHOLE),
        "no host": token(aud=None),
        "two hosts": token(aud=[HOST, "two.localhost"]),
        "nobody": token(sub=None),
        "an empty name": token(sub=""),
    }


@pytest.mark.parametrize("wrong", refused())
def test_no_other_token_lets_anybody_in(wrong: str) -> None:
    bad = refused()[wrong]
    asked = get(cookie=f"__Host-member={bad}; member={token()}")
    assert (asked.status, asked.by_router) == (302, "login")
    posted = get("/", "-X", "POST", "-d", "x=1", cookie=f"__Host-member={bad}")
    assert (posted.status, posted.by_router) == (401, "login")
    entered = get(f"/.account/enter?token={bad}&to=/", cookie=f"__Host-asked={NONCE}")
    assert (entered.status, entered.by_router) == (403, "refused")
    assert "set-cookie" not in entered.headers


def test_a_member_who_is_gone_is_out_at_once_and_may_log_in_anew(routed: Routed) -> None:
    before, other = token(), token(sub="grace")
    assert get(cookie=f"__Host-member={before}").status == 200
    routed.collective.script("router", "member-gone", "ada")
    for _ in range(2):
        assert get(cookie=f"__Host-member={before}").status == 302
        assert get("/", "-X", "POST", "-d", "x=1", cookie=f"__Host-member={before}").status == 401
        entered = get(f"/.account/enter?token={before}&to=/", cookie=f"__Host-asked={NONCE}")
        assert (entered.status, entered.by_router) == (403, "refused")
        assert get(cookie=f"__Host-member={other}").status == 200
        after = token(exp=int(time.time()) + 902)  # as if it were signed in two seconds
        assert get(cookie=f"__Host-member={after}").status == 200
        routed.router.apply(table(NEXT, NOW))  # haproxy reads the files again
    routed.router.apply(table(NOW, NEXT))
    routed.collective.script("router", "member-gone", "ada", "passwd")
    kept = routed.execute("cat", "/var/lib/router/gone.map")
    assert [line.split()[0] for line in kept.splitlines()] == [hashlib.sha256(b"ada").hexdigest()], "no name stays"
    routed.execute(
        "sh",
        "-c",
        ": >/var/lib/router/gone.map; echo clear map /var/lib/router/gone.map | socat - UNIX-CONNECT:/run/haproxy/sock",
    )


@pytest.mark.parametrize("nonce", ["", "0b8a5f0e-7c1f-4c0e-9e3f-6f1f6b6f0a12", "x"])
def test_nobody_is_logged_in_by_a_link_of_somebody_else(nonce: str) -> None:
    entered = get(f"/.account/enter?token={token()}&to=/", cookie=f"__Host-asked={nonce}" if nonce else "")
    assert (entered.status, entered.by_router) == (403, "refused")
    same = get(f"/.account/enter?token={token(nonce='x')}&to=/", cookie="__Host-asked=x")
    assert same.status == 403


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example/",
        "https://evil.example/",
        "/\\evil.example",
        "evil.example",
        "/a\r\nSet-Cookie: x=1",
        "/\t/e",
        "",
    ],
)
def test_the_way_back_leads_to_no_other_host(to: str) -> None:
    entered = get(f"/.account/enter?token={token()}&to={quote(to, safe='')}", cookie=f"__Host-asked={NONCE}")
    assert (entered.status, entered.by_router) == (403, "refused")


@pytest.mark.parametrize("name", [HOST, "two.localhost"])
def test_a_client_cannot_say_who_it_is(name: str) -> None:
    names = (
        "X-Forwarded-User",
        "x-forwarded-user",
        "X_Forwarded_User",
        "X-Forwarded_User",
        "X-Forwarded-Groups",
        "X_FORWARDED_GROUPS",
    )
    options = [word for header in names for word in ("-H", f"{header}: eve")]
    inside = get("/", *options, host=name, cookie=f"__Host-member={token()}")
    assert inside.status == 200
    assert "eve" not in inside.body.decode()


def test_plain_http_leads_to_https_and_open_services_stay_open(routed: Routed) -> None:
    plain = routed.get(f"{HOST}:7080", "/page?x=1")
    assert (plain.status, plain.headers["location"]) == (307, f"https://{HOST}:{HTTPS}/page?x=1")
    for answer in (routed.get("two.localhost"), get(host="two.localhost")):
        assert (answer.status, answer.by_router) == (200, "")


def test_logging_out_removes_the_cookie_and_ends_the_login() -> None:
    left = get("/.account/leave", cookie=f"__Host-member={token()}")
    assert (left.status, left.headers["location"]) == (303, f"https://account.localhost:{HTTPS}/?logout=1")
    assert re.match("__Host-member=; .*Max-Age=0", left.headers["set-cookie"])


def test_a_key_that_was_changed_lets_nobody_in_and_without_keys_the_route_is_closed(routed: Routed) -> None:
    old, new = token(NOW), token(NEXT)
    routed.router.apply(table(NEXT, LATER))
    assert [get(cookie=f"__Host-member={one}").status for one in (old, new, token(LATER))] == [302, 200, 200]
    routed.router.apply(table())  # the login page does not run: the router keeps the keys
    assert get(cookie=f"__Host-member={new}").status == 200
    routed.router.apply(replace(TABLE, gate=Gate()))
    assert get().status == 200  # its files say now that all may use it
    routed.inside.run(
        (
            "sh",
            "-c",
            "rm /var/lib/router/account*.pem && touch /var/lib/router/account.pem /var/lib/router/account-next.pem",
        )
    )
    changes = routed.router.apply(table())
    assert "one" in changes.reverted
    assert get(cookie=f"__Host-member={new}").status == 404
