"""An inventory as a software bill of materials in CycloneDX. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from darkpeak.packages.listed import Item, Listed, make_purl


def make_cyclonedx(collective: str, version: str, listed: Sequence[Listed], items: Sequence[Item]) -> dict[str, Any]:
    """Return the containers of a collective and their packages as a CycloneDX 1.6 document.

    A package that several containers have is one component; what a container has are its dependencies.
    """
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    def component(kind: ComponentType, ref: str, name: str, version: str = "", purl: str = "") -> Component:
        """Return the component with a reference, which is made once."""
        if ref not in made:
            known = PackageURL.from_string(purl) if purl else None
            made[ref] = Component(name=name, version=version or None, type=kind, bom_ref=ref, purl=known)
        return made[ref]

    made: dict[str, Component] = {}
    bom = Bom()
    tool = component(ComponentType.APPLICATION, "darkpeak", "darkpeak", version)
    bom.metadata.tools.components.add(tool)
    top = bom.metadata.component = component(ComponentType.PLATFORM, "collective", collective)
    containers = []
    for place in listed:
        container = component(ComponentType.CONTAINER, place.name, place.name, place.image)
        containers.append(container)
        has = []
        if place.distribution:
            system, _, release = place.distribution.partition("-")
            has.append(component(ComponentType.OPERATING_SYSTEM, place.distribution, system, release))
        for item in items:
            if (item.service, item.container) == (place.service, place.container):
                purl = make_purl(item, place.distribution)
                has.append(component(ComponentType.LIBRARY, purl, item.package, item.version, purl))
        bom.register_dependency(container, has)
    bom.register_dependency(top, containers)
    bom.components.update(made[ref] for ref in made if made[ref] not in (tool, top))
    document: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    return document
