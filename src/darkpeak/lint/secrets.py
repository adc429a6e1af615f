"""A rule about secrets: none is written into a compose file or a Dockerfile, where every reader sees it."""

import re
from collections.abc import Iterator

from darkpeak.collective.compose import dockerfile
from darkpeak.collective.model import Finding, Place, Service
from darkpeak.lint.rule import WARNING, Rule
from darkpeak.lint.written import Written, child, pairs

WORDS = re.compile(r"(^|_)(PASSWORD|PASSWD|PASSPHRASE|PASS|PW|PWD|SECRET|TOKEN|CREDENTIALS?|API_?KEY|KEY)(_|$)")
# What follows these words is about a secret, and is none itself.
ABOUT = re.compile(
    r"_(FILE|PATH|DIR|URL|TYPE|TTL|LIFETIME|EXPIRY|AGE|LENGTH|MIN|MAX|POLICY|ALGORITHM|NAME|ID|USER|HASH|HEADER|FORMAT)$"
)
PLAIN = re.compile(r"|true|false|yes|no|on|off|none|null|\d{1,4}|/.*|\$\{?\w+\}?", re.IGNORECASE)
IN_ADDRESS = re.compile(r"://[^/\s:@$]+:[^@\s$/]+@")
SETS = re.compile(r"^\s*(?:ENV|ARG)\s+(.+)$", re.MULTILINE | re.IGNORECASE)
VARIABLE = re.compile(r"([A-Za-z_]\w*)=(\"[^\"]*\"|'[^']*'|\S*)")
HINT = "make it at the first start, at random, in a volume; see docs/service.md"


def in_files(written: Written) -> Iterator[Finding]:
    """No variable of a container or a build has a secret as its value."""
    for name, container in written.containers():
        build = child(container, "build")
        for variable, value, line in (*pairs(container, "environment"), *pairs(build, "args")):
            if is_secret(variable, value):
                yield written.finding(line, "secret", f"{variable} of {name} looks like a secret", HINT)


def in_dockerfiles(service: Service) -> Iterator[Finding]:
    """No Dockerfile has a secret: it would be in the image."""
    for container in service.containers:
        text = dockerfile(service.folder, container.build)
        file = f"{service.at.file.rpartition('/')[0]}/{container.build}/Dockerfile"
        for found in SETS.finditer(text):
            for variable, value in VARIABLE.findall(found[1]):
                if is_secret(variable, value.strip("\"'")):
                    at = Place(file, text.count("\n", 0, found.start()) + 1)
                    yield Finding(at, "secret", f"{variable} looks like a secret", HINT)


def is_secret(variable: str, value: str) -> bool:
    """Return whether the value of a variable looks like a secret: by the variable's name, or by its own form."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", variable).upper().replace("-", "_").replace(".", "_")
    if IN_ADDRESS.search(value):
        return True
    return bool(WORDS.search(name)) and not ABOUT.search(name) and not PLAIN.fullmatch(value.strip())


RULES = (
    Rule(
        "secret",
        WARNING,
        "What is in git, in an image, in a variable or in a label is read by everyone who can see the repository "
        "or the engine.",
        "make it at the first start, at random, in a volume; docs/service.md says how",
        service=(in_dockerfiles,),
        file=(in_files,),
    ),
)
