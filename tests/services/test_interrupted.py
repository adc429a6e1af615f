"""Programs of services that are interrupted, or run twice at the same time; other programs are played."""

import os
import subprocess
from pathlib import Path

from tests.services.places import CATALOGUE, SERVICES

# A played database has one entry. That of the changes has a sign by which it is known.
SLAPCAT = """\
#!/bin/sh
case "$*" in *cn=log*) ls DATA/log >>DATA/seen ;; esac
echo "dn: x"
"""


def play(folder: Path, **programs: str) -> dict[str, str]:
    """Write programs; return the environment in which they are found first."""
    for name, text in programs.items():
        path = folder / name
        path.write_text(text)
        path.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def moved(program: Path, old: str, new: Path, to: Path) -> Path:
    """Write a program again, with another folder for its data."""
    path = to / program.name
    path.write_text(program.read_text().replace(old, str(new)))
    path.chmod(0o755)
    return path


def test_a_replacement_of_the_log_that_was_interrupted_is_completed(tmp_path: Path) -> None:
    data, programs = tmp_path / "data", tmp_path / "programs"
    for folder in (data / "current", data / "loading", data / "forget", programs):
        folder.mkdir(parents=True)
    (data / "loading/changes").touch()
    (data / "forget/ada").write_text("reqDN: uid=ada\n")
    played = play(programs, slapcat=SLAPCAT.replace("DATA", str(data)), slapadd="#!/bin/sh\n", sed="#!/bin/sh\n")
    program = moved(SERVICES / "directory/slapd/bin/rewrite", "/var/lib/ldap", data, tmp_path)
    subprocess.run([program], env=played, check=True, timeout=60)
    assert (data / "seen").read_text().split()[0] == "changes"


def test_the_directory_makes_no_empty_log_before_it_completes_a_replacement() -> None:
    lines = (SERVICES / "directory/slapd/bin/serve").read_text().splitlines()
    completed, made = (
        [line.startswith(start) for line in lines].index(True)
        for start in ("[ ! -d $data/forget", "mkdir -p $data/log")
    )
    assert completed < made


def test_two_changes_of_the_login_page_at_once_get_two_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "configuration"
    folder.mkdir()
    program = moved(CATALOGUE / "account/portal/bin/reconfigure", "/run/account/configuration", folder, tmp_path)
    played = play(tmp_path, configure='#!/bin/sh\nsleep 0.5\necho "$1"\n')
    both = [subprocess.Popen([program], env=played) for _ in range(2)]
    assert [one.wait(20) for one in both] == [0, 0]
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "lmConf-1.json": "1\n",
        "lmConf-2.json": "2\n",
    }


def test_two_admins_who_add_one_client_at_once_get_one_secret(tmp_path: Path) -> None:
    folder = tmp_path / "clients"
    folder.mkdir()
    program = moved(CATALOGUE / "account/portal/bin/client", "/var/lib/account/current/clients", folder, tmp_path)
    played = {**play(tmp_path, reconfigure="#!/bin/sh\n"), "HTTPS_PORT": "443", "DOMAIN": "localhost"}
    argv = [str(program), "add", "pad", "https://pad.localhost/"]
    both = [subprocess.Popen(argv, env=played, stdout=subprocess.PIPE) for _ in range(2)]
    assert len({one.communicate(timeout=20)[0] for one in both}) == 1
    assert [path.name for path in folder.iterdir()] == ["pad.json"]


def test_prosody_starts_again_if_forgetting_is_interrupted(tmp_path: Path) -> None:
    docker = f'#!/bin/sh\necho "$2 $3" >>{tmp_path}/asked\n[ "$2" != exec ] || kill -TERM "$PPID"\n'
    script = SERVICES / "chat/scripts/forget-member"
    ran = subprocess.run([script, "ada"], env=play(tmp_path, docker=docker), check=False, timeout=60)
    assert ran.returncode
    assert (tmp_path / "asked").read_text().splitlines() == ["stop prosody", "exec -T", "start prosody"]
