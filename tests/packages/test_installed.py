"""dpkg's status file: which packages are installed, under which names."""

import pytest

from darkpeak.packages.installed import NotDebian, Package, read_status

STATUS = """\
Package: dpkg
Status: install ok installed
Architecture: amd64
Version: 1.22.21
Description: package manager
 Status: deinstall ok config-files

Package: libc6
Status: install ok installed
Architecture: i386
Source: glibc (2.41)
Version: 2.41-12
Provides: libc6-2.41
Depends: libgcc-s1, libcrypt1 (>= 1:4.4) | libcrypt2:any
Pre-Depends: dpkg
Recommends: locales

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: held
Status: hold ok installed
Architecture: all
Version: 1

Package: broken
Status: install reinstreq half-installed
Architecture: amd64
Version: 1
"""


def test_installed_packages_are_read_with_their_relations() -> None:
    found = read_status(STATUS)
    assert [item.name for item in found.packages] == ["dpkg", "held", "libc6"]
    needs = ("libgcc-s1", "libcrypt1", "libcrypt2", "dpkg", "locales")
    assert found.packages[2] == Package("libc6", "2.41-12", "i386", "glibc", "2.41", needs, ("libc6-2.41",))
    assert found.version("dpkg") == "1.22.21"
    assert found.version("gone") == ""


def test_only_foreign_packages_are_named_with_their_architecture() -> None:
    assert read_status(STATUS).full_names == ("dpkg", "held", "libc6:i386")


@pytest.mark.parametrize("text", ["", "\n\n", "no status\n", "Package: ../x\nStatus: install ok installed\n"])
def test_a_list_without_an_installed_package_is_not_an_empty_answer(text: str) -> None:
    with pytest.raises(NotDebian):
        read_status(text)
