"""Updates of containers that were made old on purpose: the answer is their own apt's, or it is said to be unknown."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from darkpeak.engine import base
from darkpeak.engine.engine import Engine
from darkpeak.packages.apt import find_newer
from darkpeak.packages.container import STATUS, CannotTell
from darkpeak.packages.installed import read_status
from tests.live.archive import KEYRING, SECURITY, SUITE, Archive, Stanza
from tests.live.old import IMAGE, NOW, Old, image_of, read_listed, start, three

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.hosts import Host

OWN_ANSWER_FOR = f"cat >{STATUS} && apt -qq list --upgradable"
SEED = 19
EACH = 10  # lists for one archive
NAMES = [f"package-{number}" for number in range(30)]
SOURCES = ((SUITE, SECURITY), (SUITE, SECURITY), (SUITE,), (SECURITY,))  # some have no security archive
STATES = ("install ok installed", "install ok installed", "hold ok installed", "deinstall ok config-files")
VERSIONS = ("1", "1.1", "1.1-1", "1.1-1+deb13u1", "1:0.9", "1.1~rc1", "2", "2+b1", "10")


@pytest.fixture(scope="module")
def archive(seeded: Host) -> Iterator[Archive]:
    """Yield an empty archive, which containers reach at the host's own address."""
    with Archive(seeded.address) as made:
        yield made


@pytest.fixture
def old(seeded: Host, archive: Archive) -> Iterator[Old]:
    """Yield a container that has only the test's archive, and remove it with all indexes."""
    yield from start(seeded, archive, IMAGE)


def test_the_answer_is_the_one_of_the_containers_own_apt(old: Old, archive: Archive) -> None:
    """Held, pinned, foreign, renamed and local packages, several sources, and a security archive."""
    renamed = Stanza("renamed", "2", "all", "Depends: new-name\n")
    archive.publish(
        SUITE,
        [
            *(Stanza(name, "2") for name in ("current", "late", "held", "gone", "pinned", "kept-old", "blocked")),
            *(Stanza("everywhere", "2", "all"), renamed, Stanza("new-name", "2"), Stanza("late", "2", "i386")),
            *(Stanza("replacement", "2", more="Provides: replaced\nReplaces: replaced\n"), Stanza("urgent", "3")),
        ],
    )
    archive.publish(SECURITY, [Stanza("urgent", "2"), Stanza("pinned", "3")])
    installed = [Stanza(name, "1") for name in ("late", "pinned", "kept-old", "blocked", "urgent", "replaced", "local")]
    foreign = Stanza("late", "1", "i386", "Multi-Arch: same\n")
    status = [
        *(item.installed() for item in [*installed, Stanza("current", "2"), foreign, Stanza("everywhere", "1", "all")]),
        *(Stanza("renamed", "1").installed(), Stanza("held", "1").installed("hold ok installed")),
        Stanza("gone", "1").installed("deinstall ok config-files"),
    ]
    old.shell(f"printf '\\n' >>{STATUS}; cat >>{STATUS}", "".join(status))
    old.shell("dpkg --add-architecture i386")
    pins = {"pinned": ("version 2", 1001), "kept-old": ("version 1", 1001), "blocked": (f"release n={SUITE}", -1)}
    text = "".join(f"Package: {name}\nPin: {pin}\nPin-Priority: {at}\n\n" for name, (pin, at) in pins.items())
    old.write("/etc/apt/preferences.d/peak", text)
    newer = old.newer()
    expected = {"late", "late:i386", "held", "pinned", "everywhere", "renamed", "urgent"}
    assert {item.package for item in newer} == expected
    assert {item.package for item in newer if item.security} == {"pinned", "urgent"}
    assert three(newer) == old.own()


def test_lists_are_used_for_an_hour_and_a_new_source_has_its_own(old: Old, archive: Archive) -> None:
    archive.publish(SUITE, [Stanza("late", "2")])
    archive.publish(SECURITY, [])
    old.shell(f"printf '\\n' >>{STATUS}; cat >>{STATUS}", Stanza("late", "1").installed())
    engine, files = Engine(old.host.docker_host), old.files()
    assert three(old.newer()) == {("late", "1", "2")}
    archive.publish(SUITE, [Stanza("late", "3")])
    assert find_newer(engine, IMAGE, [files, files]) == [old_answer := find_newer(engine, IMAGE, [files])[0]] * 2
    assert not isinstance(old_answer, CannotTell)
    assert three(old_answer) == {("late", "1", "2")}
    assert three(old.newer()) == {("late", "1", "3")}
    old.write("/etc/apt/sources.list", archive.sources(SUITE))
    assert old.files().index != files.index


@pytest.mark.parametrize("fault", ["gone", "bad signature", "expired", "no server", "no sources", "unknown key"])
def test_a_faulty_archive_is_never_up_to_date(old: Old, archive: Archive, fault: str) -> None:
    archive.publish(SUITE, [Stanza("late", "1")])
    archive.publish(SECURITY, [])
    assert old.newer() == []  # so an index with good lists exists
    match fault:
        case "gone":
            archive.remove(SUITE)
        case "bad signature":
            archive.falsify(SECURITY)
        case "expired":
            archive.publish(SUITE, [], days=-1)
        case "no server":
            old.write("/etc/apt/sources.list", f"deb [signed-by={KEYRING}] http://127.0.0.1:9/ {SUITE} main\n")
        case "no sources":
            old.write("/etc/apt/sources.list", "# none\n")
        case "unknown key":
            old.write("/etc/apt/sources.list", archive.sources(SUITE).replace(KEYRING, "/etc/apt/keyrings/none.asc"))
    with pytest.raises(CannotTell) as unknown:
        old.newer()
    words = {"no sources": "has no sources", "expired": "expired", "no server": "connect"}
    assert words.get(fault, "the archive's lists cannot be used") in str(unknown.value)


def test_a_system_without_apt_or_dpkg_is_never_up_to_date(old: Old) -> None:
    old.shell(f"sed -i '/^Package: apt$/,/^$/s/^Status: .*/Status: deinstall ok config-files/' {STATUS}")
    with pytest.raises(CannotTell, match="has no apt"):
        old.files()
    old.shell(f"rm {STATUS}")  # distroless images have only status.d
    with pytest.raises(CannotTell, match="not a Debian system"):
        old.files()


def test_a_damaged_list_of_one_container_does_not_silence_the_others(old: Old, archive: Archive) -> None:
    archive.publish(SUITE, [])
    archive.publish(SECURITY, [])
    good = old.files()
    bad = replace(good, status=good.status + b"\nPackage: nonsense\n  \nno colon\n\n")
    answers = find_newer(Engine(old.host.docker_host), IMAGE, [bad, good], minutes=NOW)
    assert isinstance(answers[0], CannotTell)
    assert answers[1] == []


def test_generated_lists_have_the_same_answer(old: Old, archive: Archive, campaign: Callable[..., int]) -> None:
    compare_generated(old, archive, campaign(200))


@pytest.mark.long
def test_generated_lists_have_the_same_answer_in_debian_12(seeded: Host, archive: Archive) -> None:
    base.ensure(Engine(seeded.docker_host), "bookworm", lambda _: None)
    for container in start(seeded, archive, "debian:bookworm"):
        compare_generated(container, archive, 200)


def compare_generated(old: Old, archive: Archive, rounds: int) -> None:
    """Compare the answers for lists of packages: ten for each of several archives, sources, pins and architectures."""
    chance = random.Random(SEED)  # noqa: S311 (the same in every run)
    plain = old.files().status
    found = sum(compare_some(old, archive, chance, plain) for _ in range(rounds // EACH))
    assert found > rounds


def compare_some(old: Old, archive: Archive, chance: random.Random, plain: bytes) -> int:
    """Compare the answers for some lists with random versions, architectures and holds; return how many are newer."""

    def some(share: float) -> list[Stanza]:
        chosen = [name for name in NAMES if chance.random() < share]
        return [Stanza(name, chance.choice(VERSIONS), chance.choice(("amd64", "i386", "all"))) for name in chosen]

    archive.publish(SUITE, [*some(0.9), *some(0.5)])
    archive.publish(SECURITY, some(0.3))
    old.write("/etc/apt/sources.list", archive.sources(*chance.choice(SOURCES)))
    old.write("/var/lib/dpkg/arch", chance.choice(("amd64\n", "amd64\ni386\n")))
    pins = (f"Package: {name}\nPin: version {chance.choice(VERSIONS)}\nPin-Priority: 990\n\n" for name in NAMES[:8])
    old.write("/etc/apt/preferences.d/peak", "".join(pins))
    begin, lists = old.files(), []
    for _ in range(EACH):
        unique = {(item.name, item.architecture): item for item in some(0.8)}
        text = "".join(item.installed(chance.choice(STATES)) for item in unique.values())
        lists.append(plain.rstrip() + b"\n\n" + text.encode())
    files = [replace(begin, status=text, installed=read_status(text.decode())) for text in lists]
    ours = find_newer(Engine(old.host.docker_host), image_of(old), files, minutes=NOW)
    old.shell("rm -rf /var/lib/apt/lists && apt-get -qq update")
    found = 0
    for number, (status, answer) in enumerate(zip(lists, ours, strict=True)):
        assert not isinstance(answer, CannotTell), (number, answer)
        assert three(answer) == read_listed(old.shell(OWN_ANSWER_FOR, status.decode())), number
        found += len(answer)
    return found
