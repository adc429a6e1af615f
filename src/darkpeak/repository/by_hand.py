"""The commands that restore a snapshot without darkpeak: restic, age, docker and a shell. Pure."""

from darkpeak.collective.repository_url import RepositoryUrl
from darkpeak.repository.snapshots import TAG
from darkpeak.vocabulary import KEY_FILE


def explain(repository: RepositoryUrl, service: str, name: str | None) -> list[str]:
    """Return the commands, for a shell in the collective's folder."""
    number = name.partition("@")[0].rpartition("-")[2] if name else ""
    wanted = f"{TAG},service={service}" + (f",number={number}" if number else ",kind=backup")
    folder = f"./{service}-restored"
    top = f"{folder}/staging/{service}"
    setup, restic = _by_hand(repository)
    return [
        f"# {service} from {repository.name}; use the ssh key that collective.toml has for you",
        f"age -d -i ~/.ssh/id_ed25519 {KEY_FILE} | head -n 1 >password   # the other lines are credentials",
        *setup,
        f"{restic} snapshots --tag {wanted}   # the newest has the highest number= in its tags",
        f"mkdir {folder}",
        f"{restic} dump --archive tar ID / | tar -x -C {folder}   # ID: from the list above",
        f"cat {top}/manifest.json; (cd {top}/parts && find . -type f -exec sha256sum {{}} +)   # compare the sums",
        f"(cd services/{service} && docker compose up -d --build --wait)",
        f"services/{service}/scripts/restore {top}/parts",
        "rm password",
    ]


def _by_hand(repository: RepositoryUrl) -> tuple[tuple[str, ...], str]:
    """Return the lines to type first, and then the beginning of a restic command."""
    if not repository.volume:
        return (), f"restic -r {repository.for_restic} --password-file password"
    # Only a container can read a volume; it gets the password on its standard input.
    run = f"docker run --rm -i -v {repository.volume}:/repository darkpeak-helper"
    inside = "cat >/tmp/password; restic -r /repository --password-file /tmp/password"
    function = f"""restic() {{ {run} sh -c '{inside} "$@"' restic "$@" <password; }}"""
    return ("# the repository is a volume of the daemon; any image with restic >= 0.17 works", function), "restic"
