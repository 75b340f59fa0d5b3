"""Fetches jars from a Maven repository with the Ivy inside pyspark's wheel."""

from __future__ import annotations

import os
import subprocess
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from deploy.native import preflight
from deploy.native.errors import CannotFetch

LONGEST_SECONDS = 900.0
# Without poms: the lock names every jar, and reading what depends on what takes four times as long.
# Without a root Ivy asks Maven Central.
SETTINGS = """\
<ivysettings>
  <settings defaultResolver="maven"/>
  <caches defaultCacheDir={cache}/>
  <timeout-constraints><timeout-constraint name="short" connectionTimeout="10000"/></timeout-constraints>
  <resolvers>
    <ibiblio name="maven" m2compatible="true" usepoms="false" useMavenMetadata="false"
      timeoutConstraint="short" {root}/>
  </resolvers>
</ivysettings>
"""
MODULE = """\
<ivy-module version="2.0">
  <info organisation="digits" module="jars"/>
  <dependencies>
{dependencies}
  </dependencies>
</ivy-module>
"""
PATTERN = "[artifact]-[revision].[ext]"


def fetch(coordinates: Sequence[str], target: Path, log: Path) -> None:
    """Puts each `organisation:artifact:revision` into `target` as artifact-revision.jar.

    What Ivy prints goes to `log`. Raises CannotFetch where a jar could not be had.
    """
    work = target.with_name(f"{target.name}-ivy")
    work.mkdir()
    settings, module = work / "settings.xml", work / "ivy.xml"
    settings.write_text(_settings(work / "cache"), encoding="utf-8")
    module.write_text(module_file(coordinates), encoding="utf-8")
    ivy = ("-settings", str(settings), "-ivy", str(module), "-retrieve", str(target / PATTERN))
    with log.open("wb") as output:
        try:
            subprocess.run(
                [*_java(), *ivy], stdout=output, stderr=output, check=True, timeout=LONGEST_SECONDS
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotFetch(
                f"no Maven repository in reach, or a jar is not there; Ivy's log is {log}"
            ) from error


def _java() -> tuple[str, ...]:
    jar = next(preflight.spark_jars().glob("ivy-*.jar"))
    return (preflight.find_java(), *proxy_options(), "-cp", str(jar), "org.apache.ivy.Main")


def proxy_options() -> list[str]:
    """What the environment says of proxies, in Java's words."""
    options = []
    for scheme, url in urllib.request.getproxies().items():
        proxy = urlsplit(url)
        if scheme in ("http", "https") and proxy.hostname:
            options.append(f"-D{scheme}.proxyHost={proxy.hostname}")
            options.append(f"-D{scheme}.proxyPort={proxy.port or 80}")
    return options


def _settings(cache: Path) -> str:
    mirror = os.environ.get("DIGITS_MAVEN_URL", "")
    return SETTINGS.format(cache=quoteattr(str(cache)), root=f"root={quoteattr(mirror)}" if mirror else "")


def module_file(coordinates: Sequence[str]) -> str:
    """The module that depends on each `organisation:artifact:revision`, and on nothing that those need."""
    lines = []
    for coordinate in coordinates:
        organisation, artifact, revision = map(quoteattr, coordinate.split(":"))
        lines.append(
            f'    <dependency org={organisation} name={artifact} rev={revision} transitive="false"/>'
        )
    return MODULE.format(dependencies="\n".join(lines))
