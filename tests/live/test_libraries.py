"""Python and npm packages of a service: the answer of pip and npm themselves, or it is said to be unknown."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from darkpeak.packages.container import CannotTell
from darkpeak.packages.libraries import Library
from darkpeak.packages.listed import Kind
from darkpeak.packages.newest import find_newer
from lab import toy
from lab.commands import run
from tests.live.library_index import PYTHON, LibraryIndex, write_package, write_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.collectives import Collective

SITE = f"/usr/local/lib/python{PYTHON}/dist-packages"
PYTHON_INSTALLED = {"peak-late": "1.9", "peak-new": "2.0", "peak-ahead": "3.0", "peak-candidate": "1.0rc1"}
PYTHON_NEWEST = {"peak-late": "1.10", "peak-new": "2.0", "peak-ahead": "2.0", "peak-candidate": "1.0"}
NPM_INSTALLED = {"peak-late": "1.9.0", "peak-new": "2.0.0", "@peak/late": "1.0.0-rc.1"}
NPM_NEWEST = {"peak-late": "1.10.0", "peak-new": "2.0.0", "@peak/late": "1.0.0"}
LATE = {
    ("pypi", "peak-late", "1.9", "1.10"),
    ("pypi", "peak-candidate", "1.0rc1", "1.0"),
    ("npm", "peak-late", "1.9.0", "1.10.0"),
    ("npm", "@peak/late", "1.0.0-rc.1", "1.0.0"),
}
WANTED = (Library(Kind.PYPI, "peak-late", "1.9", PYTHON), Library(Kind.NPM, "peak-late", "1.9.0"))
OF_DEBIAN = "/usr/lib/python3/dist-packages/owned-1.dist-info/METADATA"
IMAGE = f"""\
COPY site {SITE}/
COPY node_modules /usr/local/node_modules/
RUN mkdir -p {OF_DEBIAN.rpartition("/")[0]} /data/node_modules/volume \\
 && echo '{OF_DEBIAN}' >/var/lib/dpkg/info/owned.list && printf 'Name: owned\\nVersion: 1\\n' >{OF_DEBIAN} \\
 && echo '{{"name": "volume", "version": "1.0.0"}}' >/data/node_modules/volume/package.json
VOLUME /data
"""


@pytest.fixture(scope="module")
def index() -> Iterator[LibraryIndex]:
    """Yield an index that has newer versions of some packages."""
    with LibraryIndex(PYTHON_NEWEST, NPM_NEWEST) as served:
        yield served


@pytest.fixture(scope="module")
def service(collective: Collective, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Start a service with Python and npm packages; return its name."""
    (name,) = toy.add_many(collective, 1)
    folder, wheels = collective.folder(name) / "web", tmp_path_factory.mktemp("wheels")
    files = [str(write_wheel(wheels, *item)) for item in PYTHON_INSTALLED.items()]
    target = ("--target", str(folder / "site"))
    run([sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", *target, *files], timeout=120)
    for url in (folder / "site").glob("*.dist-info/direct_url.json"):
        url.unlink()  # as if they were from an index
    for item in NPM_INSTALLED.items():
        write_package(folder / "node_modules", *item)
    file = folder / "Dockerfile"
    file.write_text(file.read_text().replace("COPY index", f"{IMAGE}COPY index"))
    collective.compose(name, "up", "--detach", "--build", timeout=600)
    return name


def ask(collective: Collective, service: str, index: LibraryIndex) -> tuple[set[tuple[str, str, str, str]], list[str]]:
    """Return what `updates` says of packages that are not Debian's, and why it cannot tell."""
    environment = {**collective.environment, **index.settings}
    asked = collective.darkpeak("updates", service, "--json", env=environment, check=False, timeout=300)
    found = json.loads(asked.stdout)
    assert asked.returncode == (3 if found["unknown"] else 1)
    late = {
        (item["kind"], item["package"], item["old"], item["new"]) for item in found["updates"] if item["kind"] != "deb"
    }
    return late, [item["why"] for item in found["unknown"]]


def test_the_answer_is_that_of_pip_and_npm(
    collective: Collective, service: str, index: LibraryIndex, tmp_path: Path
) -> None:
    assert ask(collective, service, index) == (LATE, [])
    environment = {**os.environ, **index.settings}
    site = collective.folder(service) / "web/site"
    listing = [sys.executable, "-m", "pip", "list", "--outdated", "--format", "json", "--path", str(site)]
    listed = json.loads(run(listing, env=environment).stdout)
    of_pip = {("pypi", item["name"], item["version"], item["latest_version"]) for item in listed}
    (tmp_path / "node_modules").symlink_to(collective.folder(service) / "web/node_modules")
    (tmp_path / "package.json").write_text(json.dumps({"dependencies": dict.fromkeys(NPM_INSTALLED, "*")}))
    outdated = run(["npm", "outdated", "--json"], cwd=tmp_path, env=environment, check=False)
    of_npm = {("npm", name, item["current"], item["latest"]) for name, item in json.loads(outdated.stdout).items()}
    assert of_pip | of_npm == LATE


def test_the_inventory_has_them_and_nothing_of_debians_packages_or_of_volumes(
    collective: Collective, service: str
) -> None:
    listed = json.loads(collective.darkpeak("inventory", service, "--json").stdout)["packages"]
    found = {(item["kind"], item["package"], item["version"]) for item in listed if item["kind"] != "deb"}
    python = {("pypi", *item) for item in PYTHON_INSTALLED.items()}
    assert found == python | {("npm", *item) for item in NPM_INSTALLED.items()}
    document = collective.darkpeak("inventory", service, "--format", "cyclonedx").stdout
    assert "pkg:npm/%40peak/late@1.0.0-rc.1" in document
    assert "an npm package" in collective.darkpeak("why", "@peak/late", check=False).stdout


def test_a_faulty_index_is_never_up_to_date(collective: Collective, service: str, index: LibraryIndex) -> None:
    index.fault = (503, "")
    try:
        late, unknown = ask(collective, service, index)
    finally:
        index.fault = None
    assert not late
    assert [why[:3] for why in unknown] == ["npm", "pip"]


@pytest.mark.parametrize("fault", [(429, ""), (200, "nonsense"), (404, ""), None], ids=str)
def test_each_fault_of_an_index_is_told(fault: tuple[int, str] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """None: nothing answers at its address."""
    with LibraryIndex({}, {}) as faulty:
        faulty.fault = fault
        for name, value in faulty.settings.items():
            monkeypatch.setenv(name, value)
        answers = find_newer(WANTED) if fault else {}
    answers = answers or find_newer(WANTED)
    assert [type(answer) for answer in answers.values()] == [CannotTell, CannotTell]
    assert ["has no" in str(answer) for answer in answers.values()] == [
        fault in ((404, ""), (200, "nonsense")),
        fault == (404, ""),
    ]
