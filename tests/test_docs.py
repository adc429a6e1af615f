"""Examples in the documentation are read by the very code that they are about."""

import re
from pathlib import Path

from darkpeak import collective
from tests.making import write_collective

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
