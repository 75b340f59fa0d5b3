"""What a caller hears of a job that waits."""

from __future__ import annotations

import asyncio

from digits.errors import CoordinatorUnavailable
from digits.models.registry import Registry
from digits.serving.serving_model import ServingModel
from digits.serving.version_floor import VersionFloor
from digits.v1 import training_pb2 as pb
from server.progress_stream import ProgressStreams
from tests.unit.job_bench import Bench, raising


def heard(bench: Bench, job: pb.Job) -> pb.TrainProgress:
    """The first message about it."""
    floor = VersionFloor(ServingModel(Registry(bench.coordinator), None, lambda _: None))  # type: ignore[arg-type]

    async def first() -> pb.TrainProgress:
        follow = ProgressStreams(bench.jobs, floor, heartbeat_seconds=0.02).follow(job.job_id)
        try:
            return await anext(follow)
        finally:
            await follow.aclose()  # type: ignore[attr-defined]

    return asyncio.run(first())


def test_a_job_that_waits_hears_how_many_are_before_it_until_these_have_ended() -> None:
    bench = Bench()
    first, second, third = sorted((bench.submit() for _ in range(3)), key=lambda job: job.job_id)
    assert [heard(bench, job).jobs_before for job in (first, second, third)] == [0, 1, 2]
    bench.jobs.cancel(first.job_id)
    bench.jobs.index.close(first.job_id)
    assert heard(bench, third).jobs_before == 1


def test_while_nobody_knows_who_waits_nothing_is_said_of_it() -> None:
    bench = Bench()
    bench.submit()
    waiting = max((bench.submit() for _ in range(2)), key=lambda job: job.job_id)

    bench.jobs.index.names = raising(CoordinatorUnavailable("away"))  # type: ignore[method-assign,assignment]
    assert heard(bench, waiting).jobs_before == 0
