"""Batches that form by themselves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import numpy as np
import pytest

from digits.errors import DeadlinePassed, Overloaded, QueueUnavailable
from digits.models.predictor import Prediction
from digits.serving.answering import Answer
from digits.serving.batcher import Batcher
from digits.v1 import digit_service_pb2 as pb

PICTURE = np.zeros((1, 784), np.uint8)


def pictures(count: int, value: int = 0) -> np.ndarray:
    return np.full((count, 784), value, np.uint8)


class Recorder:
    """Answers each picture with its first pixel, and notes the batches; can be held up."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.free = asyncio.Event()
        self.free.set()
        self.error: Exception | None = None
        self.seconds = 0.0

    async def classify(self, pixels: np.ndarray) -> Answer:
        self.sizes.append(len(pixels))
        await asyncio.sleep(self.seconds)
        await self.free.wait()
        if self.error:
            raise self.error
        values = pixels[:, :10].astype(np.float32)
        return Answer(Prediction(values, values[:, 0] / 10), "v1", pb.WORKER)


async def batching(
    recorder: Recorder, max_in_batch: int = 4, max_waiting: int = 100, coming: Callable[[], int] = lambda: 0
) -> Batcher:
    batcher = Batcher(recorder.classify, max_in_batch, max_waiting, coming)
    recorder.task = asyncio.create_task(batcher.run())  # type: ignore[attr-defined]
    return batcher


def test_a_lone_caller_waits_for_nobody() -> None:
    async def scenario() -> None:
        recorder = Recorder()
        answer = await (await batching(recorder)).predict(pictures(1, 7), None)
        assert answer.prediction.probabilities.tolist() == [[7.0] * 10]
        assert answer.prediction.not_a_digit.tolist() == [np.float32(0.7)]
        assert recorder.sizes == [1]

    asyncio.run(scenario())


def test_what_arrives_while_a_batch_is_out_is_the_next_batch_and_each_gets_its_own_answer() -> None:
    async def scenario() -> None:
        recorder = Recorder()
        recorder.free.clear()
        batcher = await batching(recorder)
        calls = [asyncio.create_task(batcher.predict(pictures(1, n), None)) for n in range(7)]
        while not recorder.sizes:
            await asyncio.sleep(0)
        recorder.free.set()
        answers = await asyncio.gather(*calls)
        assert [answer.prediction.probabilities[0, 0] for answer in answers] == list(range(7))
        assert sum(recorder.sizes) == 7
        assert max(recorder.sizes) <= 4

    asyncio.run(scenario())


def test_calls_that_arrive_turn_by_turn_share_a_batch() -> None:
    async def scenario() -> None:
        recorder = Recorder()
        batcher = await batching(recorder)
        calls = []
        for number in range(4):
            calls.append(asyncio.create_task(batcher.predict(pictures(1, number), None)))
            await asyncio.sleep(0)
        await asyncio.gather(*calls)
        assert recorder.sizes == [4]

    asyncio.run(scenario())


def test_callers_that_were_just_answered_and_ask_again_share_a_batch() -> None:
    async def scenario() -> None:
        recorder = Recorder()
        recorder.seconds = 0.05
        batcher = await batching(recorder)

        async def caller(pause_seconds: float) -> None:
            await batcher.predict(PICTURE, None)
            await asyncio.sleep(pause_seconds)
            await batcher.predict(PICTURE, None)

        # The last of four is not waited for: it may be gone.
        await asyncio.gather(*(caller(pause) for pause in (0, 0.002, 0.004, 0.5)))
        assert recorder.sizes == [4, 3, 1]

    asyncio.run(scenario())


def test_pictures_that_are_being_read_are_waited_for_as_callers_are() -> None:
    async def scenario() -> None:
        recorder = Recorder()
        recorder.seconds = 0.02
        being_read = 4
        batcher = await batching(recorder, coming=lambda: being_read)
        first = asyncio.create_task(batcher.predict(PICTURE, None))
        await first
        calls = []
        for _ in range(4):
            for _ in range(5):
                await asyncio.sleep(0)
            being_read -= 1
            calls.append(asyncio.create_task(batcher.predict(PICTURE, None)))
        await asyncio.gather(*calls)
        assert recorder.sizes == [1, 4]

    asyncio.run(scenario())


def test_who_comes_after_a_crowd_has_left_is_not_kept_waiting() -> None:
    async def scenario() -> None:
        recorder = Recorder()
        batcher = await batching(recorder, max_in_batch=256)
        await asyncio.gather(*(batcher.predict(PICTURE, None) for _ in range(100)))
        started = time.monotonic()
        await batcher.predict(PICTURE, None)
        assert time.monotonic() - started < 0.5
        assert recorder.sizes == [100, 1]

    asyncio.run(scenario())


def test_a_full_queue_refuses_and_says_when_to_come_again() -> None:
    async def scenario() -> None:
        recorder = Recorder()
        recorder.free.clear()
        batcher = await batching(recorder, max_in_batch=1, max_waiting=3)
        calls = [asyncio.create_task(batcher.predict(PICTURE, None)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as refused:
            await batcher.predict(pictures(2), None)
        assert refused.value.retry_after_seconds > 0
        recorder.free.set()
        await asyncio.gather(*calls)
        await batcher.predict(PICTURE, None)

    asyncio.run(scenario())


def test_a_caller_that_left_is_dropped_and_one_past_its_deadline_is_told() -> None:
    async def scenario() -> None:
        recorder = Recorder()
        recorder.free.clear()
        batcher = await batching(recorder)
        first = asyncio.create_task(batcher.predict(PICTURE, None))
        while not recorder.sizes:
            await asyncio.sleep(0)
        left = asyncio.create_task(batcher.predict(PICTURE, None))
        late = asyncio.create_task(batcher.predict(PICTURE, 0.0))
        stays = asyncio.create_task(batcher.predict(PICTURE, None))
        await asyncio.sleep(0)
        left.cancel()
        recorder.free.set()
        await asyncio.gather(first, stays)
        with pytest.raises(DeadlinePassed):
            await late
        assert recorder.sizes == [1, 1]

    asyncio.run(scenario())


def test_an_error_reaches_every_caller_of_its_batch_and_no_other() -> None:
    async def scenario() -> None:
        recorder = Recorder()
        recorder.error = QueueUnavailable("away")
        batcher = await batching(recorder)
        results = await asyncio.gather(
            *(batcher.predict(PICTURE, None) for _ in range(2)), return_exceptions=True
        )
        assert [type(result) for result in results] == [QueueUnavailable] * 2
        recorder.error = None
        await batcher.predict(PICTURE, None)

    asyncio.run(scenario())
