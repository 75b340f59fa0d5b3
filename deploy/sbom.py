"""What the service is made of, as CycloneDX 1.6: `python -m deploy.sbom FILE`.

The packages of requirements.lock and the jars of jars.lock, each with the checksums by which it is installed.
What Debian adds to the images, and the jars inside pyspark's wheel, are not in it: a scanner of images tells
of those.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from deploy.native.downloads import jars
from deploy.native.versions import package_version

ROOT = Path(__file__).parent.parent
_PACKAGE = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ \\;]+)")
_CHECKSUM = re.compile(r"--hash=sha256:(?P<sha256>[0-9a-f]{64})")


def packages(lock: str) -> Iterator[Component]:
    """A component for each package of a lock file's text."""
    for entry in re.split(r"\n(?=\S)", lock):
        if named := _PACKAGE.match(entry):
            name, version = named["name"], named["version"]
            yield _component(PackageURL("pypi", None, name, version), _CHECKSUM.findall(entry))


def java_archives(lock: str) -> Iterator[Component]:
    """A component for each jar of jars.lock's text; two folders may have the same one."""
    pinned = {tuple(line.split()[1:]) for line in lock.splitlines()}
    for coordinates, checksum in sorted(pinned):
        organisation, artifact, version = coordinates.split(":")
        yield _component(PackageURL("maven", organisation, artifact, version), [checksum])


def document(components: Iterator[Component]) -> str:
    """The whole of it, as JSON."""
    bom = Bom(components=components)
    version = package_version("digitservice")
    service = Component(name="digitservice", version=version, type=ComponentType.APPLICATION)
    bom.metadata.component = service
    bom.register_dependency(service, bom.components)
    return JsonV1Dot6(bom).output_as_string(indent=2)


def _component(url: PackageURL, checksums: list[str]) -> Component:
    return Component(
        name=url.name,
        group=url.namespace,
        version=url.version,
        purl=url,
        bom_ref=str(url),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=checksum) for checksum in checksums],
    )


def everything() -> Iterator[Component]:
    """The packages and the jars that are pinned now."""
    yield from packages((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    yield from java_archives(jars.LOCK.read_text(encoding="utf-8"))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(f"{document(everything())}\n", encoding="utf-8")
