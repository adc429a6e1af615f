"""A service needs no other folder, so some files and facts exist several times; here they must be equal."""

import re
import subprocess
from dataclasses import fields

import pytest

from darkpeak.cli.invite import LANGUAGES
from darkpeak.members.member import RESERVED
from darkpeak.router import routes
from darkpeak.router.acme import Certified, HeldCertificates, parse_held
from darkpeak.router.files import PAIRS, TABLES, render
from darkpeak.vocabulary import BLOCK_SIZE
from services.router.certificates.renew.files import Record, parse_records, render_records
from tests.services.places import CATALOGUE, DOCKERFILES, FOLDERS, ROUTER, SERVICES, SHAPES, words

COPIES = {
    "scripts/updates": [folder / "scripts/updates" for folder in FOLDERS],
    "bin/keep-checking": [path.parent / "bin/keep-checking" for path in DOCKERFILES],
    "ldap.conf": sorted(path for folder in FOLDERS for path in folder.glob("*/ldap.conf")),
    "lib/login.py": [path for path in sorted(SHAPES.glob("*/app/lib/login.py")) if "+" not in str(path)],
    "lib/login.js": sorted(SHAPES.glob("web*/app/lib/login.js")),
    "lib/unpack.js": sorted(SHAPES.glob("*/app/lib/unpack.js")),
    "bin/app in JavaScript": sorted(SHAPES.glob("*+npm/app/bin/app")),
    "packages from PyPI": sorted(SHAPES.glob("*+pypi/scripts/packages")),
    "packages from npm": sorted(SHAPES.glob("*+npm/scripts/packages")),
    "notes in files, in JavaScript": [SHAPES / f"{shape}+npm/app/lib/store.js" for shape in ("gate", "web")],
    "packages of web and web-sqlite, from npm": [
        SHAPES / f"{shape}+npm/app/package-lock.json" for shape in ("web", "web-sqlite")
    ],
    "packages of web and web-sqlite, from PyPI": [
        SHAPES / f"{shape}+pypi/app/requirements.txt" for shape in ("web", "web-sqlite")
    ],
    "how packages come from PyPI": sorted(SHAPES.glob("*+pypi/app/packages/README.md")),
    "web's bin/app": [path for path in sorted(SHAPES.glob("web*/app/bin/app")) if "+" not in str(path)],
    "web's health": sorted(SHAPES.glob("web*/app/bin/health")),
    "notes in files": sorted(SHAPES.glob("*/app/bin/load")),
}
CA = "https://ca.example/directory"


@pytest.mark.parametrize("name", COPIES)
def test_copies_are_the_same_byte_for_byte(name: str) -> None:
    assert len(COPIES[name]) > 1
    assert len({path.read_bytes() for path in COPIES[name]}) == 1


# By what an npm shape's Dockerfile may differ from that of the shape from Debian.
OF_ITS_SOURCE = re.compile(
    r"apt-get install|^#|^ENV PYTHON|^COPY (lib|package-lock|requirements)|^RUN (node|python3) |--find-links="
)
NOT_ALL_HAVE = "Therefore SQLite"  # the line of packages/README.md that only the shape with SQLite has


@pytest.mark.parametrize("source", ["npm", "pypi"])
def test_images_from_another_source_differ_only_in_their_packages(source: str) -> None:
    """Users, volumes, ports and health checks are those of the shape from Debian."""
    for path in sorted(SHAPES.glob(f"*+{source}/app/Dockerfile")):
        shape = path.parent.parent.name.partition("+")[0]
        plain = _without_packages((SHAPES / shape / "app/Dockerfile").read_text())
        assert _without_packages(path.read_text()) == plain, path


def _without_packages(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not OF_ITS_SOURCE.search(line)]


def test_the_pages_about_packages_from_npm_differ_in_one_line() -> None:
    pages = [path.read_text().splitlines() for path in SHAPES.glob("*+npm/app/packages/README.md")]
    assert len({tuple(line for line in page if not line.startswith(NOT_ALL_HAVE)) for page in pages}) == 1
    assert sum(line.startswith(NOT_ALL_HAVE) for page in pages for line in page) == 1


def test_git_reserves_the_names_that_the_directory_reserves() -> None:
    add_key = SERVICES / "git/gitolite/bin/add-key"
    assert set(words(add_key.read_text(), "reserved")) == RESERVED
    for name in ("admins", "daemon"):
        ran = subprocess.run([add_key, name], capture_output=True, text=True, check=False, timeout=10)
        assert (ran.returncode, ran.stderr) == (2, f"add-key: the name {name} is reserved\n")


def test_haproxy_has_the_same_blocks_as_the_tool() -> None:
    first, *_, last = routes.SERVICE_BLOCKS
    ports = range(first, last + BLOCK_SIZE)
    bounds = re.findall(r"-m int (\d+):(\d+)", (ROUTER / "haproxy/haproxy.cfg").read_text())
    assert bounds == [(str(ports[0]), str(ports[-1]))] * 7
    assert f",div({BLOCK_SIZE}) table services" in (ROUTER / "haproxy/haproxy.cfg").read_text()
    assert f"Ports outside {ports[0]}-{ports[-1]} are refused" in (ROUTER / "README.md").read_text()


def test_the_router_knows_the_tables_that_the_tool_writes() -> None:
    text = (ROUTER / "haproxy/tables").read_text()
    known = [name for kind in ("maps", "pairs", "structure", "wanted", "probed") for name in words(text, kind)]
    assert sorted(known) == sorted((*TABLES, PAIRS))
    assert set(render(routes.Table(("peak.test",)))) == {*TABLES, PAIRS}
    readme = (ROUTER / "README.md").read_text()
    assert [name for name in (*TABLES, PAIRS, *words(text, "notices")) if f"`{name}`" not in readme] == []


def test_the_tool_reads_the_records_that_the_router_writes() -> None:
    """The router's program `certificates` prints the file unchanged, as a part of its own JSON."""
    record = Record(["wiki.example"], CA, "A CA", 1, 2, 3, 4, [5, 6], 7, "why", CA, 8, 9)
    text = render_records({"wiki.example": record})
    assert parse_records(text) == {"wiki.example": record}
    assert parse_records(render_records({})) == {}
    told = f'{{"issuer": "Own CA", "until": "1970-01-02 00:00:00Z", "records": {text}}}'
    certified = Certified(("wiki.example",), "A CA", until=2, renew=3, failed="why", tried=8, again=9)
    assert parse_held(told.encode()) == HeldCertificates("Own CA", 86400, (certified,))
    assert not {field.name for field in fields(Certified)} - {field.name for field in fields(Record)}


def test_the_router_knows_how_long_a_token_of_the_login_page_is_good() -> None:
    """`gone` refuses those that were signed before a moment, by when they end."""
    made = re.search(r"SECONDS => (\d+);", (CATALOGUE / "account/portal/lib/Darkpeak/Gate.pm").read_text())
    kept = re.search(r"now - (\d+)", (ROUTER / "haproxy/bin/gone").read_text())
    refused = re.search(r"txn\.since\) -m int le (\d+)", (ROUTER / "haproxy/haproxy.cfg").read_text())
    assert made
    assert kept
    assert refused
    assert made[1] == kept[1] == refused[1]


def test_a_mail_can_have_each_language_of_the_login_page() -> None:
    assert set(LANGUAGES) == {path.stem for path in (CATALOGUE / "account/portal/texts").glob("*.json")}
