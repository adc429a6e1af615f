"""The commands that restore a snapshot without darkpeak: restic, age, docker and a shell. Pure."""

import shlex

from darkpeak.collective.repository_url import RepositoryUrl
from darkpeak.repository.snapshots import TAG
from darkpeak.vocabulary import KEY_FILE

# The other lines of the key file are the credentials of each repository, as JSON.
PICK = 'import json, sys; sys.stdout.write(json.load(sys.stdin).get(sys.argv[1], {}).get(sys.argv[2], ""))'
IDENTITY = "~/.ssh/id_ed25519"


def explain(repository: RepositoryUrl, service: str, name: str | None, identity: str = IDENTITY) -> list[str]:
    """Return the commands, for a shell in the collective's folder; `identity` is the caller's ssh key."""
    number = name.partition("@")[0].rpartition("-")[2] if name else ""
    wanted = f"{TAG},service={service}" + (f",number={number}" if number else ",kind=backup")
    folder = f"./{service}-restored"
    top = f"{folder}/staging/{service}"
    setup, restic, files = _by_hand(repository, identity)
    return [
        f"# {service} from {repository.name}; use the ssh key that collective.toml has for you",
        "umask 077   # nobody else can read what these lines write",
        f"age -d -i {identity} {KEY_FILE} | head -n 1 >password   # the other lines are credentials",
        *setup,
        f"{restic} snapshots --tag {wanted}   # the newest has the highest number= in its tags",
        f"mkdir {folder}",
        f"{restic} dump --archive tar ID / | tar -x -C {folder}   # ID: from the list above",
        f"cat {top}/manifest.json; (cd {top}/parts && find . -type f -exec sha256sum {{}} +)   # compare the sums",
        f"cat {top}/inventory.json   # which packages ran; snapshots from before 2027 may lack it",
        f"(cd services/{service} && docker compose up -d --build --wait)",
        f"services/{service}/scripts/restore {top}/parts",
        f"rm {' '.join(('password', *files))}",
    ]


def _by_hand(repository: RepositoryUrl, identity: str) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """Return the lines to type first, the beginning of a restic command, and the secret files that the lines write."""
    if repository.volume:
        return (*_in_container(repository), ())
    names, url = repository.credentials, shlex.quote(repository.for_restic)
    lines = (
        f"credential() {{ age -d -i {identity} {KEY_FILE} | tail -n +2 | python3 -c '{PICK}' {url} \"$1\"; }}",
        *(f"credential {name} >{name}" for name in names),
    )
    if repository.kind == "rest":
        # printf is a part of the shell, so the login is in no list of processes.
        before, _, after = repository.for_restic.partition("://")
        address = f'login=$(cat login); printf "{before}://%s{after}" "${{login:+$login@}}" >url'
        return (
            (*lines, address),
            "restic --repository-file url --password-file password",
            (*names, "url"),
        )
    restic = {
        "sftp": "restic -o sftp.args='-i ssh-key -o UserKnownHostsFile=known-hosts'",
        "s3": "AWS_SHARED_CREDENTIALS_FILE=aws restic",
        "rclone": "RCLONE_CONFIG=rclone-conf restic",
    }
    return lines, f"{restic[repository.kind]} -r {url} --password-file password", names


def _in_container(repository: RepositoryUrl) -> tuple[tuple[str, ...], str]:
    """Only a container can read a volume; it gets the password on its standard input."""
    run = f"docker run --rm -i -v {repository.volume}:/repository darkpeak-helper"
    inside = "cat >/tmp/password; restic -r /repository --password-file /tmp/password"
    function = f"""restic() {{ {run} sh -c '{inside} "$@"' restic "$@" <password; }}"""
    return ("# the repository is a volume of the daemon; any image with restic >= 0.17 works", function), "restic"
