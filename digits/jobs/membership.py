"""How a worker says that it lives: an ephemeral node, made again whenever a session is over."""

from __future__ import annotations

import logging
import os
import socket
import threading

from google.protobuf.message import DecodeError

from digits import clock
from digits.errors import Corrupt, DigitsError
from digits.ports import Coordinator, EphemeralNode
from digits.unreadable import UnreadableRecords
from digits.v1 import training_pb2 as pb

logger = logging.getLogger(__name__)

_CHECK_SECONDS = 2.0


class Membership:
    """Keeps /workers/ROLE/ID there, with this worker's newest status in it."""

    def __init__(self, coordinator: Coordinator, role: str) -> None:
        self._coordinator = coordinator
        self._path = f"/workers/{role}/{socket.gethostname()}-{os.getpid()}"
        self._status = pb.WorkerStatus(role=role, process_id=os.getpid(), host=socket.gethostname())
        self._node: EphemeralNode | None = None
        self._changed = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="presence")

    def start(self) -> None:
        """Appears, on a thread of its own."""
        self._changed.set()
        self._thread.start()

    def set_idle(self, idle: bool) -> None:
        """Says since now whether it waits for a job."""
        if idle:
            self._status.idle_time.CopyFrom(clock.now())
        else:
            self._status.ClearField("idle_time")
        self._changed.set()

    def update(self, model_version: str, generation: int, error: str) -> None:
        """Says which model is in memory."""
        self._status.model_version = model_version
        self._status.generation = generation
        self._status.error = error
        self._changed.set()

    def stop(self) -> None:
        """Disappears."""
        self._stopped = True
        self._changed.set()
        self._thread.join()
        try:
            if self._node:
                self._node.release()
        except DigitsError as error:
            logger.info("the session's end will remove this worker: %s", error)

    def _run(self) -> None:
        while not self._stopped:
            changed = self._changed.wait(_CHECK_SECONDS)
            self._changed.clear()
            try:
                self._appear(changed)
            except DigitsError as error:
                logger.warning("not announced at the moment: %s", error)
                self._changed.set() if changed else None

    def _appear(self, changed: bool) -> None:
        value = self._status.SerializeToString()
        if self._node is None or not self._node.alive():
            self._node = self._coordinator.create_ephemeral(self._path, value)
        elif changed:
            self._node.update(value)


def live_workers(
    coordinator: Coordinator, role: str, unreadable: UnreadableRecords | None = None
) -> list[pb.WorkerStatus]:
    """What each live worker of a role says of itself; what cannot be read is skipped."""
    folder, workers = f"/workers/{role}", []
    for name in coordinator.children(folder):
        if (node := coordinator.get(f"{folder}/{name}")) is None:
            continue
        try:
            workers.append(pb.WorkerStatus.FromString(node.value))
        except DecodeError as error:
            (unreadable or UnreadableRecords()).skip(Corrupt(f"{folder}/{name} cannot be read: {error}"))
    return workers
