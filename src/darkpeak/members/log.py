"""The directory's log of changes: who changed what, and when. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from darkpeak.members.ldif_text import MANAGER, Entry, parse

LOG = "cn=log"
ATTRIBUTES = ("reqStart", "reqType", "reqDN", "reqAuthzID", "reqControls", "reqMod", "reqNewRDN")
# What slapd itself writes with each change.
OWN = frozenset(("entryCSN", "modifiersName", "modifyTimestamp", "creatorsName", "createTimestamp", "entryUUID"))
# Who a change by root in the container was for (draft-wahl-ldap-session): `darkpeak member` names its caller so.
SESSION = re.compile(r'\{\d+\}\{1\.3\.6\.1\.4\.1\.21008\.108\.63\.1 (?:criticality \w+ )?controlValue "([0-9A-F]*)"')
NAME = re.compile(r"(?:uid|cn)=([^,]*),.*")
DONE = {"add": "added", "delete": "removed", "modrdn": "renamed", "modify": "changed"}


@dataclass(frozen=True, order=True)
class Change:
    """One change of an entry: when (UTC), by whom, of which member or group, and what."""

    when: str
    who: str
    of: str
    what: str


def parse_log(text: bytes) -> list[Change]:
    """Return the changes of an answer, the oldest first; values are not in it, because a password's hash is one.

    Raises:
        ValueError: when it is not LDIF.
    """
    return sorted(_change(entry) for entry in parse(text) if "reqDN" in entry)


def _change(entry: Entry) -> Change:
    begun = datetime.strptime(entry["reqStart"][0][:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    of = NAME.sub(r"\1", entry["reqDN"][0])
    return Change(f"{begun:%Y-%m-%d %H:%M:%S}", _who(entry), of, _what(entry))


def _what(entry: Entry) -> str:
    kind = entry["reqType"][0]
    done = DONE.get(kind, kind)
    if kind == "modrdn":
        return f"{done} to {entry['reqNewRDN'][0].partition('=')[2]}"
    names = [re.split("[:;]", value, maxsplit=1)[0] for value in entry.get("reqMod", [])]
    changed = [name for name in dict.fromkeys(names) if name not in OWN]
    return f"{done} {', '.join(changed)}" if kind == "modify" else done


def _who(entry: Entry) -> str:
    """Return the member who did it, or the caller of `darkpeak member`."""
    found = [_tracked(match[1]) for value in entry.get("reqControls", []) if (match := SESSION.match(value))]
    who = entry.get("reqAuthzID", [""])[0]
    return next(filter(None, found), "root in the container" if who == MANAGER else NAME.sub(r"\1", who))


def _tracked(hexadecimal: str) -> str:
    """Return the name in the control, which is the last of its texts."""
    data = bytes.fromhex(hexadecimal)
    *_, name = _texts(_content(data)[0])
    return name.decode(errors="replace")


def _texts(data: bytes) -> list[bytes]:
    texts = []
    while data:
        text, data = _content(data)
        texts.append(text)
    return texts


def _content(data: bytes) -> tuple[bytes, bytes]:
    """Return the content of the first BER value, and what follows it."""
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start])
    return data[start : start + length], data[start + length :]
