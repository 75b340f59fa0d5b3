"""The end of a job: what it owned goes."""

from __future__ import annotations

import logging

from digits.errors import DigitsError, NotFound
from digits.jobs.jobs import Jobs
from digits.jobs.states import is_final
from digits.ports import ArtifactStore, BlockLog
from digits.training.checkpoints import Checkpoints

logger = logging.getLogger(__name__)


class Cleanup:
    """Called by the trainer that made a job final, and by the elected server for all that stay open."""

    def __init__(self, jobs: Jobs, store: ArtifactStore, log: BlockLog) -> None:
        self._jobs, self._store, self._log = jobs, store, log

    def end(self, job_id: str) -> None:
        """Removes a final job's log, checkpoints and upload, and then closes it; leaves any other job alone.

        May be repeated. Raises Unavailable, and then the job stays open.
        """
        job = self._jobs.get(job_id)
        if not is_final(job):
            return
        Checkpoints(self._store, job_id).delete()
        if job.spec.upload:
            self._store.delete(job.spec.upload)
        self._log.delete(job_id)
        self._jobs.index.close(job_id)

    def end_all(self) -> None:
        """Ends every final job that no trainer holds; raises Unavailable, and the others stay open too."""
        for job in self._jobs.open():
            if is_final(job) and not self._jobs.is_leased(job.job_id):
                self.end(job.job_id)

    def try_to_end(self, job_id: str) -> None:
        """The same for one job, but leaves what fails to the elected server."""
        try:
            self.end(job_id)
        except NotFound:
            return
        except DigitsError as error:
            logger.warning("job %s is tidied up later: %s", job_id, error)
