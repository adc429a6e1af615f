"""Which images go: own ones without a user, and old names that only this tool gives."""

import pytest

from darkpeak.plan.images import Image, Needed, Unneeded, find_unneeded

NEEDED = Needed(
    ids=frozenset({"used", "kept"}),
    names=frozenset({"darkpeak-wiki-web:latest", "darkpeak-wiki-web:deploy-7", "darkpeak-helper:new"}),
    projects=frozenset({"darkpeak-wiki"}),
    prefixes=("darkpeak-wiki-web:deploy-", "darkpeak-helper:"),
)


@pytest.mark.parametrize(
    ("image", "gone"),
    [
        (Image("old", project="darkpeak-wiki", unshared=5), [Unneeded("old", 5)]),
        (Image("used", project="darkpeak-wiki"), []),
        (Image("kept", project="darkpeak-wiki"), []),
        (Image("strange", project="another"), []),
        (Image("unknown"), []),
        (Image("base", own_base=True, unshared=3), [Unneeded("base", 3)]),
        (Image("a", ("darkpeak-wiki-web:latest", "darkpeak-wiki-web:deploy-7")), []),
        (Image("a", ("darkpeak-wiki-web:deploy-2",), unshared=4), [Unneeded("darkpeak-wiki-web:deploy-2", 4)]),
        (
            Image("a", ("darkpeak-wiki-web:deploy-2", "darkpeak-wiki-web:latest"), unshared=4),
            [Unneeded("darkpeak-wiki-web:deploy-2", 0)],
        ),
        (Image("a", ("darkpeak-wiki-web:by-hand",)), []),
        (Image("a", ("darkpeak-helper:old", "darkpeak-helper:new")), [Unneeded("darkpeak-helper:old", 0)]),
        (Image("a", ("debian:trixie",), own_base=True), []),
    ],
)
def test_only_what_nobody_needs_goes(image: Image, gone: list[Unneeded]) -> None:
    assert find_unneeded([image], NEEDED) == gone
