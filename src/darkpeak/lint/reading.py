"""Rules about the form of the files: found in reading, by compose, or on an engine, without a check here. Pure."""

from darkpeak.lint.rule import ERROR, WARNING, Rule

ADMINS, BACKUP, CERTIFICATES, HOSTS = "docs/admins.md", "docs/backup.md", "docs/certificates.md", "docs/hosts.md"

RULES = (
    Rule(
        "toml",
        ERROR,
        "collective.toml must be TOML; without it, nothing is known about the collective.",
        "fix the line",
        page=ADMINS,
    ),
    Rule(
        "yaml",
        ERROR,
        "A compose file must be YAML of a usual size, with each key once.",
        "fix the line, or the one above",
    ),
    Rule(
        "no-compose-file",
        ERROR,
        "A service is described by its docker-compose.yml.",
        "write services/NAME/docker-compose.yml, or remove the folder",
    ),
    Rule("no-services", ERROR, "A collective has at least one service.", "write services/NAME/docker-compose.yml"),
    Rule(
        "no-x-darkpeak",
        ERROR,
        "x-darkpeak says what the service is, who runs it, and which block it has.",
        "write x-darkpeak: with about, block, admins, kind and level",
    ),
    Rule("missing-key", ERROR, "The key is needed.", "write the key"),
    Rule(
        "unknown-key",
        ERROR,
        "A key that nobody reads is a typing error, or a wish that is not fulfilled.",
        "fix the name, or remove the key",
    ),
    Rule("wrong-type", ERROR, "The value must have another form.", "write it as the hint says"),
    Rule("unknown-kind", ERROR, "A service's kind is infrastructure, co-op or user.", "choose one of them"),
    Rule("unknown-level", ERROR, "A service's level is idea, alpha, beta or live.", "choose one of them"),
    Rule(
        "limit-size", ERROR, "The router can keep a limit only within its bounds.", "write something within the bounds"
    ),
    Rule(
        "port-form",
        ERROR,
        "Darkpeak must know a port's numbers, to keep the blocks apart.",
        'write "127.0.0.1:6010:80"',
    ),
    Rule(
        "build-files",
        ERROR,
        "Docker copies all files of a container's folder at each build, so there must be no device, and not too much.",
        "move what the build does not need to another folder",
    ),
    Rule(
        "named-file",
        ERROR,
        "Compose reads this file too, so it must be readable.",
        "fix the file, or remove its name from the compose file",
    ),
    Rule(
        "compose",
        ERROR,
        "Compose itself refuses the file.",
        "see the Compose file reference: docs.docker.com/reference/compose-file",
    ),
    Rule(
        "env",
        WARNING,
        "Plain compose would start the service with another domain or another port than darkpeak.",
        "write the file again: darkpeak up SERVICE",
    ),
    Rule(
        "host-name",
        ERROR,
        "A host's name is a part of the names of files.",
        "use lower-case letters, digits and inner hyphens",
        page=HOSTS,
    ),
    Rule(
        "uri",
        ERROR,
        "The URI of a daemon is all that is needed to use it, so it must be one that Docker knows.",
        'write docker = "ssh://USER@HOST"',
        page=HOSTS,
    ),
    Rule(
        "repository",
        ERROR,
        "A backup repository must be a place that restic can use, and that is not on one laptop only.",
        'write repositories = ["sftp:backup@nas.example:/darkpeak"]',
        page=BACKUP,
    ),
    Rule(
        "router-port",
        ERROR,
        "The router's own ports are not in the services' blocks.",
        "use 80, 443 and 22, or 7080, 7443 and 7022",
        page=CERTIFICATES,
    ),
    Rule(
        "acme",
        ERROR,
        "The CA is asked at an https address.",
        "write the address of its ACME directory",
        page=CERTIFICATES,
    ),
    Rule(
        "acme-domain",
        ERROR,
        "No public CA issues certificates for a name that nobody owns.",
        "remove [certificates] to use the collective's own CA",
        page=CERTIFICATES,
    ),
    Rule("contact", ERROR, "The CA writes to this mail address.", "write a mail address", page=CERTIFICATES),
    Rule(
        "no-such-hook",
        ERROR,
        "The hook proves the domain by DNS, so it must exist and be executable.",
        "write it into services/router/certificates/hooks",
        page=CERTIFICATES,
    ),
    Rule(
        "trust",
        ERROR,
        "The file has the root certificate of the CA, and never a key.",
        "save the root certificate there, in PEM",
        page=CERTIFICATES,
    ),
    Rule(
        "subnet-in-use",
        ERROR,
        "Two networks of an engine cannot overlap.",
        "use another block, or remove the other network",
        page=HOSTS,
    ),
    Rule(
        "port-in-use",
        ERROR,
        "A port of an engine leads to one container.",
        "use another block, or remove the other container",
        page=HOSTS,
    ),
)
