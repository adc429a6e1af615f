"""All services are made in one way: the same files, names, engine settings and exit codes."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.services.places import BACKUPS, DOCKERFILES, FOLDERS, SCRIPTS, SERVICES, folder_id, short

NAMES = {"backup", "restore", "updates", "verify"}
OPTIONAL = {"member-gone", "member-key", "export-member", "forget-member", "sample"}
USAGE = {
    "backup": " DIR",
    "restore": " DIR",
    "member-gone": " UID [passwd]",
    "member-key": " add|remove UID <KEY.pub",
    "export-member": " UID DIR",
    "forget-member": " UID",
}
HEALTHCHECK = 'HEALTHCHECK --interval=1s --timeout=10m --retries=3 --start-period=1m CMD ["keep-checking", "health"]'
PROGRAMS = sorted(path for file in DOCKERFILES for path in (file.parent / "bin").iterdir())
# A program with wrong arguments prints its usage, with these words, before it does anything else.
WRONG_USE: dict[str, list[list[str]]] = {
    "../catalogue/account/portal/bin/client": [
        [],
        ["add", "a"],
        ["add", "A", "https://a/"],
        ["add", "a", "http://a/"],
        ["remove"],
    ],
    "../catalogue/account/portal/bin/configure": [[], ["x"]],
    "../catalogue/account/portal/bin/end-sessions": [[], ["*"], ["a;b"], [""], ["ada", "now"], ["ada", "--except"]],
    "../catalogue/account/portal/bin/hand-over": [[], ["*"], ["../ada"], ["a;b"], [""], ["ada", "grace"]],
    "../catalogue/account/portal/bin/invite": [[], ["*"], ["a;b"], [""], ["ada", "grace"]],
    "../catalogue/mail/postfix/bin/set-login": [[], ["a b"], ["a", "b"], [""]],
    "chat/prosody/bin/certificate": [[], ["sell"]],
    "chat/prosody/bin/disconnect": [[], ["a'da"], ["*"], [""]],
    "git/gitolite/bin/add-key": [[], ["Ada"], ["../ada"], ["@all"], ["ada."], ["7ada"]],
    "git/gitolite/bin/directory-keys": [
        [],
        ["ssh-ed25519"],
        ["ssh-ed25519", "A B"],
        ["-x", "$(id)"],
        ["ssh-rsa", "AA", "b"],
    ],
    "git/gitolite/bin/remove-keys": [[], ["*"], ["../ada"], [""]],
    **{
        f"{folder}/bin/{name}-member": [[], ["*"], ["a;b"], [""]]
        for name in ("export", "forget")
        for folder in (
            "chat/database",
            "directory/slapd",
            "git/gitolite",
            "wiki/webserver",
            "../shapes/web/app",
            "../shapes/gate/app",
        )
    },
    "router/haproxy/bin/gone": [[], ["*"], ["a;b"], [""], ["ada", "passwd"]],
    "router/haproxy/bin/dump": [[], ["everything"]],
    "router/haproxy/bin/load": [[], ["everything"]],
    "router/haproxy/bin/probe": [[]],
    "router/haproxy/bin/sign": [[], ["-i"], ["-i", "request"]],
    "wiki/webserver/bin/end-sessions": [[], ["*"], ["a;b"], [""]],
    "wiki/webserver/bin/keep-checking": [[]],
}


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=folder_id)
def test_a_container_is_a_dockerfile_and_its_programs(dockerfile: Path) -> None:
    text = dockerfile.read_text()
    programs = {path.name for path in (dockerfile.parent / "bin").iterdir()}
    assert {"serve", "health", "keep-checking"} <= programs
    assert text.startswith("FROM debian:trixie\n")
    assert "COPY bin/ /usr/local/bin/\n" in text
    assert text.endswith(f'{HEALTHCHECK}\nCMD ["serve"]\n')
    assert "ENTRYPOINT" not in text
    assert "--chmod" not in text, "the file modes in git decide which files are programs"
    assert ("load" in programs) == ("dump" in programs), "a writable program can be replaced in an attack"


@pytest.mark.parametrize(
    "compose", [folder / "docker-compose.yml" for folder in FOLDERS], ids=lambda path: path.parent.name
)
def test_the_health_check_is_only_in_the_dockerfile(compose: Path) -> None:
    assert "healthcheck" not in compose.read_text()


def test_only_programs_can_be_run() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--stage", "catalogue", "services", "shapes"],
        cwd=SERVICES.parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    can_run = {line.split("\t")[1] for line in listed.splitlines() if line.startswith("100755")}
    programs = {line.split("\t")[1] for line in listed.splitlines() if re.search(r"/(bin|scripts|triggers)/", line)}
    assert can_run == programs


@pytest.mark.parametrize("program", [*PROGRAMS, *SCRIPTS], ids=short)
def test_a_program_begins_with_a_comment_about_what_it_does(program: Path) -> None:
    first, second, *_ = program.read_text().splitlines()
    assert re.fullmatch(r"#!/(bin/sh|bin/bash|usr/bin/(awk -f|lua5\.4|node|perl|python3))", first)
    assert second.startswith(("# ", "-- ", "// "))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_service_has_four_scripts(folder: Path) -> None:
    assert {path.name for path in (folder / "scripts").iterdir()} - OPTIONAL == NAMES


@pytest.mark.parametrize("script", SCRIPTS, ids=short)
def test_a_script_with_wrong_arguments_prints_its_usage(script: Path) -> None:
    wrong = [["one", "two", "three"], [] if script.name in USAGE else ["one"]]
    for arguments in wrong:
        ran = run(script, arguments)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert ran.stderr == f"usage: scripts/{script.name}{USAGE.get(script.name, '')}\n"


@pytest.mark.parametrize("program", WRONG_USE)
def test_a_program_with_wrong_arguments_prints_its_usage(program: str) -> None:
    for arguments in WRONG_USE[program]:
        ran = run(SERVICES / program, arguments)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert ran.stderr.startswith(f"usage: {Path(program).name} ")


@pytest.mark.parametrize("script", [path for path in SCRIPTS if path.name == "restore"], ids=short)
def test_nothing_is_restored_from_a_folder_without_a_backup(script: Path, tmp_path: Path) -> None:
    for folder in (tmp_path / "missing", tmp_path):
        ran = run(script, [str(folder)])
        assert ran.returncode == 1
        assert ran.stderr.splitlines()[-1].startswith("restore: ")


def test_every_backup_is_in_the_table() -> None:
    assert set(BACKUPS) == {"/".join(path.parts[-4:-2]) for path in SCRIPTS}


@pytest.mark.parametrize("place", BACKUPS)
@pytest.mark.parametrize("fault", ["damaged", "not in the sums"])
def test_checksums_are_verified_before_the_service_is_touched(place: str, fault: str, tmp_path: Path) -> None:
    """There is no engine here: a script that used it first would print another error."""
    for name in BACKUPS[place]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("not what was saved\n")
        with (tmp_path / "SHA256SUMS").open("a") as sums:
            sums.write(f"{'0' * 64}  {name if fault == 'damaged' else 'another'}\n")
    ran = run(SERVICES.parent / place / "scripts/restore", [str(tmp_path)])
    assert ran.returncode == 1
    last = ran.stderr.splitlines()[-1]
    assert last.startswith(f"restore: {tmp_path} is ")
    assert last.endswith("damaged: nothing was changed") or fault != "damaged"


@pytest.mark.parametrize("script", [path for path in SCRIPTS if path.name == "backup"], ids=short)
def test_checksums_are_written_last(script: Path) -> None:
    assert script.read_text().endswith('mv SHA256SUMS "$target/"\n')


def run(program: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a program here, without an engine."""
    environment = {"PATH": "/usr/bin:/bin", "DOCKER_HOST": "unix:///nonexistent"}
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, env=environment, check=False, timeout=60
    )
