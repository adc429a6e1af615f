"""Programs of services that are interrupted, or run twice at the same time; other programs are played."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.services.places import BACKUPS, CATALOGUE, SERVICES

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


@pytest.mark.parametrize("fails", ["dc=collective", "cn=log"])
def test_a_database_that_cannot_be_read_is_not_replaced(fails: str, tmp_path: Path) -> None:
    data, programs = tmp_path / "data", tmp_path / "programs"
    for folder in (data / "current", data / "log", data / "forget", programs):
        folder.mkdir(parents=True)
        (folder / "data.mdb").touch()
    slapcat = """\
#!/bin/sh
base=dc=collective
case "$*" in *cn=log*) base=cn=log ;; esac
echo "dn: x"
case "$*" in *-f*) ;; *) [ "$base" != FAILS ] ;; esac
"""
    played = play(programs, slapcat=slapcat.replace("FAILS", fails), slapadd="#!/bin/sh\n", sed="#!/bin/sh\n")
    program = moved(SERVICES / "directory/slapd/bin/rewrite", "/var/lib/ldap", data, tmp_path)
    ran = subprocess.run([program], env=played, check=False, timeout=60)
    assert ran.returncode
    assert (data / ("current" if fails == "dc=collective" else "log") / "data.mdb").exists()
    assert (data / "forget/data.mdb").exists()
    assert not (data / "rewriting").exists()


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


# Scripts that stop a container, what they are called with, and the container.
STOPPING = {
    "services/chat/scripts/forget-member": "prosody",
    "services/chat/scripts/restore": "prosody",
    "services/router/scripts/restore": "certificates",
    "shapes/web-postgres/scripts/restore": "app",
    "shapes/web-mariadb/scripts/restore": "app",
}
# The engine goes on with a stop whose client was interrupted: only `restart` waits for its end.
DOCKER = """\
#!/bin/sh
[ "$2" != ps ] || { printf '%s\\n' a b c d; exit; }
echo "$2 $3" >>ASKED
[ "$2" != stop ] || touch ASKED.stopped
[ ! -e ASKED.stopped ] || [ "$2" != WHEN ] || ENDS
"""


def test_the_table_has_all_scripts_that_stop_a_container() -> None:
    top = SERVICES.parent
    scripts = [path for path in top.glob("*/*/scripts/*") if path.is_file() and "compose stop" in path.read_text()]
    assert sorted(str(path.relative_to(top)) for path in scripts) == sorted(STOPPING)


def make_backup(place: str, top: Path) -> Path:
    """Write a backup of a service, with right checksums; return its folder."""
    folder = top / "saved"
    folder.mkdir()
    for name in BACKUPS[place]:
        (folder / name).write_text("saved\n")
    sums = subprocess.run(["sha256sum", *BACKUPS[place]], cwd=folder, capture_output=True, check=True).stdout
    (folder / "SHA256SUMS").write_bytes(sums)
    return folder


@pytest.mark.parametrize("when", ["stop", "exec"])
@pytest.mark.parametrize("ends", ['kill -TERM "$PPID"', "exit 1"])
@pytest.mark.parametrize("script", STOPPING)
def test_a_stopped_container_starts_again_however_a_script_ends(
    script: str, ends: str, when: str, tmp_path: Path
) -> None:
    docker = DOCKER.replace("ASKED", str(tmp_path / "asked")).replace("WHEN", when).replace("ENDS", ends)
    argument = (
        "ada" if script.endswith("member") else str(make_backup(script.removesuffix("/scripts/restore"), tmp_path))
    )
    played = play(tmp_path, docker=docker)
    ran = subprocess.run([SERVICES.parent / script, argument], env=played, check=False, timeout=60)
    assert ran.returncode
    asked = (tmp_path / "asked").read_text().splitlines()
    after = asked[asked.index(f"stop {STOPPING[script]}") :]
    assert after[-1] == f"restart {STOPPING[script]}" or any(line.startswith("up ") for line in after)
