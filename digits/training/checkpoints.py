"""Where training is, committed in one rename after a micro-batch."""

from __future__ import annotations

import logging
import uuid

from digits import envelope
from digits.errors import Corrupt, NotFound
from digits.ports import ArtifactStore
from digits.v1 import artifacts_pb2 as pb

logger = logging.getLogger(__name__)

FOLDER = "checkpoints"
_SUFFIX = ".checkpoint"

# One to resume from, and two for when the newest is damaged.
_KEPT = 3


class Checkpoints:
    """The checkpoints of one job."""

    def __init__(self, store: ArtifactStore, job_id: str) -> None:
        self._store = store
        self._folder = f"{FOLDER}/{job_id}"

    def commit(self, checkpoint: pb.Checkpoint) -> None:
        """Makes a checkpoint the newest, whole or not at all, and forgets the oldest.

        Names order by lease, then by sequence: what a trainer writes that lost its lease never is the newest.
        """
        name = f"{self._folder}/{checkpoint.lease_id:020d}-{checkpoint.sequence:08d}{_SUFFIX}"
        self._store.publish(name, envelope.seal(checkpoint))
        for old in self._names()[:-_KEPT]:
            self._store.delete(old)

    def newest(self) -> pb.Checkpoint | None:
        """Returns the newest checkpoint that is whole; a damaged one is skipped for the one before."""
        for name in reversed(self._names()):
            try:
                return envelope.unseal(self._store.read(name), pb.Checkpoint)
            except (Corrupt, NotFound) as error:
                logger.warning("skipped %s: %s", name, error)
        return None

    def try_out(self) -> None:
        """Reads the newest checkpoint and writes something; raises Unavailable."""
        self.newest()
        name = f"{self._folder}/{uuid.uuid4().hex}.trial"
        self._store.publish(name, b"")
        self._store.delete(name)

    def delete(self) -> None:
        """Forgets the job's checkpoints."""
        self._store.delete(self._folder)

    def _names(self) -> list[str]:
        return [name for name in self._store.names(self._folder) if name.endswith(_SUFFIX)]
