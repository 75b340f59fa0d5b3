"""Follows a job for a caller: each change, and a heartbeat when nothing changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from digits import clock, status_codes
from digits.errors import Stopping
from digits.jobs.jobs import Jobs
from digits.jobs.states import is_final
from digits.serving.version_floor import VersionFloor
from digits.v1 import training_pb2 as pb
from server.blocking import blocking
from server.error_mapping import JobFailed
from server.open_jobs import OpenJobs


class ProgressStreams:
    """Follows jobs until the server stops; another server goes on then."""

    def __init__(self, jobs: Jobs, floor: VersionFloor, heartbeat_seconds: float) -> None:
        self._jobs, self._floor, self._heartbeat_seconds = jobs, floor, heartbeat_seconds
        self._open_jobs = OpenJobs(jobs.index, heartbeat_seconds)
        self._waiting: set[asyncio.Event] = set()
        self._stopping = False

    def stop(self) -> None:
        """Ends every stream, each after one more message: who stops need not wait for them."""
        self._stopping = True
        for changed in self._waiting:
            changed.set()

    async def follow(self, job_id: str) -> AsyncIterator[pb.TrainProgress]:
        """Yields progress until the job is final; raises NotFound, Stopping, and JobFailed after FAILED.

        Whoever reads that a model was promoted gets it from the next Classify on.
        """
        loop = asyncio.get_running_loop()
        newest: list[pb.Job] = [await blocking(self._jobs.get, job_id)]
        changed = asyncio.Event()

        def on_change(job: pb.Job) -> None:
            newest[0] = job
            loop.call_soon_threadsafe(changed.set)

        end_watch = await blocking(self._jobs.watch, job_id, on_change)
        self._waiting.add(changed)
        try:
            while True:
                changed.clear()
                job = newest[0]
                if job.progress.promoted:
                    await self._floor.catch_up()
                yield self._message(job)
                if is_final(job):
                    break
                if self._stopping:
                    raise Stopping(f"this server stops, and the job goes on: watch {job_id} again")
                await _wait(changed, self._heartbeat_seconds)
        finally:
            self._waiting.discard(changed)
            end_watch()
        if job.state == pb.FAILED:
            raise JobFailed(status_codes.job_status(job.progress.error))

    def _message(self, job: pb.Job) -> pb.TrainProgress:
        message = pb.TrainProgress()
        message.CopyFrom(job.progress)
        if job.state == pb.QUEUED:
            message.jobs_before = self._open_jobs.count_before(job.job_id)
        message.heartbeat_time.CopyFrom(clock.now())
        return message


async def _wait(changed: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await changed.wait()
    except TimeoutError:
        return
