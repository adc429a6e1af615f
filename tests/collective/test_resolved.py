"""Files whose meaning only compose knows: it is asked, once for each content, and what it says decides."""

from pathlib import Path

import pytest

from darkpeak.collective.model import Service
from darkpeak.deploy.check import check_files
from tests.making import edit, without_notes, write_collective

COMPOSE = "services/wiki/docker-compose.yml"
KEY = "    networks: [default, directory]"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


def wiki(root: Path) -> Service:
    checked = check_files(root)
    found = [service for service in checked.collective.services if service.name == "wiki"]
    assert found, checked.findings
    return found[0]


def content(root: Path) -> str:
    return wiki(root).containers[0].content


def write(root: Path, name: str, text: str) -> None:
    (root / "services/wiki" / name).write_text(text)


def add(root: Path, *lines: str) -> None:
    """Add lines to the container in the compose file."""
    edit(root, COMPOSE, KEY, "\n".join([*(f"    {line}" for line in lines), KEY]))


def top(root: Path, text: str) -> None:
    """Add text at the end of the compose file."""
    write(root, "docker-compose.yml", (root / COMPOSE).read_text() + text)


ENV_FILE, CONFIG, SECRET = "env_file: [a.env]", "configs: [site]", "secrets: [key]"
EXTENDS = "extends: {file: common.yml, service: base}"
FILES = {
    ENV_FILE: ("a.env", "A=${OWN:-1}\n", ""),
    CONFIG: ("site.conf", "one\n", "configs: {site: {file: ./site.conf}}\n"),
    SECRET: ("key", "one\n", "secrets: {key: {file: ./key}}\n"),
    EXTENDS: ("common.yml", "services: {base: {labels: {a: '1'}}}\n", ""),
}
OVERLAY = "docker-compose.override.yml"
# A line of the container, and a file: with its second content, compose would make another container.
CHANGES = {
    "an environment file": (ENV_FILE, "a.env", "A=1\n", "A=2\n"),
    "a variable in .env": ("environment: {A: $OWN}", ".env", "OWN=1\n", "OWN=2\n"),
    "a variable in .env, with a default": ("environment: ['A=${OWN:-0}']", ".env", "OWN=1\n", "OWN=2\n"),
    "an environment file that uses .env": (ENV_FILE, ".env", "OWN=1\n", "OWN=2\n"),
    "the override file": (
        "init: true",
        OVERLAY,
        "services: {webserver: {labels: {a: '1'}}}\n",
        "services: {webserver: {labels: {a: '2'}}}\n",
    ),
    "an extended file": (
        EXTENDS,
        "common.yml",
        "services: {base: {labels: {a: '1'}}}\n",
        "services: {base: {labels: {a: '2'}}}\n",
    ),
    "a config's file": (CONFIG, "site.conf", "one\n", "two\n"),
    "a secret's file": (SECRET, "key", "one\n", "two\n"),
}


def prepare(root: Path, line: str) -> None:
    """Add a line to the container, with the file that it needs."""
    add(root, line)
    name, text, rest = FILES.get(line, ("unused", "", ""))
    write(root, name, text)
    top(root, rest)


@pytest.mark.parametrize(("line", "file", "before", "after"), CHANGES.values(), ids=CHANGES)
def test_what_compose_reads_decides(tmp_path: Path, line: str, file: str, before: str, after: str) -> None:
    root = write_collective(tmp_path)
    prepare(root, line)
    write(root, file, before)
    first = content(root)
    assert content(root) == first
    write(root, file, after)
    assert content(root) != first
    write(root, file, before)
    assert content(root) == first


BASE = "services: {base: {labels: {a: $A}}}\n"
USES_A = "services: {more: {image: 'debian:trixie', environment: {B: $A}}}\n"
# A line of the container, lines at the end, the files, and the file that then changes: only compose, or a closer look,
# knows that it is read.
FOUND = {
    "a variable in the file's name": ("env_file: '${STAGE:-dev}.env'", "", {}, "dev.env"),
    "a variable in an extended file's name": (
        "extends: {file: '${B:-b}.yml', service: base}",
        "",
        {"b.yml": BASE},
        ".env",
    ),
    "the long form": ("env_file: [{path: ./a.env, required: false}]", "", {}, "a.env"),
    "an extended file without the usual ending": (
        "extends: {file: base.compose, service: base}",
        "",
        {"base.compose": "services: {base: {env_file: b.env}}\n"},
        "b.env",
    ),
    "a file that an extended file elsewhere names": (
        "extends: {file: sub/base.yml, service: base}",
        "",
        {"sub/base.yml": "services: {base: {env_file: b.env}}\n"},
        "sub/b.env",
    ),
    "an extended service with the name of a folder": (
        "extends: {file: b.yml, service: sub}",
        "",
        {"b.yml": "services: {sub: {env_file: b.env}}\n", "sub/one": ""},
        "b.env",
    ),
    "a file outside the service's folder": ("env_file: ../common.env", "", {}, "../common.env"),
    "the .env of an included file": (
        "init: true",
        "include: [sub/more.yml]\n",
        {"sub/more.yml": USES_A},
        "sub/.env",
    ),
    "the environment file of an included file": (
        "init: true",
        "include: [{path: sub/more.yml, env_file: sub/more.env}]\n",
        {"sub/more.yml": USES_A},
        "sub/more.env",
    ),
    "the folder of the first of several included files": (
        "init: true",
        "include: [{path: [sub/more.yml, more.yml]}]\n",
        {
            "sub/more.yml": "services: {more: {image: 'debian:trixie'}}\n",
            "more.yml": "services: {more: {env_file: more.env}}\n",
        },
        "sub/more.env",
    ),
    "the folder of an included file": (
        "init: true",
        "include: [{path: more.yml, project_directory: sub}]\n",
        {"more.yml": "services: {more: {image: 'debian:trixie', env_file: more.env}}\n"},
        "sub/more.env",
    ),
}


@pytest.mark.parametrize(
    "name",
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"],
)
def test_each_override_file_that_plain_compose_merges_decides(tmp_path: Path, name: str) -> None:
    root = write_collective(tmp_path)
    write(root, name, "services: {webserver: {cap_add: [SYS_ADMIN]}}\n")
    assert wiki(root).files == ("docker-compose.yml", name)
    assert f"services/wiki/{name}:1 root-on-host" in {f"{item.at} {item.rule}" for item in check_files(root).findings}


def test_the_first_of_two_override_files_decides(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    write(root, "docker-compose.override.yml", "services: {webserver: {cap_add: [SYS_ADMIN]}}\n")
    write(root, "compose.override.yaml", "services: {webserver: {init: true}}\n")
    assert wiki(root).files == ("docker-compose.yml", "compose.override.yaml")


@pytest.mark.parametrize(
    ("lines", "at", "what"),
    [
        ("include: [more.yml]", "more.yml:1", "the file is not a mapping"),
        (
            "include: ['https://git.example/a/b.git']",
            "docker-compose.yml:22",
            "compose would fetch https://git.example/a/b.git",
        ),
        (
            "include: [{path: 'git@git.example:a/b.git'}]",
            "docker-compose.yml:22",
            "compose would fetch git@git.example:a/b.git",
        ),
        ("include: ['oci://hub.example/a/b']", "docker-compose.yml:22", "compose would fetch oci://hub.example/a/b"),
    ],
)
def test_an_included_file_is_a_compose_file_of_this_machine(tmp_path: Path, lines: str, at: str, what: str) -> None:
    root = write_collective(tmp_path)
    write(root, "more.yml", "- a\n")
    top(root, f"{lines}\n")
    found = {(str(item.at), item.rule, item.what) for item in check_files(root).findings}
    assert (f"services/wiki/{at}", "named-file", what) in found


def test_files_that_include_each_other_are_one_finding(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    for name, other in (("a", "b"), ("b", "a")):
        (root / "services/wiki" / name).mkdir()
        write(root, f"{name}/{name}.yml", f"include: [../{other}/{other}.yml]\n")
    top(root, "include: [a/a.yml]\n")
    found = [item for item in without_notes(check_files(root).findings) if item.at.file == COMPOSE]
    assert [item.rule for item in found] == ["compose"]
    assert found[0].what.startswith("include cycle detected: ")


@pytest.mark.parametrize(("line", "rest", "files", "changed"), FOUND.values(), ids=FOUND)
def test_every_file_that_compose_reads_decides(
    tmp_path: Path, line: str, rest: str, files: dict[str, str], changed: str
) -> None:
    root = write_collective(tmp_path)
    add(root, line)
    top(root, rest)
    (root / "services/wiki/sub").mkdir()
    for name, text in files.items():
        write(root, name, text)
    found = []
    for text in ("A=1\n", "A=2\n", "A=1\n"):
        write(root, changed, text)
        found.append([item.content for item in wiki(root).containers])
    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize(
    "line", ["environment: [A]", "environment: {A: }", "environment: ['B=${C:-$A}']", "env_file: a.env"]
)
def test_variables_of_the_shell_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    root = write_collective(tmp_path)
    add(root, line)
    write(root, "a.env", "A\n")
    found = []
    for value in ("1", "2", "1"):
        monkeypatch.setenv("A", value)
        found.append(content(root))
    assert found[0] == found[2] != found[1]


def test_what_compose_makes_of_it_decides_also_if_the_compose_file_is_copied(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    edit(root, COMPOSE, "build: webserver", "build: .")
    add(root, "env_file: ../common.env")
    write(root, "../common.env", "A=1\n")
    write(root, "Dockerfile", "FROM debian:trixie\n")
    first = content(root)
    write(root, "../common.env", "A=2\n")
    assert content(root) != first


def test_a_build_argument_from_env_decides(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    edit(root, COMPOSE, "build: webserver", "build: {context: webserver, args: {A: $OWN}}")
    write(root, ".env", "OWN=1\n")
    first = content(root)
    write(root, ".env", "OWN=2\n")
    assert content(root) != first


def test_files_of_another_build_context_decide(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    edit(root, COMPOSE, "build: webserver", "build: {context: webserver, additional_contexts: {more: ./more}}")
    (root / "services/wiki/more").mkdir()
    write(root, "more/page", "one")
    first = content(root)
    write(root, "more/page", "two")
    assert content(root) != first


def test_a_link_in_the_build_context_is_what_it_leads_to(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    link = root / "services/wiki/webserver/page"
    link.symlink_to("one")
    first = content(root)
    link.unlink()
    link.symlink_to("two")
    assert content(root) != first


def test_the_same_files_have_the_same_content_in_every_clone(tmp_path: Path) -> None:
    found = set()
    for name in ("ada", "grace"):
        (tmp_path / name).mkdir()
        root = write_collective(tmp_path / name)
        prepare(root, ENV_FILE)
        prepare(root, CONFIG)
        found.add(content(root))
    assert len(found) == 1


def test_an_included_container_is_one_of_the_service(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    top(root, "include: [store.yml]\n")
    write(root, "store.yml", "services:\n  store:\n    image: debian:trixie\n")
    assert [item.name for item in wiki(root).containers] == ["store", "webserver"]


def test_a_container_with_a_profile_is_not_started_so_it_is_not_missed(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    edit(root, COMPOSE, "\nnetworks:", "\n  debug: {image: 'debian:trixie', profiles: [debug]}\nnetworks:")
    assert [item.name for item in wiki(root).containers] == ["webserver"]


def test_ports_of_the_override_file_count(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    write(root, "docker-compose.override.yml", "services: {webserver: {ports: ['127.0.0.1:6015:81']}}\n")
    assert [port.published[0] for port in wiki(root).ports] == [6010, 6015]
    assert wiki(root).files == ("docker-compose.yml", "docker-compose.override.yml")


def test_compose_is_asked_once_for_each_content(tmp_path: Path, cache: Path) -> None:
    root = write_collective(tmp_path)
    add(root, "env_file: [a.env]")
    for text in ("A=1\n", "A=2\n", "A=1\n"):
        write(root, "a.env", text)
        content(root)
    assert len(list(cache.rglob("*.json"))) == 3  # two of the wiki, one of the directory


def test_another_clone_uses_the_same_answer(tmp_path: Path, cache: Path) -> None:
    for name in ("ada", "grace"):
        (tmp_path / name).mkdir()
        content(write_collective(tmp_path / name))
    assert len(list(cache.rglob("*.json"))) == 2  # one for each service


def test_a_relative_path_to_the_collective_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_collective(tmp_path)
    monkeypatch.chdir(root.parent)
    found = wiki(Path(root.name)).containers[0]
    assert (found.build, found.content) == ("webserver", content(root))


def test_two_ways_of_writing_the_same_are_the_same(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    add(root, "environment: {A: 1}", "command: [sleep, '9']")
    first = content(root)
    edit(root, COMPOSE, "environment: {A: 1}", "environment: ['A=1']")
    edit(root, COMPOSE, "[sleep, '9']", "sleep 9 # as text")
    assert content(root) == first


def test_without_compose_files_are_read_as_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [item.name for item in wiki(write_collective(tmp_path)).containers] == ["webserver"]


@pytest.mark.parametrize(
    ("line", "said"),
    [("env_file: [lost.env]", "lost.env"), ("extends: {file: lost.yml, service: x}", "lost.yml")],
)
def test_what_compose_refuses_is_a_finding_of_that_service(tmp_path: Path, line: str, said: str) -> None:
    root = write_collective(tmp_path)
    add(root, line)
    checked = check_files(root)
    assert [service.name for service in checked.collective.services] == ["directory"]
    [found] = [item for item in checked.findings if item.rule == "compose"]
    assert (found.at.service, said in found.what) == ("wiki", True), found


def test_the_lines_of_findings_are_those_of_the_file(tmp_path: Path) -> None:
    root = write_collective(tmp_path)
    add(root, "env_file: [a.env]")
    write(root, "a.env", "A=1\n")
    edit(root, COMPOSE, "127.0.0.1:6010-6011", "0.0.0.0:6010-6011")
    [found] = without_notes(check_files(root).findings)
    text = (root / COMPOSE).read_text().splitlines()
    assert (found.rule, "0.0.0.0:6010" in text[found.at.line - 1]) == ("not-on-loopback", True), found


@pytest.mark.parametrize("name", ["COMPOSE_PROJECT_NAME", "COMPOSE_FILE", "COMPOSE_PROFILES"])
def test_the_shell_does_not_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    root = write_collective(tmp_path)
    add(root, "env_file: [a.env]")
    write(root, "a.env", "A=1\n")
    first = content(root)
    monkeypatch.setenv(name, "other")
    write(root, "a.env", "A=2\n")
    assert content(root) != first
    write(root, "a.env", "A=1\n#\n")
    assert wiki(root).project == "darkpeak-wiki"


def test_a_volume_is_shared_only_if_its_name_is_written(tmp_path: Path) -> None:
    """Compose gives each volume a name when it is asked: no other service may use it because of that."""
    root = write_collective(tmp_path)
    taken = ("services/directory/docker-compose.yml", "[directory]\n", "[directory]\n    volumes: ['taken:/x']\n")
    edit(root, *taken)
    path = root / taken[0]
    path.write_text(f"{path.read_text()}volumes: {{taken: {{name: darkpeak-wiki_data}}}}\n")
    write(root, ".env", "OWN=1\n")
    found = []
    for line in ("init: true", "environment: {A: $OWN}"):
        add(root, line)
        found.append([str(item.at) for item in check_files(root).findings if item.rule == "others-data"])
    assert found == [[f"{taken[0]}:17"]] * 2
    edit(root, COMPOSE, "  data: {}", "  data: {name: darkpeak-wiki_data}")
    assert [item for item in check_files(root).findings if item.rule == "others-data"] == []
