"""The login page, asked who a visitor is, and told to end a member's logins."""

import http.client
import json
import os
import subprocess

INSIDE = ("127.0.0.1", 81)  # a port that only programs in this container reach
SECONDS = 10


def find_member(session: str) -> str:
    """Return the name of the member who has this session; empty if nobody has."""
    if not (session.isascii() and session.isalnum()):
        return ""
    connection = http.client.HTTPConnection(*INSIDE, timeout=SECONDS)
    try:
        host = f"account.{os.environ['DOMAIN']}"  # the portal knows members only there
        connection.request("GET", "/whoami", headers={"Host": host, "Cookie": f"account={session}"})
        answer = connection.getresponse()
        told = answer.read()
    finally:
        connection.close()
    if answer.status >= http.client.INTERNAL_SERVER_ERROR:
        raise http.client.HTTPException(f"the login page answers {answer.status}")
    return str(json.loads(told)["uid"]) if answer.status == http.client.OK else ""


def end_sessions(uid: str) -> None:
    """End all logins of a member, and links for a new password."""
    subprocess.run(["end-sessions", uid], check=True, timeout=60, capture_output=True)
