"""Many members at once, as CSV or LDIF: what a file wants, and what would change. Pure.

A file never has passwords, and an import never removes anything.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from darkpeak.errors import UsageError
from darkpeak.members import ldif_text
from darkpeak.members.member import Account, Member, check_member, check_uid
from darkpeak.members.ssh_key import Key, parse_key

COLUMNS = ("uid", "name", "mail", "groups", "ssh_keys")
DELIMITERS = ";\t,"  # spreadsheets write a semicolon in countries whose numbers have a comma


@dataclass(frozen=True)
class Row:
    """What a file says of a member; None means that it says nothing."""

    uid: str
    where: str
    name: str | None = None
    mail: str | None = None
    groups: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One change of an import: exactly one of the last four fields is set."""

    uid: str
    add: Member | None = None
    change: Member | None = None
    group: str = ""
    key: str = field(default="")

    def __str__(self) -> str:
        """Return it in words."""
        if self.add:
            return f"{self.uid}: add, {self.add.name}{f', {self.add.mail}' * bool(self.add.mail)}"
        if self.change:
            return f"{self.uid}: change to {self.change.name}, {self.change.mail or 'no mail address'}"
        return f"{self.uid}: add to group {self.group}" if self.group else f"{self.uid}: add ssh key {self.key}"


def make_csv(accounts: Iterable[Account]) -> str:
    """Return members as CSV: groups with spaces between them, ssh keys on lines of their own."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in accounts:
        writer.writerow((one.uid, one.name, one.mail, " ".join(one.groups), "\n".join(one.keys)))
    return text.getvalue()


def make_ldif(accounts: Sequence[Account]) -> str:
    """Return members and their groups as LDIF, which any LDAP server can load."""
    return b"".join((ldif_text.make_people(accounts), ldif_text.make_groups(accounts))).decode()


def parse_file(name: str, data: bytes) -> list[Row]:
    """Return the rows of a file, whose name ends with .csv or .ldif.

    Raises:
        UsageError: when it is neither, or is damaged; the error names the line or the entry.
    """
    if name.lower().endswith(".ldif"):
        try:
            return list(_ldif_rows(name, data))
        except ValueError as error:
            raise UsageError(f"it is not LDIF: {error}", name, "see RFC 2849") from error
    if not name.lower().endswith(".csv"):
        raise UsageError(f"the name of {name} ends neither with .csv nor with .ldif", hint="rename the file")
    try:
        return list(_csv_rows(name, data.decode("utf-8-sig")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"it is not CSV in UTF-8: {error}", name, "save it as CSV with the encoding UTF-8") from error


def _csv_rows(name: str, text: str) -> Iterator[Row]:
    first = text.partition("\n")[0]
    delimiter = next((one for one in DELIMITERS if one in first), ",")
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    columns = reader.fieldnames = [column.strip().lower() for column in reader.fieldnames or ()]
    wrong = [column for column in columns if column not in COLUMNS]
    if wrong or "uid" not in columns:
        what = f"there is no column {wrong[0]!r}" if wrong else "the column uid is missing"
        raise UsageError(what, f"{name}:1", f"the first line has names of columns: {','.join(COLUMNS)}")
    for row in reader:
        where = f"{name}:{reader.line_num}"
        if None in row or None in row.values():
            raise UsageError("the line has more or fewer fields than the first line", where, "fix the line")
        groups, keys = tuple((row.get("groups") or "").split()), (row.get("ssh_keys") or "").splitlines()
        yield Row(row["uid"].strip(), where, row.get("name"), row.get("mail"), groups, tuple(filter(str.strip, keys)))


def _ldif_rows(name: str, data: bytes) -> Iterator[Row]:
    entries = ldif_text.parse(data)
    groups = [(entry["cn"][0], ldif_text.members_of(entry)) for entry in entries if "member" in entry and "cn" in entry]
    for entry in entries:
        if "uid" in entry and "cn" in entry:
            uid = entry["uid"][0]
            own = tuple(group for group, uids in groups if uid in uids)
            keys = tuple(entry.get("sshPublicKey", []))
            yield Row(uid, f"{name}: uid={uid}", entry["cn"][0], entry.get("mail", [None])[0], own, keys)


@dataclass(frozen=True)
class Import:
    """What an import changes, and a line for each group that it leaves as it is."""

    steps: tuple[Step, ...]
    left: tuple[str, ...]


@dataclass
class _Owners:
    """Who has which mail address and which key: what the directory would have after each step."""

    mails: dict[str, str]
    keys: dict[tuple[str, ...], str]

    @classmethod
    def of(cls, accounts: Iterable[Account]) -> "_Owners":
        """Return what the directory has now."""
        owners = cls({}, {})
        for account in accounts:
            owners.mails[account.mail.lower()] = account.uid
            owners.keys |= {_identity(line): account.uid for line in account.keys}
        return owners

    def take_mail(self, member: Member, before: str = "") -> None:
        """Give a member this mail address, or none; raise UsageError if another member has it."""
        owner = self.mails.get(member.mail.lower(), member.uid)
        if member.mail and owner != member.uid:
            hint = "give each member an own mail address; if two change theirs with each other, leave one empty first"
            raise UsageError(f"{owner} has the mail address {member.mail}", hint=hint)
        self.mails.pop(before.lower(), None)
        self.mails[member.mail.lower()] = member.uid

    def take_key(self, uid: str, key: Key) -> bool:
        """Give a member this key; return whether it is new, and raise UsageError if another member has it."""
        owner = self.keys.get(_identity(key.line))
        if owner not in (None, uid):
            raise UsageError(f"{owner} has the key {key.fingerprint}", hint="a key belongs to one member")
        self.keys[_identity(key.line)] = uid
        return owner is None


def _identity(line: str) -> tuple[str, ...]:
    """Return what makes a key the same key: its kind and body, without the comment."""
    return tuple(line.split()[:2])


def plan_import(rows: Sequence[Row], accounts: Sequence[Account], followed: Mapping[str, str]) -> Import:
    """Return what an import changes; nothing where the directory has it already.

    The groups in `followed` follow the compose files of these services, so an import leaves them as they are.

    Raises:
        UsageError: for a name, mail address, group or key that is not valid, or that belongs to another member, or for
            a member who is in the file twice.
    """
    there = {account.uid: account for account in accounts}
    owners = _Owners.of(accounts)
    seen: dict[str, str] = {}
    steps: list[Step] = []
    for row in rows:
        if row.uid in seen:
            raise UsageError(f"{row.uid} is also at {seen[row.uid]}", row.where, "remove one of the two")
        seen[row.uid] = row.where
        try:
            steps += _steps(row, there.get(row.uid), owners)
        except UsageError as error:
            raise UsageError(error.message, row.where, error.hint) from error
    left = (
        f"{step.uid}: not added to group {step.group}, which follows the compose file of {followed[step.group]}"
        for step in steps
        if step.group in followed
    )
    return Import(tuple(step for step in steps if step.group not in followed), tuple(left))


def _steps(row: Row, account: Account | None, owners: _Owners) -> Iterator[Step]:
    if account is None:
        new = Member(row.uid, row.name or row.uid, row.mail or "")
        check_member(new)
        owners.take_mail(new)
        yield Step(row.uid, add=new)
    else:
        wanted = Member(row.uid, row.name or account.name, account.mail if row.mail is None else row.mail)
        check_member(wanted)
        if wanted != Member(account.uid, account.name, account.mail):
            owners.take_mail(wanted, account.mail)
            yield Step(row.uid, change=wanted)
    for group in row.groups:
        check_uid(group, "group")
        if account is None or group not in account.groups:
            yield Step(row.uid, group=group)
    for key in map(parse_key, row.keys):
        if owners.take_key(row.uid, key):
            yield Step(row.uid, key=key.line)
