"""How a worker says that it lives: an ephemeral node, made again whenever a session is over."""

from __future__ import annotations

import os
import socket

from digits import clock
from digits.background import BackgroundLoop
from digits.errors import LeaseLost
from digits.ports import Coordinator, EphemeralNode
from digits.records import RecordReader
from digits.v1 import training_pb2 as pb

_CHECK_SECONDS = 2.0


class Membership:
    """Keeps /workers/ROLE/ID there, with this worker's newest status in it."""

    def __init__(self, coordinator: Coordinator, role: str) -> None:
        self._coordinator = coordinator
        self._path = f"/workers/{role}/{socket.gethostname()}-{os.getpid()}"
        self._status = pb.WorkerStatus(role=role, process_id=os.getpid(), host=socket.gethostname())
        self._node: EphemeralNode | None = None
        self._said = b""
        self._loop = BackgroundLoop("membership", self._appear, _CHECK_SECONDS)

    def start(self) -> None:
        """Appears, on a thread of its own."""
        self._loop.start()

    def set_idle(self, idle: bool) -> None:
        """Says whether it waits for a job, since now if it does."""
        status = pb.WorkerStatus()
        status.CopyFrom(self._status)
        status.ClearField("idle_time")
        if idle:
            status.idle_time.CopyFrom(clock.now())
        self._status = status
        self._loop.wake()

    def update(self, model_version: str, generation: int, error: str) -> None:
        """Says which model is in memory."""
        status = pb.WorkerStatus()
        status.CopyFrom(self._status)
        status.model_version, status.generation, status.error = model_version, generation, error
        self._status = status
        self._loop.wake()

    def stop(self) -> None:
        """Disappears."""
        self._loop.stop()
        if self._node:
            self._node.release()

    def _appear(self) -> None:
        value = self._status.SerializeToString()
        if self._node is None or not self._node.alive():
            self._node = self._coordinator.create_ephemeral(self._path, value)
        elif value != self._said:
            try:
                self._node.update(value)
            except LeaseLost:
                self._node = self._coordinator.create_ephemeral(self._path, value)
        self._said = value


def live_workers(
    coordinator: Coordinator, role: str, reader: RecordReader[pb.WorkerStatus] | None = None
) -> list[pb.WorkerStatus]:
    """What each live worker of a role says of itself; `reader` counts the records that cannot be read."""
    reader = reader or RecordReader(pb.WorkerStatus)
    paths = [f"/workers/{role}/{name}" for name in coordinator.children(f"/workers/{role}")]
    nodes = zip(paths, coordinator.get_many(paths), strict=True)
    statuses = (reader.parse(path, node) for path, node in nodes if node)
    return [status for status in statuses if status is not None]
