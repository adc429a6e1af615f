"""A rule about secrets: none is written into a compose file or a Dockerfile, where every reader sees it."""

import re
from collections.abc import Iterator

from darkpeak.collective.model import Finding, Place, Service
from darkpeak.collective.text import read_or_empty
from darkpeak.lint.build_file import build_files
from darkpeak.lint.rule import WARNING, Rule
from darkpeak.lint.written import Written, child, pairs

WORDS = re.compile(r"(^|_)(PASSWORD|PASSWD|PASSPHRASE|PASS|PW|PWD|SECRET|TOKEN|CREDENTIALS?|API_?KEY|KEY)(_|$)")
# What follows these words is about a secret, and is none itself.
ABOUT = re.compile(
    r"_(FILE|PATH|DIR|URL|TYPE|TTL|LIFETIME|EXPIRY|AGE|LENGTH|MIN|MAX|POLICY|ALGORITHM|NAME|ID|USER|HASH|HEADER|FORMAT)$"
)
PLAIN = re.compile(r"|true|false|yes|no|on|off|none|null|\d{1,4}|/.*|\$\{?\w+\}?", re.IGNORECASE)
IN_ADDRESS = re.compile(r"://[^/\s:@$]+:[^@\s$/]+@")
VARIABLE = re.compile(r"([A-Za-z_][\w.-]*)[\"']?=(\"[^\"]*\"|'[^']*'|\S*)")
# Programs that get a password as an argument or on their standard input: it stays in the image's layer.
GIVEN = re.compile(
    r"\becho\s+[\"']?[\w.-]+:[^$\s\"'|]+[\"']?\s*\|\s*chpasswd|--(password|token|secret)[= ][\"']?[^$\s\"'*!-]"
)
EXPORTED = re.compile(r"(?:^|[;&|(]|\bexport)\s*([A-Za-z_]\w*)=(\"[^\"]*\"|'[^']*'|\S*)")
KEY_FILES = re.compile(r"(id_(rsa|dsa|ecdsa|ed25519)|.*\.(pem|key|p12|pfx))")
KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
HINT = "make it at the first start, at random, in a volume; see docs/service.md"


def in_files(written: Written) -> Iterator[Finding]:
    """No variable and no label of a container or a build has a secret as its value."""
    for name, container in written.containers():
        build = child(container, "build")
        named = (*pairs(container, "environment"), *pairs(container, "labels"))
        for variable, value, line in (*named, *pairs(build, "args"), *pairs(build, "labels")):
            if is_secret(variable, value):
                yield written.finding(line, "secret", f"{variable} of {name} looks like a secret", HINT)


def in_dockerfiles(service: Service) -> Iterator[Finding]:
    """No Dockerfile has a secret: it would be in the image."""
    for built in build_files(service):
        for item in built.named("ENV", "ARG", "LABEL"):
            for variable, value in VARIABLE.findall(item.rest):
                if is_secret(variable, value.strip("\"'")):
                    yield Finding(built.at(item.line), "secret", f"{variable} looks like a secret", HINT)
        for item in built.named("RUN"):
            exported = any(is_secret(name, value.strip("\"'")) for name, value in EXPORTED.findall(item.rest))
            if exported or GIVEN.search(item.rest) or IN_ADDRESS.search(item.rest):
                yield Finding(built.at(item.line), "secret", "a command of RUN has a secret", HINT)


def in_folders(service: Service) -> Iterator[Finding]:
    """No private key is in the folder of a container, since git and the image would have it."""
    folder = service.at.file.rpartition("/")[0]
    files = {name for container in service.containers for name, _ in container.parts}
    for name in sorted(files):
        if KEY_FILES.fullmatch(name.rpartition("/")[2]):
            text = read_or_empty(service.folder / name)
            found = KEY.search(text)
            if found:
                at = Place(f"{folder}/{name}", text.count("\n", 0, found.start()) + 1)
                yield Finding(at, "secret", "the file has a private key", HINT)


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
        service=(in_dockerfiles, in_folders),
        file=(in_files,),
    ),
)
