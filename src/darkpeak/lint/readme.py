"""A rule about the README: it has the sections that the service's level asks for. Pure."""

import re
from collections.abc import Iterator

from darkpeak.collective.model import LEVELS, Finding, Place, Service
from darkpeak.collective.text import read_or_empty
from darkpeak.lint.rule import WARNING, Rule

# What a part is about: its heading, the first cell of a table's row, or bold words at the beginning of a paragraph.
TOPIC = re.compile(r"^(?:#+\s+(.+)$|\|\s*([^|]+)\||(?:\*\s+)?\*\*([^*]+)\*\*)", re.MULTILINE)
# The level from which a section is needed, an example of its heading, and the words by which it is known.
SECTIONS = (
    ("alpha", "Use it", r"\b(use|using|users|members)\b"),
    ("alpha", "Run it", r"\b(run|running|admins|operate|operations)\b"),
    ("beta", "How it is made", r"\b(made|design|works|where things are|architecture)\b"),
    ("beta", "Backup", r"\b(back(ing)? ?ups?|data)\b"),
    ("live", "Restart", r"\b(re)?start"),
    ("live", "Upgrade", r"\b(upgrades?|upgrading|updates?)\b"),
    ("live", "Restore", r"\brestor"),
    ("live", "Remove", r"\bremov"),
    ("live", "Move", r"\b(mov|migrat)"),
    ("live", "Security", r"\bsecur"),
)


def missing_sections(service: Service, level: str) -> tuple[str, ...]:
    """Return examples of the headings that exactly this level asks for, and that the README lacks."""
    topics = ["".join(found) for found in TOPIC.findall(read_or_empty(service.folder / "README.md"))]
    wanted = ((heading, words) for asking, heading, words in SECTIONS if asking == level)
    return tuple(
        heading for heading, words in wanted if not any(re.search(words, one, re.IGNORECASE) for one in topics)
    )


def sections(service: Service) -> Iterator[Finding]:
    """The README has a section for each thing that the level asks for."""
    if not service.runs or not read_or_empty(service.folder / "README.md"):
        return
    for level in LEVELS[: LEVELS.index(service.level) + 1]:
        for heading in missing_sections(service, level):
            at = Place(f"{service.at.file.rpartition('/')[0]}/README.md", 1)
            what = f"the README has no section “{heading}”, which level {service.level} needs"
            yield Finding(at, "readme-section", what, f"write a heading like: ## {heading}")


RULES = (
    Rule(
        "readme-section",
        WARNING,
        "Each level needs sections in the README: for alpha how to use and run the service, for beta "
        "how it is made and saved, for live how to restart, upgrade, restore, remove and move it, and its security.",
        "write the section",
        service=(sections,),
    ),
)
