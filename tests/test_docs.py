"""The code reads the documentation's examples, and the documentation's links and lists are complete."""

import re
from pathlib import Path

from darkpeak import collective
from darkpeak.__main__ import HELP
from darkpeak.cli import contents, root
from darkpeak.cli.reference import make_contents, make_help, make_reference
from darkpeak.collective.settings import Certificates
from tests.making import edit, write_collective

DOCS = Path(__file__).parent.parent / "docs"


def test_the_example_of_hosts_is_sound(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", (DOCS / "hosts.md").read_text(), re.DOTALL)
    assert found
    write_collective(tmp_path)
    with (tmp_path / "collective.toml").open("a") as file:
        file.write(found[1])
    files, findings = collective.read(tmp_path)
    assert findings == []
    assert [(host.name, host.services) for host in files.hosts] == [("server", ("wiki", "directory")), ("vagrant", ())]


def test_the_examples_of_certificates_are_sound(tmp_path: Path) -> None:
    found = re.findall(r"```toml\n(.*?)```", (DOCS / "certificates.md").read_text(), re.DOTALL)
    write_collective(tmp_path)
    edit(tmp_path, "collective.toml", '"localhost"', '"collective.coop"')
    router = tmp_path / "services/router"
    (router / "certificates/hooks").mkdir(parents=True)
    (router / "certificates/hooks/my-provider").touch(mode=0o755)
    (router / "docker-compose.yml").write_text(
        "x-darkpeak: {about: The way in, admins: [ada, grace], kind: infrastructure, level: idea}\n"
    )
    (tmp_path / "our-ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    with (tmp_path / "collective.toml").open("a") as file:
        file.write("\n" + "".join(found))
    files, findings = collective.read(tmp_path)
    assert findings == []
    assert files.certificates == Certificates(
        "https://acme.example/directory", "admins@collective.example", "my-provider", "-----BEGIN CERTIFICATE-----\n"
    )


def test_the_reference_of_commands_is_current() -> None:
    assert (DOCS / "commands.md").read_text() == make_reference(root), "docs/commands.md is old: run bin/reference"
    assert Path(contents.__file__).read_text() == make_contents(), "contents.py is old: run bin/reference"
    assert Path(HELP).read_text() == make_help(root), "help.txt is old: run bin/reference"


def test_the_front_page_lists_every_page() -> None:
    front = (DOCS / "README.md").read_text()
    assert [path.name for path in DOCS.glob("*.md") if path.name != "README.md" and f"({path.name})" not in front] == []


def test_every_link_in_the_documents_works() -> None:
    broken = []
    for page in [*DOCS.glob("*.md"), *(DOCS.parent.glob("*.md")), *DOCS.parent.glob("*/*/README.md")]:
        links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
        broken += [f"{page.name}: {link}" for link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []


def test_the_map_of_the_house_names_files_that_exist() -> None:
    named = re.findall(r"`([a-z_/]+\.py)`", (DOCS / "house.md").read_text())
    top = DOCS.parent
    assert len(named) >= 16, "four paths of four files"
    assert [name for name in named if not ((top / "src/darkpeak" / name).exists() or (top / name).exists())] == []


def test_the_man_page_has_the_shared_options_and_the_exit_codes() -> None:
    page = (DOCS / "darkpeak.1").read_text().replace("\\-", "-")
    options = {name for item in root.params for name in (*item.opts, *item.secondary_opts)} | {"--help", "-h"}
    assert [name for name in sorted(options) if name not in page] == []
    codes = re.findall(r"^  (\d)  (.*)$", root.epilog or "", re.MULTILINE)
    assert codes == re.findall(r"^\.TP\n\.B (\d)\n(.*)$", page, re.MULTILINE)
