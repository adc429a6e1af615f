"""restic's errors as messages of ours: what is wrong and what to do, without restic's paths and exit codes."""

import pytest

from darkpeak.repository.restic_errors import explain
from darkpeak.result import Result

LOCKED = """\
repo already locked, waiting up to 2m0s for the lock
Fatal: unable to create lock in backend: repository is already locked{} by PID 53 on peak by root (UID 0, GID 0)
lock was created at 2026-01-02 03:04:05 (1m2.5s ago)
storage ID 0123abcd
the `unlock` command can be used to remove stale locks
"""


@pytest.mark.parametrize(
    ("code", "stderr", "said", "exit_code"),
    [
        (124, "", "nas does not answer", 3),
        (10, "Fatal: repository does not exist: stat /repository/x", "there is no repository at nas", 2),
        (12, "Fatal: wrong password", "wrong password for nas (backup-key.age)", 1),
        (11, LOCKED.format(""), "nas is locked by peak, since 2026-01-02 03:04:05", 3),
        (11, LOCKED.format(" exclusively"), "nas is locked by peak, since 2026-01-02 03:04:05", 3),
        (11, "Fatal: locked, in words that nobody knows", "nas is locked by another program", 3),
        (1, "write /repository/x: no space left on device\nFatal: x", "nas: no space left on device", 3),
        (1, "one\nFatal: two\nthree", "nas: two", 3),
        (1, "one\ntwo", "nas: two", 3),
    ],
    ids=["silence", "absent", "wrong key", "locked", "locked whole", "locked somehow", "full", "fatal", "anything"],
)
def test_each_error_of_restic_has_a_message_of_ours(code: int, stderr: str, said: str, exit_code: int) -> None:
    error = explain("nas", Result(code, b"", stderr.encode()))
    assert error
    assert (error.message, error.exit_code) == (said, exit_code)
    assert [line for line in error.lines() if "\n" in line or "/repository" in line] == []


def test_success_has_no_error() -> None:
    assert explain("nas", Result(0, b"", b"Fatal")) is None


LOGIN = "store the private key of its login: darkpeak key secret nas ssh-key <FILE"
HOST = "store its host key, which you have compared: darkpeak key secret nas known-hosts <FILE"
ADDRESS = "check its address, and that its machine is on"
DENIED = "backup@nas: Permission denied (publickey)."


@pytest.mark.parametrize(
    ("before", "last", "hint"),
    [
        ("", DENIED, LOGIN),
        ('Load key "/secret/0.ssh-key": invalid format', DENIED, LOGIN),
        ("No ED25519 host key is known for nas and you have requested", "Host key verification failed.", HOST),
        ("", "ssh: Could not resolve hostname nas: Name or service not known", ADDRESS),
        ("", "ssh: connect to host nas port 22: Connection refused", ADDRESS),
    ],
    ids=["no key there", "not a key", "unknown host", "no such host", "nothing listens"],
)
def test_the_reason_of_ssh_is_shown_and_which_credential_helps(before: str, last: str, hint: str) -> None:
    lines = [f"subprocess ssh: {line}" for line in (before, last) if line]
    lines.append("Fatal: unable to open repository at sftp:nas: server unexpectedly closed connection")
    error = explain("nas", Result(1, b"", "\n".join(lines).encode()))
    assert error
    assert (error.message, error.hint) == (f"nas: ssh: {last}", hint)
