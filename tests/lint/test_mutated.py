"""Compose files and Dockerfiles that were changed at random: lint always ends, and each finding has its line."""

import random
from pathlib import Path

import pytest

from darkpeak import collective, lint
from darkpeak.lint import RULES
from darkpeak.lint.ignores import faults, read_ignores
from tests.conftest import Campaign
from tests.making import write_collective

TOP = Path(__file__).parent.parent.parent
FILES = sorted(path.relative_to(TOP) for path in TOP.glob("services/*/docker-compose.yml"))
BUILDS = sorted(path.relative_to(TOP) for path in TOP.glob("services/*/*/Dockerfile"))
WORDS = (
    *(
        "",
        "null",
        "[]",
        "{}",
        "- a",
        "a: b",
        "~",
        "'",
        '"',
        ":",
        "#",
        "*a",
        "&a",
        "<<: *a",
        "!!python/x y",
        "0x1F",
        "1e9",
    ),
    *(
        "privileged: true",
        "pid: host",
        "image: x",
        "build: .",
        "build: {context: ..}",
        "ports: ['80']",
        "volumes: ['/:/x']",
    ),
    *(
        "deploy: 1",
        "healthcheck: []",
        "logging: []",
        "environment: [A]",
        "labels: [B]",
        "extends: {file: x}",
        "name: []",
    ),
    *(
        "security_opt: {}",
        "networks: {a: {ipam: []}}",
        "depends_on: {a: b}",
        "tmpfs: {a: b}",
        "ulimits: -1",
        "\u2028",
        "\x07",
    ),
    *(
        "# darkpeak: ignore[secret]",
        "VOLUME",
        "FROM",
        "CMD",
        "RUN <<EOF",
        "ENV A",
        "ARG =",
        "COPY",
        "FROM $A",
        "LABEL a=b c",
    ),
)


def mutate(text: str, chance: random.Random) -> str:
    """Return a text after one to four changes: lines removed, doubled, swapped, indented, cut, or with other words."""
    lines = text.split("\n")
    for _ in range(chance.randint(1, 4)):
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        line, word = lines[at], chance.choice(WORDS)
        indent = line[: len(line) - len(line.lstrip())]
        changes: tuple[list[str], ...] = (
            [],
            [line, line],
            [" " * chance.randint(0, 9) + line.lstrip()],
            [line[: chance.randint(0, len(line))]],
            [line.partition(":")[0] + ": " + word],
            [line, indent + word],
            [indent + word],
            [line.replace(chance.choice("[]{}:,\"' -abe6"), chance.choice("[]{}:,\"' -ab\t%@6"), 1)],
            [lines[other], line],
        )
        lines[at : at + 1] = chance.choice(changes)
    return "\n".join(lines)


def check(root: Path) -> None:
    """Fail if lint ends with an error, or with a finding that has no file, line, rule or hint."""
    found, unreadable = collective.read(root)
    findings = {*unreadable, *lint.check(found)}
    ignores = [ignore for service in found.services for ignore in read_ignores(service)]
    findings |= set(faults(findings, ignores, RULES))
    for item in findings:
        length = len((root / item.at.file).read_bytes().splitlines()) if (root / item.at.file).is_file() else 1
        assert 1 <= item.at.line <= length + 1, item
        assert item.rule in RULES, item
        assert item.what, item
        assert item.hint, item


@pytest.mark.parametrize("part", range(4))
def test_no_change_of_a_file_stops_lint(tmp_path: Path, campaign: Campaign, part: int) -> None:
    """2,000 files with --long, a tenth otherwise; the seed is part of the message of a failure."""
    root = write_collective(tmp_path)
    for number in range(campaign(500)):
        seed = part * 500 + number
        chance = random.Random(seed)  # noqa: S311 (the same files each time)
        source = chance.choice(FILES)
        build = chance.choice(BUILDS)
        (root / "services/wiki/docker-compose.yml").write_text(mutate((TOP / source).read_text(), chance))
        (root / "services/wiki/webserver/Dockerfile").write_text(mutate((TOP / build).read_text(), chance))
        try:
            check(root)
        except Exception as error:
            error.add_note(f"seed {seed}: {source}, {build}")
            raise
