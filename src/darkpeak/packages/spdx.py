"""An inventory as a software bill of materials in SPDX. Pure.

The kept library for SPDX pulls in 20 MB, and this is one dictionary. So only tests use it: it checks what is made
here.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from darkpeak.packages.listed import Item, Listed, make_purl

DOCUMENT = "SPDXRef-DOCUMENT"
UNKNOWN = "NOASSERTION"


def make_spdx(
    collective: tuple[str, str], version: str, listed: Sequence[Listed], items: Sequence[Item], now: datetime
) -> dict[str, Any]:
    """Return the containers of a collective (its name and domain) and their packages as an SPDX 2.3 document.

    A package that several containers have is one package of the document. The same inventory at the same second is the
    same document, under the same name.
    """
    name, domain = collective
    packages: dict[str, dict[str, Any]] = {}
    relations = []
    for place in listed:
        container = _package(packages, place.name, place.image, primaryPackagePurpose="CONTAINER")
        relations.append(_relation(DOCUMENT, "DESCRIBES", container))
        if place.distribution:
            system, _, release = place.distribution.partition("-")
            base = _package(packages, system, release, primaryPackagePurpose="OPERATING_SYSTEM")
            relations.append(_relation(container, "CONTAINS", base))
        for item in items:
            if (item.service, item.container) == (place.service, place.container):
                purl = make_purl(item, place.distribution)
                known = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}
                package = _package(packages, item.package, item.version, externalRefs=[known])
                relations.append(_relation(container, "CONTAINS", package))
    created = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    content = json.dumps([created, [*packages.values()], relations])
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": name,
        "documentNamespace": f"https://{domain}/inventory-{hashlib.sha256(content.encode()).hexdigest()}",
        "creationInfo": {"created": created, "creators": [f"Tool: darkpeak-{version}"]},
        "packages": [*packages.values()],
        "relationships": relations,
    }


def _package(packages: dict[str, dict[str, Any]], name: str, version: str, **more: Any) -> str:
    """Add a package to those of the document, if it is not among them; return its id there."""
    digest = hashlib.sha256(json.dumps([name, version, more]).encode()).hexdigest()
    identity = f"SPDXRef-{digest[:32]}"
    fields = {"SPDXID": identity, "name": name, "versionInfo": version, "downloadLocation": UNKNOWN}
    packages.setdefault(
        identity, {**{key: value for key, value in fields.items() if value}, "filesAnalyzed": False, **more}
    )
    return identity


def _relation(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
