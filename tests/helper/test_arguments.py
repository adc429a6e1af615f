"""The helper's arguments have no path of the host and no secret; and the commands for a restore by hand."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from darkpeak.collective.repository_url import parse
from darkpeak.errors import UsageError
from darkpeak.helper.build import image_name
from darkpeak.helper.container import make_helper
from darkpeak.helper.scripts import find_in_volumes, make_entering
from darkpeak.repository.by_hand import explain
from darkpeak.repository.key import Secret


def test_the_helper_mounts_volumes_and_nothing_of_the_host() -> None:
    argv = make_helper("darkpeak-0123", ["repository"], ["photos"])
    assert [word.removeprefix("--volume=") for word in argv if word.startswith("--volume=")] == [
        "darkpeak-restic-cache:/cache",
        "repository:/repository/repository",
        "photos:/volumes/photos:ro",
    ]
    assert "--cap-drop=ALL" in argv
    assert [word for word in argv if "assword" in word or word.startswith("--mount")] == []


def test_the_entry_of_a_container_has_two_capabilities_and_no_network() -> None:
    argv = make_entering("name", "abc", "image", "/staging/ways/abc")
    assert [word for word in argv if word.startswith(("--cap", "--priv", "--network", "--pid"))] == [
        "--network=none",
        "--pid=container:abc",
        "--cap-add=SYS_ADMIN",
        "--cap-add=SYS_PTRACE",
    ]
    assert not [word for word in argv if word.startswith("--volume=")]


MOUNTS = [
    {"Type": "volume", "Name": "data", "Destination": "/data"},
    {"Type": "volume", "Name": "inner", "Destination": "/data/deep/inner"},
    {"Type": "volume", "Name": "others", "Destination": "/others"},
    {"Type": "tmpfs", "Destination": "/run"},
]


@pytest.mark.parametrize(
    ("folder", "place"),
    [
        ("/data/files", "/volumes/data/files"),
        ("/data/files/../more/", "/volumes/data/more"),
        ("/data/deep/inner", "/volumes/inner"),
        ("/data/deep/inner/a", "/volumes/inner/a"),
        ("/data", ""),  # part of it is in another volume
        ("/data/deep", ""),
        ("/others", ""),  # in a volume that the helper does not have
        ("/run/a", ""),
        ("/etc", ""),
        ("/data/../etc", ""),
    ],
)
def test_a_folder_is_found_in_a_volume_of_the_helper(folder: str, place: str) -> None:
    assert find_in_volumes(folder, MOUNTS, ["data", "inner"]) == place


def test_the_images_name_depends_on_all_its_files(tmp_path: Path) -> None:
    names = {image_name()}
    for file, text in (("Dockerfile", "FROM debian"), ("docker.py", "one"), ("docker.py", "two"), ("enter.py", "two")):
        (tmp_path / file).write_text(text)
        names.add(image_name(tmp_path))
    assert len(names) == 5
    assert all(re.fullmatch(r"darkpeak-helper:[0-9a-f]{12}", name) for name in names)


@pytest.mark.parametrize(
    ("name", "kind", "url"),
    [
        ("volume:darkpeak-repository", "volume", "/repository/darkpeak-repository"),
        ("sftp:backup@nas.test:/darkpeak", "sftp", "sftp:backup@nas.test:/darkpeak"),
        ("sftp://backup@nas.test:2222//darkpeak", "sftp", "sftp://backup@nas.test:2222//darkpeak"),
        ("rest:https://nas.test/darkpeak", "rest", "rest:https://nas.test/darkpeak"),
        ("s3:https://s3.test/bucket", "s3", "s3:https://s3.test/bucket"),
        ("rclone:drive:darkpeak", "rclone", "rclone:drive:darkpeak"),
    ],
)
def test_repositories(name: str, kind: str, url: str) -> None:
    found = parse(name)
    assert (found.kind, found.for_restic) == (kind, url)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("/srv/backup", "a folder, which is on one machine only"),
        ("./backup", "a folder, which is on one machine only"),
        ("", "not a known repository"),
        ("ftp:nas", "not a known repository"),
        ("volume:/srv", "not a valid volume repository"),
        ("volume:a:b", "not a valid volume repository"),
        ("rest:https://ada:secret@nas.test/", "not a valid rest repository"),
        ("sftp:nas", "not a valid sftp repository"),
    ],
)
def test_a_wrong_repository_is_refused(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse(name)


def test_the_commands_by_hand() -> None:
    lines = explain(parse("volume:repository"), "wiki", "wiki-17")
    assert [line.partition("   #")[0] for line in [*lines[1:3], *lines[5:]]] == [
        "umask 077",
        "age -d -i ~/.ssh/id_ed25519 backup-key.age | head -n 1 >password",
        "restic snapshots --tag darkpeak-set,service=wiki,number=17",
        "mkdir ./wiki-restored",
        "restic dump --archive tar ID / | tar -x -C ./wiki-restored",
        (
            "cat ./wiki-restored/staging/wiki/manifest.json; "
            "(cd ./wiki-restored/staging/wiki/parts && find . -type f -exec sha256sum {} +)"
        ),
        "cat ./wiki-restored/staging/wiki/inventory.json",
        "(cd services/wiki && docker compose up -d --build --wait)",
        "services/wiki/scripts/restore ./wiki-restored/staging/wiki/parts",
        "rm password",
    ]


@pytest.mark.parametrize(
    ("name", "credentials", "restic", "files"),
    [
        (
            "sftp:backup@nas.test:/darkpeak",
            {"ssh-key": "the key\n", "known-hosts": "nas.test ssh-ed25519 AAAA\n"},
            "restic -o sftp.args='-i ssh-key -o UserKnownHostsFile=known-hosts' -r sftp:backup@nas.test:/darkpeak",
            {"ssh-key": "the key\n", "known-hosts": "nas.test ssh-ed25519 AAAA\n"},
        ),
        (
            "s3:https://s3.test/bucket",
            {"aws": "[x]"},
            "AWS_SHARED_CREDENTIALS_FILE=aws restic -r s3:https",
            {"aws": "[x]"},
        ),
        ("rclone:drive:a", {"rclone-conf": "[x]"}, "RCLONE_CONFIG=rclone-conf restic -r", {"rclone-conf": "[x]"}),
        (
            "rest:https://nas.test/darkpeak",
            {"login": "ada:pass&word"},
            "restic --repository-file url",
            {"login": "ada:pass&word", "url": "rest:https://ada:pass&word@nas.test/darkpeak"},
        ),
        ("rest:http://nas.test/", {}, "restic --repository-file url", {"login": "", "url": "rest:http://nas.test/"}),
    ],
    ids=["sftp", "s3", "rclone", "rest", "rest without a login"],
)
def test_the_commands_by_hand_take_the_credentials_out_of_the_key(
    tmp_path: Path, name: str, credentials: dict[str, str], restic: str, files: dict[str, str]
) -> None:
    """They are run here; only `age` is a program that prints what it would decrypt."""
    lines = explain(parse(name), "wiki", None, "/keys/ada")
    (tmp_path / "secret").write_bytes(Secret("password", {name: credentials}).text())
    (tmp_path / "age").write_text(f'#!/bin/sh\n[ "$*" = "-d -i /keys/ada backup-key.age" ] && cat {tmp_path}/secret\n')
    (tmp_path / "age").chmod(0o755)
    first = next(number for number, line in enumerate(lines) if " snapshots --tag " in line)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    script = "set -eu\n" + "\n".join(lines[:first])
    subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, check=True, timeout=20)
    assert {file: (tmp_path / file).read_text() for file in files} == files
    assert lines[first].startswith(restic)
    assert all((tmp_path / file).stat().st_mode & 0o77 == 0 for file in ("password", *files))
    assert set(lines[-1].split()) >= {"rm", "password", *files}
