"""The commands by which a set is restored without us: restic, age, docker and a shell. Pure."""

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
        f"# {service} from {repository.name}; ssh key: whichever of yours is in collective.toml",
        f"age -d -i ~/.ssh/id_ed25519 {KEY_FILE} | head -n 1 >password   # the rest holds logins for the repository",
        *setup,
        f"{restic} snapshots --tag {wanted}   # the tag number= tells which is newest, not the time",
        f"mkdir {folder}",
        f"{restic} dump --archive tar ID / | tar -x -C {folder}   # ID: of the list above",
        f"cat {top}/manifest.json; (cd {top}/parts && find . -type f -exec sha256sum {{}} +)   # the same sums?",
        f"(cd services/{service} && docker compose up -d --build --wait)",
        f"services/{service}/scripts/restore {top}/parts",
        "rm password",
    ]


def _by_hand(repository: RepositoryUrl) -> tuple[tuple[str, ...], str]:
    """Return what to type first, and how restic is called then."""
    if not repository.volume:
        return (), f"restic -r {repository.for_restic} --password-file password"
    # A volume is reached from a container only; the password goes in by standard input.
    run = f"docker run --rm -i -v {repository.volume}:/repository darkpeak-helper"
    inside = "cat >/tmp/password; restic -r /repository --password-file /tmp/password"
    function = f"""restic() {{ {run} sh -c '{inside} "$@"' restic "$@" <password; }}"""
    return ("# the repository is a volume of the daemon: any image with restic >= 0.17 will do", function), "restic"
