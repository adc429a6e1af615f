"""An inventory as documents for other programs: the validators of both formats accept them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from darkpeak.packages.cyclonedx import make_cyclonedx
from darkpeak.packages.listed import Item, Kind, Listed, make_purl, read_distribution
from darkpeak.packages.spdx import make_spdx

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
IMAGE = f"sha256:{'0' * 64}"
LISTED = (
    Listed("chat", "server", IMAGE, "debian-13", "amd64"),
    Listed("wiki", "old", IMAGE, "", "amd64"),
    Listed("wiki", "webserver", IMAGE, "debian-13", "amd64"),
)
ITEMS = (
    Item("chat", "server", "libc6", "2.41-12", "amd64", "glibc"),
    Item("wiki", "old", "libc6", "2.41-12", "amd64", "glibc"),
    Item("wiki", "webserver", "@scope/name", "1.0.0-rc.1", "", "", Kind.NPM),
    Item("wiki", "webserver", "Some_Name", "1.0+local", "", "", Kind.PYPI),
    Item("wiki", "webserver", "g++", "4:14.2.0-1~bpo1+b2", "amd64", "gcc-defaults"),
    Item("wiki", "webserver", "libc6", "2.41-12", "amd64", "glibc"),
    Item("wiki", "webserver", "libc6:i386", "2.41-12", "i386", "glibc"),
)
PURLS = {
    "libc6": "pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13&upstream=glibc",
    "libc6:i386": "pkg:deb/debian/libc6@2.41-12?arch=i386&distro=debian-13&upstream=glibc",
    "g++": "pkg:deb/debian/g%2B%2B@4:14.2.0-1~bpo1%2Bb2?arch=amd64&distro=debian-13&upstream=gcc-defaults",
    "@scope/name": "pkg:npm/%40scope/name@1.0.0-rc.1",
    "Some_Name": "pkg:pypi/some-name@1.0%2Blocal",
}


@pytest.mark.parametrize(
    "item", [item for item in ITEMS if item.container == "webserver"], ids=lambda item: item.package
)
def test_a_package_url_names_one_package_and_is_read_back(item: Item) -> None:
    purl = make_purl(item, "debian-13")
    assert purl == PURLS[item.package]
    assert PackageURL.from_string(purl).version == item.version


@pytest.mark.parametrize(
    ("text", "distribution"),
    [
        ('PRETTY_NAME="Debian"\nID=debian\nVERSION_ID="13"\nVERSION="13 (trixie)"\n', "debian-13"),
        ("ID=debian\n", "debian"),
        ("VERSION_ID='24.04'\nID='ubuntu'", "ubuntu-24.04"),
        ("", ""),
        ("BUILD_ID=9\n", ""),
    ],
)
def test_a_distribution_is_read(text: str, distribution: str) -> None:
    assert read_distribution(text) == distribution


def test_cyclonedx_has_each_package_once_and_what_each_container_has() -> None:
    made = make_cyclonedx("peak", "1.2", LISTED, ITEMS)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(made)) is None
    by_ref = {item["bom-ref"]: item for item in made["components"]}
    needs = {item["ref"]: set(item.get("dependsOn", ())) for item in made["dependencies"]}
    assert by_ref["wiki/webserver"]["version"] == IMAGE
    assert needs["collective"] == {"chat/server", "wiki/old", "wiki/webserver"}
    assert needs["wiki/webserver"] == {"debian-13", *PURLS.values()}
    assert needs["chat/server"] == {"debian-13", PURLS["libc6"]}
    assert needs["wiki/old"] == {"pkg:deb/debian/libc6@2.41-12?arch=amd64&upstream=glibc"}
    assert by_ref[PURLS["g++"]] | {"purl": PURLS["g++"], "version": "4:14.2.0-1~bpo1+b2"} == by_ref[PURLS["g++"]]


def test_spdx_has_each_package_once_and_what_each_container_has(tmp_path: Path) -> None:
    made = make_spdx(("peak", "peak.example"), "1.2", LISTED, ITEMS, NOW)
    file = tmp_path / "inventory.spdx.json"
    file.write_text(json.dumps(made))
    document = parse_file(str(file))
    assert validate_full_spdx_document(document) == []
    names = {item.spdx_id: (item.name, item.version) for item in document.packages}
    assert len(set(names.values())) == len(names) - 1  # libc6 of an unknown distribution
    held = [
        names[str(item.related_spdx_element_id)][0]
        for item in document.relationships
        if names.get(item.spdx_element_id, ("",))[0] == "wiki/webserver"
    ]
    assert sorted(held) == ["@scope/name", "Some_Name", "debian", "g++", "libc6", "libc6:i386"]
    assert made == make_spdx(("peak", "peak.example"), "1.2", LISTED, ITEMS, NOW)


@pytest.mark.parametrize("make", ["cyclonedx", "spdx"])
def test_an_inventory_of_nothing_is_a_valid_document(make: str, tmp_path: Path) -> None:
    if make == "cyclonedx":
        text = json.dumps(make_cyclonedx("peak", "1.2", (), ()))
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
        return
    file = tmp_path / "inventory.spdx.json"
    file.write_text(json.dumps(make_spdx(("peak", "localhost"), "1.2", LISTED[:1], (), NOW)))
    assert validate_full_spdx_document(parse_file(str(file))) == []
