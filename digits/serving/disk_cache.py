"""The serving bundle on the server's own disk, for when nothing else can be reached."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from digits import envelope
from digits.errors import Corrupt
from digits.v1 import artifacts_pb2

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CachedBundle:
    """A bundle as it was cached."""

    version: str
    generation: int
    data: bytes


class DiskCache:
    """Keeps one bundle; a damaged one is as good as none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "serving.bundle"

    def write(self, version: str, generation: int, data: bytes) -> None:
        """Replaces the cached bundle in one step; a full disk costs the cache, not the service."""
        sealed = envelope.seal(artifacts_pb2.CachedBundle(version=version, generation=generation, data=data))
        temporary = self._folder / f".serving.{os.getpid()}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(sealed)
            temporary.replace(self._path)
        except OSError as error:
            logger.warning("the serving copy is not on disk: %s", error)

    def read(self) -> CachedBundle | None:
        """Returns the cached bundle, or None."""
        try:
            cached = envelope.unseal(self._path.read_bytes(), artifacts_pb2.CachedBundle)
        except (OSError, Corrupt) as error:
            logger.info("no serving copy on disk: %s", error)
            return None
        return CachedBundle(cached.version, cached.generation, cached.data)
