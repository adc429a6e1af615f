"""Services of the catalogue in another collective: their own block, name and admins, and nothing else is different."""

import difflib
import re
import subprocess
from pathlib import Path

import pytest

from darkpeak import catalogue
from darkpeak.collective.content import pack, read_files, unpack
from darkpeak.collective.text import NotReadable
from darkpeak.deploy.check import check_files
from darkpeak.errors import UsageError
from darkpeak.life.add import add

SERVICES = catalogue.services()
TOML = 'name = "Test"\ndomain = "localhost"\n[admins.kim]\nname = "Kim"\n[admins.lou]\nname = "Lou"\n'
BESIDE = """\
name: darkpeak-beside
x-darkpeak: {about: Uses a block, block: BLOCK, admins: [kim, lou], kind: user, level: idea}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a collective without any service."""
    (tmp_path / "collective.toml").write_text(TOML)
    return tmp_path


def with_platform(root: Path) -> Path:
    for name in ("router", "directory"):
        add(check_files(root), name)
    return root


def use_block(root: Path, block: int, name: str = "beside") -> None:
    folder = root / "services" / name
    folder.mkdir(parents=True)
    text = BESIDE.replace("BLOCK", str(block)).replace("beside", name)
    (folder / "docker-compose.yml").write_text(text)


def changed_lines(old: Path, new: Path) -> list[str]:
    lines = difflib.unified_diff(old.read_text().splitlines(), new.read_text().splitlines(), n=0, lineterm="")
    return [line for line in lines if line.startswith("+") and not line.startswith("+++")]


def test_all_services_of_the_catalogue_can_be_added(root: Path) -> None:
    for name in ("router", "directory", *(name for name in SERVICES if name not in {"router", "directory"})):
        made = add(check_files(root), name)
        assert (made.name, made.admins) == (name, ("kim", "lou"))
        assert changed_lines(SERVICES[name] / "docker-compose.yml", root / made.folder / "docker-compose.yml") == [
            "+  admins: [kim, lou]",
            f"+  from: services/{name} 0.1.0",
        ]
        unchanged = {key: file for key, file in read_files(root / made.folder).items() if key != "docker-compose.yml"}
        original = read_files(SERVICES[name])
        assert unchanged == {key: file for key, file in original.items() if key != "docker-compose.yml"}
        assert unpack((root / made.folder / ".from.tar.gz").read_bytes()) == original
    assert check_files(root).findings == ()


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "router"])
def test_a_service_whose_block_is_in_use_gets_the_next_one(root: Path, name: str) -> None:
    blocks = {
        "wiki": 6010,
        "directory": 6020,
        "chat": 6030,
        "git": 6040,
        "dns": 6050,
        "account": 6060,
        "home": 6070,
        "mail": 6080,
    }
    add(check_files(root), "router")
    use_block(root, blocks[name])
    made = add(check_files(root), name) if name == "directory" else add(check_files(with_rest(root)), name)
    assert made.block != blocks[name]
    assert [item for item in check_files(root).findings if item.at.service == name] == []
    number = str(blocks[name])[:3]
    for file in ("docker-compose.yml", "README.md"):
        kept = [
            line for line in (root / made.folder / file).read_text().splitlines() if re.search(rf"\b{number}\d\b", line)
        ]
        assert [line for line in kept if not re.search(r"user id|uid=", line)] == []
    config = subprocess.run(
        ["docker", "compose", "config", "--quiet"], cwd=root / made.folder, capture_output=True, text=True, check=False
    )
    assert (config.returncode, config.stderr) == (0, "")


def with_rest(root: Path) -> Path:
    add(check_files(root), "directory")
    return root


def test_a_service_can_have_another_name(root: Path) -> None:
    made = add(check_files(with_platform(root)), "wiki", "handbook", ("lou", "kim"))
    text = (root / "services/handbook/docker-compose.yml").read_text()
    assert (made.folder, made.admins) == ("services/handbook", ("lou", "kim"))
    assert "name: darkpeak-handbook\n" in text
    assert "admins: [lou, kim]\n" in text
    readme = (root / "services/handbook/README.md").read_text()
    assert readme.startswith("# Handbook\n")
    assert "http://handbook.DOMAIN" in readme
    assert "wiki.DOMAIN" not in readme
    assert check_files(root).findings == ()
    assert read_files(root / "services/handbook/webserver") == read_files(SERVICES["wiki"] / "webserver")


@pytest.mark.parametrize(
    ("name", "new", "admins", "message"),
    [
        ("forum", "", (), "the catalogue has no service 'forum'"),
        ("../router", "", (), "the catalogue has no service '../router'"),
        ("wiki", "Wiki", (), "'Wiki' cannot be a service's name"),
        ("wiki", "../wiki", (), "'../wiki' cannot be a service's name"),
        ("directory", "people", (), "directory must keep its name: others know it by that"),
        ("account", "login", (), "account must keep its name: others know it by that"),
        ("router", "", (), "services/router already exists"),
        ("wiki", "", ("ada",), "there is no admin 'ada'"),
        ("wiki", "taken", (), "the project name darkpeak-taken already belongs to other"),
    ],
)
def test_what_cannot_be_added_writes_nothing(
    root: Path, name: str, new: str, admins: tuple[str, ...], message: str
) -> None:
    use_block(with_platform(root), 6070, "other")
    file = root / "services/other/docker-compose.yml"
    file.write_text(file.read_text().replace("darkpeak-other", "darkpeak-taken"))
    before = sorted(root.rglob("*"))
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        add(check_files(root), name, new, admins)
    assert sorted(root.rglob("*")) == before


def test_what_a_service_needs_comes_first(root: Path) -> None:
    with pytest.raises(UsageError, match="wiki needs directory, which this collective does not have") as caught:
        add(check_files(root), "wiki")
    assert caught.value.hint == "add it first: darkpeak add directory"
    assert not (root / "services").exists()


def test_a_newer_version_of_what_a_service_needs_is_taken_first(root: Path) -> None:
    file = with_platform(root) / "services/directory/docker-compose.yml"
    file.write_text(file.read_text().replace("name: darkpeak-directory-account", "name: darkpeak-directory-other"))
    with pytest.raises(UsageError, match="account needs darkpeak-directory-account, which directory has") as caught:
        add(check_files(root), "account")
    assert caught.value.hint == "take the newer version first: darkpeak diff directory --take"


def test_a_service_that_does_not_fit_is_not_kept(root: Path) -> None:
    add(check_files(with_platform(root)), "chat")
    with pytest.raises(UsageError, match="the public port 5222 already belongs to chat"):
        add(check_files(root), "chat", "talk")
    assert sorted(path.name for path in (root / "services").iterdir()) == ["chat", "directory", "router"]


def test_no_block_is_free(root: Path) -> None:
    with_platform(root)
    for block in range(6010, 7000, 10):
        if block != 6020:
            use_block(root, block, f"s{block}")
    with pytest.raises(UsageError, match="no block is free"):
        add(check_files(root), "wiki")


def test_a_block_of_a_service_that_cannot_be_read_is_in_use(root: Path) -> None:
    use_block(with_platform(root), 6010)
    (root / "services/beside/docker-compose.yml").write_text("x-darkpeak:\n  block: 6010\n  {\n")
    assert add(check_files(root), "wiki").block == 6030


def test_many_admins_must_be_asked(root: Path) -> None:
    (root / "collective.toml").write_text(TOML + '[admins.max]\nname = "Max"\n')
    with pytest.raises(UsageError, match="who runs this service") as caught:
        add(check_files(root), "router")
    assert caught.value.hint == "choose two of kim, lou, max: --admin kim --admin lou"


def test_an_admin_is_known_by_the_mail_of_their_commits(root: Path) -> None:
    (root / "collective.toml").write_text(TOML + '[admins.max]\nmail = "max@darkpeak.test"\n')
    for command in (["init", "-q"], ["config", "user.email", "max@darkpeak.test"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    assert add(check_files(root), "router").admins == ("max",)


@pytest.mark.parametrize("packed", [b"", b"text", pack({})[:-4]])
def test_an_archive_that_is_none_is_an_error(packed: bytes) -> None:
    with pytest.raises(NotReadable):
        unpack(packed)
