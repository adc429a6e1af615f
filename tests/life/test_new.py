"""Each shape makes a service that has no finding, and nothing of the shape's own name or block."""

import re
import subprocess
from pathlib import Path

import pytest

from darkpeak import catalogue
from darkpeak.collective.content import unpack
from darkpeak.deploy.check import check_all, check_files
from darkpeak.errors import UsageError
from darkpeak.life.add import WHY_DEBIAN, add, names_in, new, sources_of

TOML = 'name = "Test"\ndomain = "localhost"\n[admins.kim]\nname = "Kim"\n[admins.lou]\nname = "Lou"\n'
SHAPES = names_in(catalogue.shapes())
ALL = [(shape, source) for shape in SHAPES for source in sources_of(shape)]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a collective with the router and the directory."""
    root = tmp_path_factory.mktemp("collective")
    (root / "collective.toml").write_text(TOML)
    for name in ("router", "directory"):
        add(check_files(root), name)
    return root


def test_there_are_the_shapes_that_the_help_names() -> None:
    assert SHAPES == ("gate", "static", "tcp", "web", "web-mariadb", "web-postgres", "web-sqlite")
    leftover = {path.name for path in catalogue.shapes().iterdir() if path.is_dir() and "+" in path.name}
    assert leftover == {f"{shape}+{source}" for shape, source in ALL if source != "debian"}


def test_every_shape_has_every_source_or_a_reason() -> None:
    assert {shape for shape in SHAPES if sources_of(shape) != ("debian", "pypi", "npm")} == WHY_DEBIAN.keys()


@pytest.mark.parametrize(("shape", "source"), ALL)
def test_a_new_service_has_no_finding(root: Path, shape: str, source: str) -> None:
    name = f"my-{shape}-{source}"
    made = new(check_files(root), name, shape, source)
    service = next(item for item in check_files(root).collective.services if item.name == name)
    checked = check_files(root)
    assert [str(item) for item in (*checked.findings, *check_all(checked, name))] == []
    assert (service.block, service.admins) == (made.block, ("kim", "lou"))
    assert service.origin == f"shapes/{shape}{'' if source == 'debian' else '+' + source} 0.1.0"
    for path in (path for path in service.folder.rglob("*") if path.is_file() and path.name != ".from.tar.gz"):
        kept = re.search(r"\bshape\b|\b1?699\d\b|10\.69\.90", path.read_text(), re.IGNORECASE)
        assert not kept or (path.name == "docker-compose.yml" and kept[0] == "shapes"), f"{path}: {kept[0]}"
    assert "docker-compose.yml" in unpack((service.folder / ".from.tar.gz").read_bytes())


def test_a_new_service_has_everything_that_its_readme_names(root: Path) -> None:
    made = new(check_files(root), "readme", "web-postgres")
    text = (root / made.folder / "README.md").read_text()
    names = re.findall(r"`((?:app|database|scripts)/[a-z./]+)`", text)
    assert [name for name in names if not (root / made.folder / name).exists()] == []
    assert len(names) > 3


@pytest.mark.parametrize(
    ("name", "shape", "source", "message"),
    [
        ("mine", "wiki", "debian", "there is no shape 'wiki'"),
        ("mine", "web+pypi", "debian", "there is no shape 'web+pypi'"),
        ("mine", "static", "pypi", "the shape static cannot be made from pypi: it has no program"),
        ("mine", "tcp", "npm", "the shape tcp cannot be made from npm: its program uses no packages"),
        ("mine", "web", "gems", "the shape web cannot be made from gems"),
        ("Mine", "web", "debian", "'Mine' cannot be a service's name"),
        ("router", "web", "debian", "services/router already exists"),
    ],
)
def test_what_cannot_be_made_writes_nothing(root: Path, name: str, shape: str, source: str, message: str) -> None:
    before = sorted(root.rglob("*"))
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        new(check_files(root), name, shape, source)
    assert sorted(root.rglob("*")) == before


def test_a_disk_that_is_full_leaves_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(root.rglob("*"))
    written: list[Path] = []

    def write(path: Path, content: bytes) -> int:
        written.append(path)
        if len(written) == 5:
            raise OSError(28, "No space left on device", str(path))
        with path.open("wb") as file:
            return file.write(content)

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(Exception, match="cannot be written: No space left on device"):
        new(check_files(root), "mine", "web")
    assert sorted(root.rglob("*")) == before


def test_a_shape_is_a_whole_service() -> None:
    for shape in SHAPES:
        done = subprocess.run(
            ["docker", "compose", "config", "--quiet"],
            cwd=catalogue.shapes() / shape,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
