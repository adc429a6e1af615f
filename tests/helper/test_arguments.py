"""The helper's arguments have no path of the host and no secret; and the commands for a restore by hand."""

import re
from pathlib import Path

import pytest

from darkpeak.collective.repository_url import parse
from darkpeak.errors import UsageError
from darkpeak.helper.build import image_name
from darkpeak.helper.container import make_helper
from darkpeak.helper.scripts import find_in_volumes, make_entering
from darkpeak.repository.by_hand import explain


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
    lines = explain(parse("sftp:backup@nas.test:/darkpeak"), "wiki", "wiki-17")
    restic = "restic -r sftp:backup@nas.test:/darkpeak --password-file password"
    assert [line.partition("   #")[0] for line in lines[1:]] == [
        "age -d -i ~/.ssh/id_ed25519 backup-key.age | head -n 1 >password",
        f"{restic} snapshots --tag darkpeak-set,service=wiki,number=17",
        "mkdir ./wiki-restored",
        f"{restic} dump --archive tar ID / | tar -x -C ./wiki-restored",
        (
            "cat ./wiki-restored/staging/wiki/manifest.json; "
            "(cd ./wiki-restored/staging/wiki/parts && find . -type f -exec sha256sum {} +)"
        ),
        "(cd services/wiki && docker compose up -d --build --wait)",
        "services/wiki/scripts/restore ./wiki-restored/staging/wiki/parts",
        "rm password",
    ]
