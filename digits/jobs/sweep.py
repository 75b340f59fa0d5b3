"""What no job owns goes: whoever should have removed it is dead, or was a version of us that forgot it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from digits.jobs import ids
from digits.jobs.jobs import Jobs
from digits.ports import ArtifactStore, BlockLog
from digits.signals.metrics.elected import SWEPT
from digits.training.checkpoints import FOLDER as CHECKPOINTS

logger = logging.getLogger(__name__)

UPLOADS = "uploads"
# A job's record is written seconds after its upload, and its log is used for seconds after its end.
MIN_AGE_SECONDS = 3600.0
# Whoever named it may have a late clock and be about to write the record: it must have been there before.
_MIN_SEEN_SECONDS = 60.0


class Sweep:
    """Removes what belongs to no open job, is older than an hour and was there a look before."""

    def __init__(self, jobs: Jobs, store: ArtifactStore, log: BlockLog) -> None:
        self._jobs, self._store, self._log = jobs, store, log
        self._first_seen: dict[str, float] = {}

    def run(self) -> None:
        """Looks once at uploads, checkpoints, logs and half-written files; raises Unavailable.

        What there is is listed before the open jobs are, so that a job accepted meanwhile owns its things.
        """
        found: list[tuple[str, str, Callable[[str], None]]] = [
            *((name, _owner(name), self._store.delete) for name in self._store.names(UPLOADS)),
            *((name, _owner(name), self._store.delete) for name in self._store.folders(CHECKPOINTS)),
            # Other topics of a Kafka may begin with our prefix; none is named as a job is.
            *(
                (name, name, self._log.delete)
                for name in self._log.jobs()
                if ids.age_seconds(name) is not None
            ),
        ]
        self._first_seen = {name: self._first_seen.get(name, time.monotonic()) for name, _, _ in found}
        open_ids = set(self._jobs.index.names())
        uploads = {job.spec.upload for job in self._jobs.open()}
        for name, owner, delete in found:
            if owner not in open_ids and name not in uploads and self._is_old(name, owner):
                logger.info("removed %s, which no job owns", name)
                delete(name)
                SWEPT.inc()
        for folder in (UPLOADS, "models", "feedback"):
            self._store.delete_unfinished(folder, MIN_AGE_SECONDS)

    def _is_old(self, name: str, owner: str) -> bool:
        seen = time.monotonic() - self._first_seen[name]
        age = ids.age_seconds(owner)
        if age is None:  # Named by an older version: then its age counts from when we first saw it.
            age = seen
        return age > MIN_AGE_SECONDS and seen > _MIN_SEEN_SECONDS


def _owner(name: str) -> str:
    """The job by which a file or a folder is named: uploads/JOB.npz, checkpoints/JOB."""
    return name.rpartition("/")[2].removesuffix(".npz")
