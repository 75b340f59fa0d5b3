"""Whose job is next: callers take turns, so that nobody waits for all that another sent."""

from __future__ import annotations

from collections import Counter

from digits.errors import Unavailable
from digits.jobs.jobs import Jobs
from digits.v1 import training_pb2 as pb


class Turns:
    """A worker's memory of the callers that it served.

    A message of the queue says that there is a job to run, and names one; which is run is decided here. Each
    message runs one job, so each job is run.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._served: dict[str, int] = {}
        self._turn = 0
        self._callers: dict[str, str] = {}

    def order(self, named: str) -> list[str]:
        """The jobs that wait for a trainer, the next one first; just the named one if nobody can say."""
        try:
            unfinished = self._jobs.unfinished()
            leased = self._jobs.leased([job.job_id for job in unfinished])
        except Unavailable:
            return [named]
        self._callers = {job.job_id: job.spec.caller for job in unfinished}
        callers = set(self._callers.values())
        self._served = {caller: turn for caller, turn in self._served.items() if caller in callers}
        running = Counter(job.spec.caller for job in unfinished if job.job_id in leased)

        def turn(job: pb.Job) -> tuple[int, int]:
            return running[job.spec.caller], self._served.get(job.spec.caller, 0)

        waiting = [job for job in unfinished if job.job_id not in leased and not job.cancel_requested]
        names = [job.job_id for job in sorted(waiting, key=turn)]
        # It may be so new that this session has not read of it.
        return names if named in names else [*names, named]

    def took(self, job_id: str) -> None:
        """Notes whose job had its turn; nobody's if that could not be read."""
        if caller := self._callers.get(job_id):
            self._turn += 1
            self._served[caller] = self._turn
