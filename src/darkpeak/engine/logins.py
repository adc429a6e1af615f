"""The logins that `docker login` has kept on this machine, also in a helper's store."""


def find_login(registry: str) -> tuple[str, str] | None:
    """Return the user and password for a registry; None if nobody has logged in, or if the store does not answer."""
    from docker.auth import load_config
    from docker.errors import DockerException

    try:
        found = load_config().resolve_authconfig(registry) or {}
    except (DockerException, ValueError):
        return None
    user, password = found.get("username") or found.get("Username"), found.get("password") or found.get("Password")
    return (str(user), str(password)) if user and password else None
