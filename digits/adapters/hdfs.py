"""An artifact store in HDFS, over WebHDFS."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from hdfs import Client, HdfsError, InsecureClient, TokenClient
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NameResolutionError

from digits.adapters import content
from digits.errors import AlreadyPublished, NotFound, StoreFull, StoreUnavailable

# To connect, and between two parts of an answer. Nobody waits long for a NameNode that hangs.
_TIMEOUT_SECONDS = (2.0, 5.0)
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

    A temporary name is used once, so the lease on a file whose writer was killed is in nobody's way. Of
    several NameNodes, a thread's client goes on to the next if one is away, hangs or stands by.
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
        """`ca_file` is a PEM of who vouches for HDFS by TLS, if not this machine's list does.

        Raises ValueError for a token without TLS: who hears it is us, to HDFS.
        """
        if token and not tls:
            raise ValueError(
                "DIGITS_WEBHDFS_TOKEN: a token is not sent over plain HTTP; "
                "say swebhdfs:// in DIGITS_STORE_URL, with the NameNodes' HTTPS ports"
            )
        self._url = ";".join(f"{'https' if tls else 'http'}://{address}" for address in name_nodes)
        self._tls, self._ca_file = tls, ca_file
        self._root = PurePosixPath(root)
        self._user, self._token = user, token
        # A requests session is for one thread at a time.
        self._local = threading.local()
        # It tells of every request, and of every one that was refused.
        logging.getLogger("hdfs.client").setLevel(logging.CRITICAL)

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
            found = self._ask(f"list {folder}", lambda client: _statuses(client, path))
        except FileNotFoundError:
            return {}
        named = {status["pathSuffix"]: status for status in found if status["type"] == kind}
        # A file's own status has no name.
        return {name: named[name] for name in sorted(named) if name}

    def _ask(self, what: str, call: Callable[[Client], _Result]) -> _Result:
        """Calls HDFS, twice if the first connection had broken since it was last used.

        Raises FileNotFoundError, FileExistsError, StoreUnavailable. What requests raises is not kept as the
        cause: its text holds the address with the token in it.
        """
        try:
            with contextlib.suppress(requests.ConnectionError):
                return call(self._client())
            return call(self._client())
        except _LedToPlainHttp as error:
            reason = str(error)
        except requests.RequestException as error:
            reason = f"HDFS does not answer: {_problem(error)}"
        except HdfsError as error:
            if error.exception == "FileNotFoundException":
                raise FileNotFoundError(what) from error
            reason = str(error).partition("\n")[0]
            if error.exception in _TAKES_NOTHING:
                raise StoreFull(f"the store cannot {what} ({error.exception}: {reason})") from error
        raise StoreUnavailable(f"the store cannot {what} ({reason})")

    def _client(self) -> Client:
        """This thread's client."""
        if not hasattr(self._local, "client"):
            session = requests.Session()
            # Neither a proxy nor a .netrc of this machine is meant for HDFS, and looking for them takes time.
            session.trust_env = False
            if self._tls:
                session.verify = str(self._ca_file) if self._ca_file else True
                session.mount("http://", _RefusePlainHttp())
            options = {"timeout": _TIMEOUT_SECONDS, "session": session}
            self._local.client = (
                TokenClient(self._url, self._token, **options)
                if self._token
                else InsecureClient(self._url, self._user or None, **options)
            )
        client: Client = self._local.client
        return client

    def _discard(self, temporary: str) -> None:
        with contextlib.suppress(Exception):
            self._client().delete(temporary)

    def _path(self, name: str) -> PurePosixPath:
        pure = PurePosixPath(name)
        # The client would replace #LATEST, and HDFS has no names with a colon.
        if not name or pure.is_absolute() or ".." in pure.parts or {"#", ":"} & set(name):
            raise ValueError(f"not a store name: {name!r}")
        return self._root / pure


def _problem(error: requests.RequestException) -> str:
    """What went wrong.

    Of a name that does not resolve, the name. Nothing more: the address has our token in it.
    """
    cause = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(cause, NameResolutionError) and error.request is not None:
        return f"the name {urlsplit(error.request.url or '').hostname} does not resolve here"
    return type(error).__name__


class _LedToPlainHttp(requests.RequestException):
    """A NameNode with TLS named a DataNode without: its address would hold the token."""


class _RefusePlainHttp(HTTPAdapter):
    """Sends nothing."""

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """See HTTPAdapter."""
        raise _LedToPlainHttp("HDFS leads from TLS to plain HTTP: dfs.http.policy has to be HTTPS_ONLY")


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


def _statuses(client: Client, folder: str) -> list[dict[str, Any]]:
    statuses: list[dict[str, Any]] = client._list_status(folder).json()["FileStatuses"]["FileStatus"]
    return statuses
