"""Python and npm packages: read from their descriptions, and compared with what pip and npm say."""

import io
import json
import tarfile

import pytest

from darkpeak.packages.apt import add_file
from darkpeak.packages.container import CannotTell
from darkpeak.packages.libraries import Library, read_libraries
from darkpeak.packages.listed import Kind
from darkpeak.packages.newest import NPM_NAME, PIP_NAME, read_npm, read_pip
from darkpeak.result import Result

SITE = "usr/local/lib/python3.13/dist-packages"
FILES = {
    f"{SITE}/bottle-0.13.4.dist-info/METADATA": "Metadata-Version: 2.1\nName: bottle\nVersion: 0.13.4\n\nVersion: 9\n",
    f"{SITE}/mine-1.dist-info/METADATA": "Name: mine\nVersion: 1\n",
    f"{SITE}/mine-1.dist-info/direct_url.json": "{}",
    "opt/old/Old.egg-info/PKG-INFO": "Name: Old\nVersion: 0.1\n",
    f"{SITE}/broken-1.dist-info/METADATA": "no description",
    "usr/local/node_modules/polka/package.json": '{"name": "polka", "version": "0.5.2"}',
    "usr/local/node_modules/@arr/every/package.json": '{"name": "@arr/every", "version": "1.0.1", "private": true}',
    "usr/local/node_modules/polka/node_modules/polka/package.json": '{"name": "polka", "version": "0.4.0"}',
    "usr/local/node_modules/polka/dist/esm/package.json": '{"name": "inner", "version": "1.0.0"}',
    "usr/local/node_modules/nameless/package.json": '{"type": "module"}',
    "usr/local/node_modules/broken/package.json": "{",
    "usr/local/node_modules/list/package.json": "[]",
}
BOTTLE = Library(Kind.PYPI, "bottle", "0.13.2", "3.13")
OWN = Library(Kind.PYPI, "mine", "1", own=True)
NONE = b"ERROR: No matching distribution found for bottle\n"


def packed(files: dict[str, str]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as made:
        for name, text in files.items():
            add_file(made, name, text.encode())
    return archive.getvalue()


def test_only_whole_packages_are_found_each_version_once() -> None:
    assert read_libraries(packed({**FILES, **{f"opt/venv/lib/python3.13/{name}": FILES[name] for name in FILES}})) == (
        Library(Kind.NPM, "@arr/every", "1.0.1", own=True),
        Library(Kind.NPM, "polka", "0.4.0"),
        Library(Kind.NPM, "polka", "0.5.2"),
        Library(Kind.PYPI, "Old", "0.1"),
        Library(Kind.PYPI, "Old", "0.1", "3.13"),
        Library(Kind.PYPI, "bottle", "0.13.4", "3.13"),
        Library(Kind.PYPI, "mine", "1", "3.13", own=True),
    )
    assert read_libraries(packed({})) == ()


@pytest.mark.parametrize(
    ("installed", "newest", "newer"),
    [
        ("1.9", "1.10", "1.10"),
        ("1.10", "1.9", ""),
        ("1.0", "1.0.0", ""),
        ("1.0rc1", "1.0", "1.0"),
        ("1.0", "1.0.post1", "1.0.post1"),
        ("2.0rc1", "1.9", ""),
        ("2!1.0", "9.0", ""),
    ],
)
def test_python_versions_are_compared_by_their_own_rules(installed: str, newest: str, newer: str) -> None:
    said = f"Found link https://index/bottle-{newest}.whl\nbottle ({newest})\nAvailable versions: {newest}\n"
    assert read_pip(Library(Kind.PYPI, "bottle", installed), Result(0, said.encode())) == newer


@pytest.mark.parametrize(
    ("stdout", "stderr", "why"),
    [
        ("", NONE, "pip's index has no bottle"),
        ("Could not fetch URL https://a/bottle/: 404 Client Error: Not Found - skipping", NONE, "has no bottle"),
        (
            "Could not fetch URL https://a/bottle/: connection error: x - skipping",
            NONE,
            "reach https://a/bottle/: conn",
        ),
        ("Could not fetch URL https://a/b/: 503 - skipping\nbottle (0.13.4)", b"", "cannot reach https://a/b/: 503"),
        ("", b"/usr/bin/python3: No module named pip\n", "pip did not answer for bottle: .*No module named pip"),
        ("", b'ERROR: unknown command "index"\n', "unknown command"),
        ("bottle (nonsense)", b"", "Invalid version"),
    ],
)
def test_an_index_that_does_not_answer_is_never_up_to_date(stdout: str, stderr: bytes, why: str) -> None:
    code = 0 if "bottle (" in stdout else 1
    with pytest.raises(CannotTell, match=why):
        read_pip(BOTTLE, Result(code, stdout.encode(), stderr))


def test_what_is_of_no_index_needs_none_that_has_it_but_one_that_answers() -> None:
    assert read_pip(OWN, Result(1, b"", NONE)) == ""
    with pytest.raises(CannotTell):
        read_pip(OWN, Result(1, b"Could not fetch URL https://a/mine/: 503 - skipping\n", NONE))


def test_npm_names_the_newest_versions() -> None:
    said = {"polka": {"wanted": "0.5.2", "latest": "0.5.2"}, "error": [{"latest": "2.0.0"}], "odd": {"wanted": "1.0.0"}}
    assert read_npm(Result(1, json.dumps(said).encode())) == {"polka": "0.5.2", "error": "2.0.0"}
    assert read_npm(Result(0, b"{}")) == {}


@pytest.mark.parametrize(
    "stdout", ['{"error": {"code": "E429", "summary": "429 Too Many"}}', "", "[]", '{"a": 1}', '{"a": []}', "null"]
)
def test_a_registry_that_does_not_answer_is_never_up_to_date(stdout: str) -> None:
    with pytest.raises(CannotTell):
        read_npm(Result(1, stdout.encode()))


@pytest.mark.parametrize("name", ["-r", "--index-url=x", "../x", "a b", "", "git+ssh://x", "a\n", "file:/x"])
def test_no_name_is_taken_for_an_option_or_a_place(name: str) -> None:
    assert not PIP_NAME.fullmatch(name)
    assert not NPM_NAME.fullmatch(name) or name.startswith("-")  # those of npm are in a file
