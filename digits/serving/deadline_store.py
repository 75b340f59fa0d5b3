"""An artifact store whose reads end: a dead network mount would hold its reader for ever."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path

from digits.errors import StoreUnavailable
from digits.ports import ArtifactStore

# A bundle has about a megabyte: whoever needs longer for it will not have it in time for anybody.
_READ_SECONDS = 10.0
_MAX_READS = 16


class DeadlineStore:
    """Passes everything on. A read that hangs keeps a thread, which the process does not wait for at its end.

    Who asks for a file that is being read waits for the same read, so that one that hangs costs one thread.
    """

    def __init__(self, store: ArtifactStore, read_seconds: float = _READ_SECONDS) -> None:
        self._store, self._read_seconds = store, read_seconds
        self._lock = threading.Lock()
        self._reading: dict[str, Future[bytes]] = {}

    def read(self, name: str) -> bytes:
        """See ArtifactStore; raises StoreUnavailable too when the time is over or too many reads hang."""
        try:
            return self._read_of(name).result(self._read_seconds)
        except TimeoutError as error:
            raise StoreUnavailable(
                f"the store did not give {name} within {self._read_seconds:g} s"
            ) from error

    def publish(self, name: str, data: bytes | Path) -> None:
        """See ArtifactStore."""
        self._store.publish(name, data)

    def names(self, folder: str) -> list[str]:
        """See ArtifactStore."""
        return self._store.names(folder)

    def folders(self, folder: str) -> list[str]:
        """See ArtifactStore."""
        return self._store.folders(folder)

    def delete(self, name: str) -> None:
        """See ArtifactStore."""
        self._store.delete(name)

    def total_bytes(self) -> int:
        """See ArtifactStore."""
        return self._store.total_bytes()

    def delete_unfinished(self, folder: str, min_age_seconds: float) -> None:
        """See ArtifactStore."""
        self._store.delete_unfinished(folder, min_age_seconds)

    def _read_of(self, name: str) -> Future[bytes]:
        with self._lock:
            if name not in self._reading:
                if len(self._reading) >= _MAX_READS:
                    raise StoreUnavailable(f"{_MAX_READS} reads wait for the store already")
                self._reading[name] = Future()
                threading.Thread(target=self._read, args=(name,), daemon=True, name=f"read {name}").start()
            return self._reading[name]

    def _read(self, name: str) -> None:
        reading = self._reading[name]
        try:
            data = self._store.read(name)
        except BaseException as error:
            self._end(name)
            reading.set_exception(error)
        else:
            self._end(name)
            reading.set_result(data)

    def _end(self, name: str) -> None:
        with self._lock:
            del self._reading[name]
