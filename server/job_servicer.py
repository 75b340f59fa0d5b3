"""digits.v1.JobService: any server answers for any job."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc

from digits.errors import NotFound
from digits.jobs.jobs import Jobs
from digits.jobs.retention import JobRetention, Limits
from digits.v1 import training_pb2 as pb
from digits.v1 import training_pb2_grpc
from server.access import Access
from server.blocking import blocking
from server.paging import page_size
from server.progress_stream import ProgressStreams
from server.pruning import limits_of


class JobServicer(training_pb2_grpc.JobServiceServicer):
    """Translates, calls the core, returns."""

    def __init__(
        self,
        jobs: Jobs,
        progress_streams: ProgressStreams,
        access: Access,
        *,
        retention: JobRetention,
        limits: Limits,
    ) -> None:
        self._jobs, self._progress_streams, self._access = jobs, progress_streams, access
        self._retention, self._limits = retention, limits

    async def GetJob(self, request: pb.GetJobRequest, context: grpc.aio.ServicerContext) -> pb.Job:
        """Returns one job."""
        return await self._visible(request.job_id, context)

    async def ListJobs(
        self, request: pb.ListJobsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListJobsResponse:
        """Returns a page of the jobs that the caller may see, newest first."""
        size = page_size(request.page_size)
        owner = self._access.owner(context)
        jobs = await blocking(self._jobs.newest, size, request.page_token, owner)
        return pb.ListJobsResponse(jobs=jobs, next_page_token=jobs[-1].job_id if len(jobs) == size else "")

    async def WatchJob(
        self, request: pb.WatchJobRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.TrainProgress]:
        """Streams a job's progress from where it is now."""
        await self._visible(request.job_id, context)
        async for progress in self._progress_streams.follow(request.job_id):
            yield progress

    async def CancelJob(self, request: pb.CancelJobRequest, context: grpc.aio.ServicerContext) -> pb.Job:
        """Asks a job to stop."""
        await self._visible(request.job_id, context)
        return await blocking(self._jobs.cancel, request.job_id)

    async def PruneJobs(
        self, request: pb.PruneJobsRequest, context: grpc.aio.ServicerContext
    ) -> pb.PruneJobsResponse:
        """Removes records of finished jobs."""
        limits = limits_of(request, self._limits)
        job_ids = await blocking(self._retention.prune, limits, request.dry_run)
        return pb.PruneJobsResponse(job_ids=job_ids)

    async def _visible(self, job_id: str, context: grpc.aio.ServicerContext) -> pb.Job:
        """The job; raises NotFound also for somebody else's, so that nobody learns that there is one."""
        owner = self._access.owner(context)
        try:
            job = await blocking(self._jobs.get, job_id)
        except NotFound as error:
            raise _not_found(job_id, owner) from error
        if owner and job.spec.caller != owner:
            raise _not_found(job_id, owner)
        return job


def _not_found(job_id: str, owner: str) -> NotFound:
    return NotFound(f"job of {owner}'s" if owner else "job", job_id)
