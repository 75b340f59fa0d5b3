"""Where batches may be: below the data folder, and below a folder of another file system."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from digits.datasets import matching
from digits.datasets.data_folder import MAX_PATH_CHARACTERS
from digits.datasets.files import BatchFile, BatchFolder
from digits.datasets.matching import Batch, Matching
from digits.errors import InvalidInput, NotFound

_ADDRESS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[^/]*)(?P<path>.*)", re.IGNORECASE | re.DOTALL
)
# What is meant by a file's address is a path.
_OF_FILES = "file"
_OF_HADOOP = "hdfs"
_HOST = re.compile(r"(?P<name>[^:@\[\]]+|\[[0-9a-f:.]+\])(:\d+)?")


class FileSystem(Protocol):
    """Another one than this machine's."""

    def find(self, path: str, field: str) -> BatchFile | BatchFolder | None:
        """What is at an absolute path, None if nothing is; raises InvalidInput, BatchUnavailable."""


@dataclass(frozen=True)
class Elsewhere:
    """A folder of another file system: `scheme`://`hosts`/`root`. Each host is HOST:PORT of the same one."""

    scheme: str
    hosts: Sequence[str]
    root: str
    files: FileSystem

    def resolve(self, address: re.Match[str], field: str) -> Batch:
        """What an address names; raises InvalidInput, NotFound, BatchUnavailable."""
        path = self._path(address, field)
        if found := self.files.find(path, field):
            return found
        folder, pattern = matching.pattern_of(path, field)
        found = self.files.find(folder or "/", field) if pattern else None
        if isinstance(found, BatchFolder):
            return Matching(found, pattern)
        raise NotFound("file", address[0])

    def _path(self, address: re.Match[str], field: str) -> str:
        path = PurePosixPath(address["path"])
        # HDFS's client would take #LATEST for the newest file.
        if not address[0].isprintable() or "#" in address[0] or ".." in path.parts:
            raise InvalidInput(field, 'an address holds neither "..", "#" nor what cannot be printed')
        if not self._is_ours(address) or not path.is_relative_to(self.root):
            raise InvalidInput(
                field, f"{address[0][:100]!r} is not below {self._shown()} (DIGITS_BATCHES_URL)"
            )
        return str(path)

    def _is_ours(self, address: re.Match[str]) -> bool:
        scheme, host = address["scheme"].lower(), address["host"].lower()
        if scheme == _OF_HADOOP:
            # Without a host, as Hadoop itself has it: the one that there is. Its port is not WebHDFS's.
            return not host or self._is_named(host)
        return scheme == self.scheme and host in map(str.lower, self.hosts)

    def _is_named(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        return match is not None and match["name"] in map(_without_port, self.hosts)

    def _shown(self) -> str:
        """Without the host: a caller need not know where it is."""
        return f"{_OF_HADOOP}://{self.root.rstrip('/')}/"


@dataclass(frozen=True)
class BatchPlaces:
    """All of them."""

    data_dir: Path
    elsewhere: Elsewhere | None = None

    def ask(self) -> None:
        """Raises BatchUnavailable if the other file system is away."""
        if self.elsewhere:
            self.elsewhere.files.find(self.elsewhere.root, "batches_url")

    def resolve(self, name: str, field: str) -> Batch:
        """What a request names; raises InvalidInput, NotFound, BatchUnavailable."""
        address = _ADDRESS.fullmatch(name.strip())
        if address is None or address["scheme"].lower() == _OF_FILES or len(name) > MAX_PATH_CHARACTERS:
            return matching.resolve(self.data_dir, name, field)
        if self.elsewhere is None:
            problem = (
                f"{name[:100]!r} is an address, and batches are read from the data folder; "
                "DIGITS_BATCHES_URL names an HDFS from which they are read, too"
            )
            raise InvalidInput(field, problem)
        return self.elsewhere.resolve(address, field)


def _without_port(host: str) -> str:
    return host.lower().rpartition(":")[0]
