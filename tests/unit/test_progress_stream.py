"""What a caller hears of a job that waits."""

from __future__ import annotations

import asyncio
import threading

from digits.errors import CoordinatorUnavailable
from digits.models.registry import Registry
from digits.serving.serving_model import ServingModel
from digits.serving.version_floor import VersionFloor
from digits.v1 import training_pb2 as pb
from server.progress_stream import ProgressStreams
from tests.unit.job_bench import Bench


def streams(bench: Bench) -> ProgressStreams:
    floor = VersionFloor(ServingModel(Registry(bench.coordinator), None, lambda _: None))  # type: ignore[arg-type]
    return ProgressStreams(bench.jobs, floor, heartbeat_seconds=0.01)


async def said(streams: ProgressStreams, job: pb.Job, messages: int = 5) -> list[int]:
    """What the first messages say."""
    follow = streams.follow(job.job_id)
    try:
        return [(await anext(follow)).jobs_before for _ in range(messages)]
    finally:
        await follow.aclose()  # type: ignore[attr-defined]


def test_a_job_that_waits_hears_how_many_are_before_it_until_these_have_ended() -> None:
    bench = Bench()
    first, *_, last = sorted((bench.submit() for _ in range(3)), key=lambda job: job.job_id)

    async def scenario() -> None:
        following = streams(bench)
        assert (await said(following, first))[-1] == 0
        assert (await said(following, last))[-1] == 2
        bench.jobs.cancel(first.job_id)
        bench.jobs.index.close(first.job_id)
        assert (await said(following, last))[-1] == 1

    asyncio.run(scenario())


def test_nobody_waits_to_hear_who_is_before_and_all_hear_by_one_look() -> None:
    bench = Bench()
    bench.submit()
    last = max((bench.submit() for _ in range(2)), key=lambda job: job.job_id)
    answered, looks = threading.Event(), []

    def hang() -> list[str]:
        looks.append(1)
        answered.wait(30)
        raise CoordinatorUnavailable("away")

    bench.jobs.index.names = hang  # type: ignore[method-assign]

    async def scenario() -> None:
        following = streams(bench)
        heard = await asyncio.gather(*(said(following, last) for _ in range(50)))
        assert heard == [[0] * 5] * 50
        assert len(looks) == 1
        answered.set()

    asyncio.run(scenario())
