"""What the service's processes have written to ZooKeeper: live workers, and the version that serves."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

import psutil
from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.handlers.threading import KazooTimeoutError

from deploy.native.loopback import PROBE_SECONDS, listens
from digits.adapters.zookeeper_access import OPEN, ZooKeeperAccess
from digits.adapters.zookeeper_session import GIVEN_UP, connection_retry
from digits.ports import Stored
from digits.records import Record, RecordReader
from digits.v1 import models_pb2, training_pb2


class RegistryReader:
    """Reads over one connection, made when ZooKeeper first listens. No method raises."""

    def __init__(self, url: str, access: ZooKeeperAccess = OPEN) -> None:
        """`url` is zookeeper://HOST:PORT[,HOST:PORT]/CHROOT."""
        self._access = access
        parts = urlsplit(url)
        self._hosts, self._chroot = parts.netloc, parts.path.rstrip("/")
        self._client: Any = None
        self._worker, self._serving = (
            RecordReader(training_pb2.WorkerStatus),
            RecordReader(models_pb2.Serving),
        )

    def worker_registered(self, role: str, pid: int) -> bool:
        """Whether the process, or one that it started, is registered as a worker of that role."""
        return bool({worker.process_id for worker in self._workers(role)} & family(pid))

    def serving_version(self) -> str:
        """The version that serves; empty if none does, or ZooKeeper is away."""
        serving = self._record(self._serving, f"{self._chroot}/serving")
        return serving.version if serving else ""

    def serving_problem(self) -> str:
        """What keeps a classify worker from the version that serves; empty if nothing does."""
        return next((worker.error for worker in self._workers("classify") if worker.error), "")

    def close(self) -> None:
        """Ends the connection."""
        if self._client:
            self._client.stop()
            self._client.close()
            self._client = None

    def _workers(self, role: str) -> list[training_pb2.WorkerStatus]:
        folder = f"{self._chroot}/workers/{role}"
        names = self._ask("get_children", folder) or []
        found = (self._record(self._worker, f"{folder}/{name}") for name in names)
        return [worker for worker in found if worker is not None]

    def _record(self, reader: RecordReader[Record], path: str) -> Record | None:
        """What a node holds; None if there is none, or it holds junk."""
        stored = self._ask("get", path)
        return reader.parse(path, Stored(stored[0], stored[1].version)) if stored else None

    def _ask(self, operation: str, path: str) -> Any:
        """The operation's result; None if there is no such node, no connection, or no answer in time."""
        try:
            client = self._connected()
            return getattr(client, f"{operation}_async")(path).get(timeout=PROBE_SECONDS) if client else None
        except (KazooException, KazooTimeoutError, OSError):
            return None

    def _connected(self) -> Any:
        if self._client and self._client.client_state in GIVEN_UP:
            # Kazoo never tries again, though the server may just have died in the login.
            self.close()
        if self._client is None and any(map(listens, self._hosts.split(","))):
            # Its warnings about a server that is still starting would be taken for ours.
            logging.getLogger("kazoo").setLevel(logging.CRITICAL)
            # A first attempt that meets a server still starting is given up after this time, and made anew.
            client = KazooClient(
                hosts=self._hosts,
                timeout=2.0,
                connection_retry=connection_retry(),
                **self._access.kazoo(),
            )
            client.start_async().wait(timeout=PROBE_SECONDS)
            self._client = client
        # Kazoo keeps what it is asked while ZooKeeper is away, and after 278 questions has whoever asks wait
        # until it is back, and that is who would start it again.
        return self._client if self._client and self._client.connected else None


def family(pid: int) -> set[int]:
    """The process's id and those of all its descendants."""
    try:
        return {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
    except psutil.NoSuchProcess:
        return {pid}
