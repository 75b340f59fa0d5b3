"""An artifact store in HDFS, over WebHDFS."""

from __future__ import annotations

import contextlib
import hashlib
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from hdfs import Client, HdfsError

from digits.adapters import content
from digits.adapters.hdfs_connection import HdfsConnection, HdfsFault, statuses
from digits.errors import AlreadyPublished, NotFound, StoreFull, StoreUnavailable

_PIECE_BYTES = 1 << 20

# HDFS answers, and what it says will be the same the next time.
_TAKES_NOTHING = frozenset(
    {
        "AccessControlException",
        "NSQuotaExceededException",
        "DSQuotaExceededException",
        "QuotaByStorageTypeExceededException",
    }
)

_Result = TypeVar("_Result")


class HdfsStore:
    """Publishes by temporary file → close → read back → rename, which never replaces a name.

    A temporary name is used once, so the lease on a file whose writer was killed is in nobody's way.
    """

    def __init__(
        self,
        name_nodes: Sequence[str],
        root: str,
        user: str = "",
        token: str = "",
        *,
        tls: bool = False,
        ca_file: Path | None = None,
    ) -> None:
        """See HdfsConnection."""
        self._hdfs = HdfsConnection(name_nodes, user, token, tls=tls, ca_file=ca_file)
        self._root = PurePosixPath(root)

    def publish(self, name: str, data: bytes | Path) -> None:
        """See ArtifactStore. The DataNodes have every byte; dfs.datanode.synconclose says if on disk."""
        target = self._path(name)
        temporary = f"{target.parent}/.{target.name}.{uuid.uuid4().hex}"
        try:
            self._ask(f"take {name}", lambda client: _write(client, temporary, data))
            self._ask(f"take {name}", lambda client: _rename(client, temporary, str(target)))
        except FileExistsError as error:
            self._discard(temporary)
            raise AlreadyPublished(name) from error
        except BaseException:
            self._discard(temporary)
            raise

    def read(self, name: str) -> bytes:
        """See ArtifactStore."""
        path = str(self._path(name))
        try:
            return self._ask(f"read {name}", lambda client: _read(client, path))
        except FileNotFoundError as error:
            raise NotFound("artifact", name) from error

    def names(self, folder: str) -> list[str]:
        """See ArtifactStore."""
        return [f"{folder}/{name}" for name in self._list(folder, "FILE") if not name.startswith(".")]

    def folders(self, folder: str) -> list[str]:
        """See ArtifactStore."""
        return [f"{folder}/{name}" for name in self._list(folder, "DIRECTORY")]

    def delete(self, name: str) -> None:
        """See ArtifactStore."""
        path = str(self._path(name))
        self._ask(f"delete {name}", lambda client: client.delete(path, recursive=True))

    def total_bytes(self) -> int:
        """See ArtifactStore; of one copy of each file."""
        root = str(self._root)
        summary = self._ask("count its bytes", lambda client: client.content(root, strict=False))
        return int(summary["length"]) if summary else 0

    def delete_unfinished(self, folder: str, min_age_seconds: float) -> None:
        """See ArtifactStore; ages are by this machine's clock and the NameNode's."""
        latest_milliseconds = (time.time() - min_age_seconds) * 1000
        for name, status in self._list(folder, "FILE").items():
            if name.startswith(".") and status["modificationTime"] <= latest_milliseconds:
                self.delete(f"{folder}/{name}")

    def _list(self, folder: str, kind: str) -> dict[str, Any]:
        """What the NameNode says of each thing of a kind in a folder, by name and sorted."""
        path = str(self._path(folder))
        try:
            found = self._ask(f"list {folder}", lambda client: statuses(client, path))
        except FileNotFoundError:
            return {}
        named = {status["pathSuffix"]: status for status in found if status["type"] == kind}
        # A file's own status has no name.
        return {name: named[name] for name in sorted(named) if name}

    def _ask(self, what: str, call: Callable[[Client], _Result]) -> _Result:
        """Raises FileNotFoundError, FileExistsError, StoreUnavailable."""
        try:
            return self._hdfs.ask(call)
        except HdfsFault as fault:
            if fault.kind in _TAKES_NOTHING:
                raise StoreFull(f"the store cannot {what} ({fault.kind}: {fault.reason})") from fault
            raise StoreUnavailable(f"the store cannot {what} ({fault.reason})") from fault

    def _discard(self, temporary: str) -> None:
        with contextlib.suppress(Exception):
            self._hdfs.ask(lambda client: client.delete(temporary))

    def _path(self, name: str) -> PurePosixPath:
        pure = PurePosixPath(name)
        # The client would replace #LATEST, and HDFS has no names with a colon.
        if not name or pure.is_absolute() or ".." in pure.parts or {"#", ":"} & set(name):
            raise ValueError(f"not a store name: {name!r}")
        return self._root / pure


def _write(client: Client, path: str, data: bytes | Path) -> None:
    """Writes a file and reads it back.

    HDFS's own checksum is an MD5 over CRC32C sums, which Python would compute byte by byte; reading back
    takes no longer than asking for it.
    """
    # In pieces, since the time to send a whole body at once would be limited.
    with content.opened(data) as source:
        client.write(path, data=source, overwrite=True)
    written = hashlib.sha256()
    with client.read(path, chunk_size=_PIECE_BYTES) as pieces:
        for piece in pieces:
            written.update(piece)
    if written.digest() != content.digest(data):
        raise HdfsError("what was written reads back differently")


def _read(client: Client, path: str) -> bytes:
    with client.read(path, chunk_size=_PIECE_BYTES) as pieces:
        return b"".join(pieces)


def _rename(client: Client, temporary: str, target: str) -> None:
    """Renames, or raises if the target exists. Without the option, HDFS moves a file into a folder."""
    try:
        client._rename(temporary, destination=target, renameoptions="NONE")
    except HdfsError as error:
        there = client.status(target, strict=False)
        if there and error.exception != "FileNotFoundException":
            raise FileExistsError(target) from error
        # Asked again after a lost answer, the NameNode does not find what was renamed: by us, since nobody
        # else knows its name.
        if not there:
            raise
