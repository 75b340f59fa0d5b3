"""Fetches jars from a Maven repository by their coordinates."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pooch
import requests

from deploy.native.downloads.http import downloader, share
from deploy.native.errors import CannotFetch

# Where the Ivy that Spark brings along keeps the address of Maven Central, so that it stands here nowhere.
_IVY_SETTINGS = "org/apache/ivy/core/settings/repository.properties"
_IVY_ROOT = re.compile(r"^ivy\.ibiblio\.default\.artifact\.root\s*=\s*(\S+)", re.MULTILINE)
TIMEOUT_SECONDS = 30.0
# A line that drops for a moment is tried again after 1, 2 and 3 s.
RETRIES = 3


def fetch(jars: Mapping[str, str], target: Path) -> None:
    """Puts each jar into the folder `target`; `jars` has their SHA-256 by `organisation:artifact:revision`.

    DIGITS_MAVEN_URL names another repository than Maven Central. Raises CannotFetch with the address of a jar
    that could not be had, or is not the pinned one.
    """
    repository = os.environ.get("DIGITS_MAVEN_URL") or maven_central()
    urls = {file_name(coordinates): address(repository, coordinates) for coordinates in jars}
    checksums = {file_name(coordinates): f"sha256:{checksum}" for coordinates, checksum in jars.items()}
    fetcher = pooch.create(target, repository, registry=checksums, urls=urls, retry_if_failed=RETRIES)
    for name, url in urls.items():
        try:
            share(Path(fetcher.fetch(name, downloader=downloader(TIMEOUT_SECONDS))))
        except (requests.RequestException, ValueError) as error:
            raise CannotFetch(f"{url}: {' '.join(str(error).split())}") from error


def maven_central() -> str:
    """The address of Maven Central, as pyspark's package has it; raises CannotFetch without that."""
    spec = find_spec("pyspark")
    jars = Path(spec.origin).with_name("jars") if spec and spec.origin else Path()
    for ivy in jars.glob("ivy-*.jar"):
        with zipfile.ZipFile(ivy) as jar:
            if root := _IVY_ROOT.search(jar.read(_IVY_SETTINGS).decode("utf-8")):
                return root[1]
    raise CannotFetch("pyspark's package names no Maven repository: name one with DIGITS_MAVEN_URL")


def file_name(coordinates: str) -> str:
    """The jar's file name, artifact-revision.jar."""
    _, artifact, revision = coordinates.split(":")
    return f"{artifact}-{revision}.jar"


def address(repository: str, coordinates: str) -> str:
    """Where a repository with Maven's layout has the jar."""
    organisation, artifact, revision = coordinates.split(":")
    path = f"{organisation.replace('.', '/')}/{artifact}/{revision}"
    return f"{repository.rstrip('/')}/{path}/{file_name(coordinates)}"
