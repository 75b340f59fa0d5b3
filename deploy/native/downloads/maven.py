"""Fetches jars from a Maven repository by their coordinates."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pooch
import requests

from deploy.native.downloads.http import downloader
from deploy.native.errors import CannotFetch

MAVEN_CENTRAL = "https://maven.example.com/repo"
TIMEOUT_SECONDS = 30.0
# A line that drops for a moment is tried again after 1, 2 and 3 s.
RETRIES = 3


def fetch(jars: Mapping[str, str], target: Path) -> None:
    """Puts each jar into the folder `target`; `jars` has their SHA-256 by `organisation:artifact:revision`.

    DIGITS_MAVEN_URL names another repository than Maven Central. Raises CannotFetch with the address of a jar
    that could not be had, or is not the pinned one.
    """
    repository = os.environ.get("DIGITS_MAVEN_URL") or MAVEN_CENTRAL
    urls = {file_name(coordinates): address(repository, coordinates) for coordinates in jars}
    checksums = {file_name(coordinates): f"sha256:{checksum}" for coordinates, checksum in jars.items()}
    fetcher = pooch.create(target, repository, registry=checksums, urls=urls, retry_if_failed=RETRIES)
    for name, url in urls.items():
        try:
            fetcher.fetch(name, downloader=downloader(TIMEOUT_SECONDS))
        except (requests.RequestException, ValueError) as error:
            raise CannotFetch(f"{url}: {' '.join(str(error).split())}") from error


def file_name(coordinates: str) -> str:
    """The jar's file name, artifact-revision.jar."""
    _, artifact, revision = coordinates.split(":")
    return f"{artifact}-{revision}.jar"


def address(repository: str, coordinates: str) -> str:
    """Where a repository with Maven's layout has the jar."""
    organisation, artifact, revision = coordinates.split(":")
    path = f"{organisation.replace('.', '/')}/{artifact}/{revision}"
    return f"{repository.rstrip('/')}/{path}/{file_name(coordinates)}"
