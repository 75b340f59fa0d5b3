"""How long the records of finished jobs are kept."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass

from digits.errors import Corrupt, StaleWrite
from digits.jobs import ids
from digits.jobs.jobs import Jobs
from digits.jobs.states import is_final, job_path, request_path
from digits.ports import Coordinator, Delete, Stored
from digits.v1 import training_pb2 as pb

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """What is kept: the newest `max_count`, and none that is older than `max_age_seconds`."""

    max_age_seconds: float
    max_count: int


class JobRetention:
    """Removes records of finished jobs with their request ids, oldest first. What they trained stays."""

    def __init__(self, jobs: Jobs, coordinator: Coordinator) -> None:
        self._jobs, self._coordinator = jobs, coordinator

    def prune(self, limits: Limits, dry_run: bool = False) -> list[str]:
        """Returns the jobs that the limits exclude, removed unless it is a dry run.

        Ages are since a job was accepted. A job is read only when it is to go: names tell the rest.
        """
        open_ids = set(self._jobs.index.names())
        finished = [name for name in self._jobs.names() if name not in open_ids]
        surplus = len(finished) - limits.max_count
        excluded = [
            name
            for place, name in enumerate(finished)
            if place < surplus or (ids.age_seconds(name) or 0.0) > limits.max_age_seconds
        ]
        return [name for name in excluded if self._prune(name, dry_run)]

    def _prune(self, job_id: str, dry_run: bool) -> bool:
        stored = self._coordinator.get(job_path(job_id))
        if stored is None:
            return False
        try:
            job = self._jobs.read(job_id, stored)
        except Corrupt:
            return False  # Somebody may want to restore it.
        if not is_final(job):
            return False
        if not dry_run:
            self._remove(job, stored)
        return True

    def _remove(self, job: pb.Job, stored: Stored) -> None:
        nodes = [Delete(job_path(job.job_id), stored.version), *self._request_nodes(job)]
        try:
            self._coordinator.commit(*nodes)
        except StaleWrite:
            logger.info("job %s changed while it was to be removed; the next time, then", job.job_id)

    def _request_nodes(self, job: pb.Job) -> list[Delete]:
        """The nodes of the job's request_id. Earlier versions named them without the caller."""
        if not job.spec.request_id:
            return []
        earlier = f"/requests/{hashlib.sha256(job.spec.request_id.encode()).hexdigest()}"
        nodes = []
        for path in (request_path(job.spec), earlier):
            stored = self._coordinator.get(path)
            if stored and stored.value == job.job_id.encode():
                nodes.append(Delete(path, stored.version))
        return nodes
