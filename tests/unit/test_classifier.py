"""Who answers: the queue, the local model, and never an older version than one that was seen."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator

import pytest
from google.rpc import code_pb2

from digits.errors import DeadlinePassed, DigitsError, InvalidInput, NotReady
from digits.serving.breaker import Breaker
from digits.v1 import digit_service_pb2 as pb
from digits.v1 import queue_pb2
from tests.unit.serving_bench import PICTURE, Bench
from tests.waiting import wait_until


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    bench.serving.start()
    yield bench
    bench.close()


def test_the_breaker_opens_after_two_failures_and_closes_with_an_answer() -> None:
    now = [0.0]
    breaker = Breaker(clock=lambda: now[0])
    breaker.failed()
    assert not breaker.is_open()
    breaker.failed()
    assert breaker.is_open()
    assert not breaker.probe_due()
    now[0] = 1.5
    assert [breaker.probe_due(), breaker.probe_due()] == [True, False]
    breaker.succeeded()
    assert not breaker.is_open()


def test_before_the_first_model_a_caller_is_told_to_train_one(bench: Bench) -> None:
    with pytest.raises(NotReady, match="train one first"):
        bench.ask()


def test_the_worker_answers_if_it_can(bench: Bench) -> None:
    bench.publish()
    bench.queue.answer("v1", 1)
    assert bench.ask().served_by == pb.WORKER


def test_the_local_model_answers_while_the_queue_is_away_and_the_worker_once_it_is_back(bench: Bench) -> None:
    version = bench.publish()
    for _ in range(5):
        answer = bench.ask()
        assert (answer.model_version, answer.served_by) == (version, pb.CACHED_COPY)
    assert len(bench.queue.asked) == 2
    bench.queue.answer("v1", 1)

    async def until_the_worker_answers() -> None:
        async with asyncio.timeout(10):
            while (await bench.classify()).served_by != pb.WORKER:
                await asyncio.sleep(0.02)

    bench.run(until_the_worker_answers)


def test_the_local_model_answers_while_the_queue_is_silent(bench: Bench) -> None:
    version = bench.publish()
    bench.queue.let_go.clear()
    for _ in range(3):
        answer = bench.ask()
        assert (answer.model_version, answer.served_by) == (version, pb.CACHED_COPY)


def test_a_batch_that_failed_counts_once_though_its_failure_is_told_twice(bench: Bench) -> None:
    """By the silence first, and by the thread that comes back late."""
    bench.publish()
    bench.queue.let_go.clear()
    assert bench.ask().served_by == pb.CACHED_COPY
    bench.queue.let_go.set()
    wait_until(lambda: len(bench.queue.asked) == 1)
    bench.queue.answer("v1", 1)

    async def until_the_thread_is_back() -> None:
        async with asyncio.timeout(5):
            while (await bench.classify()).served_by != pb.WORKER:
                pass

    assert not bench.breaker.is_open()
    bench.run(until_the_thread_is_back)


def test_a_callers_own_short_deadline_is_no_failure_of_the_queue(bench: Bench) -> None:
    bench.publish()
    bench.queue.answer("v1", 1)

    async def short_deadlines() -> None:
        for _ in range(4):
            bench.queue.let_go.clear()
            with contextlib.suppress(TimeoutError, DeadlinePassed):
                async with asyncio.timeout(0.005):
                    await bench.classifier.classify(PICTURE, "", "", 0.005)
            bench.queue.let_go.set()
        assert (await bench.classify()).served_by == pb.WORKER

    bench.run(short_deadlines)
    assert not bench.breaker.is_open()


def test_a_worker_that_lags_behind_opens_the_breaker(bench: Bench) -> None:
    bench.publish()
    bench.queue.result = queue_pb2.ClassifyBatchResult(
        error="generation 1 is not here yet", error_code=code_pb2.FAILED_PRECONDITION
    )
    for _ in range(4):
        assert bench.ask().served_by == pb.CACHED_COPY
    assert bench.breaker.is_open()
    assert len(bench.queue.asked) == 2


@pytest.mark.parametrize("error", [ValueError("junk"), RuntimeError("shut down")])
def test_what_nobody_foresaw_falls_back_to_the_local_model_too(bench: Bench, error: Exception) -> None:
    bench.publish()
    bench.queue.error = error
    for _ in range(3):
        assert bench.ask().served_by == pb.CACHED_COPY
    assert len(bench.queue.asked) == 2


def test_an_answer_that_is_none_falls_back_to_the_local_model(bench: Bench) -> None:
    bench.publish()
    bench.queue.result = queue_pb2.ClassifyBatchResult(probabilities=b"1234567", model_version="v1")
    assert bench.ask().served_by == pb.CACHED_COPY


def test_a_worker_is_told_the_newest_generation_that_was_answered(bench: Bench) -> None:
    bench.publish()
    bench.queue.answer("v9", 9)
    bench.ask()
    bench.ask()
    assert bench.queue.asked[-1].minimum_generation == 9


def test_swaps_under_load_fail_no_call_and_never_go_backwards(bench: Bench) -> None:
    first = bench.publish()
    wait_until(lambda: bench.serves(first))
    seen: list[int] = []

    async def load() -> None:
        while not bench.serves("v40"):
            answer = await bench.classify()
            seen.append(int(answer.model_version[1:]))

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        calls = asyncio.gather(*(load() for _ in range(4)))
        for _ in range(39):
            await loop.run_in_executor(None, bench.publish)
        await calls

    bench.run(scenario)
    assert seen == sorted(seen)


def test_a_model_answers_at_once_though_its_watch_is_late(bench: Bench) -> None:
    bench.coordinator.stopped = True
    version = bench.publish()
    assert bench.ask().model_version == version


def test_a_minimum_version_is_waited_for_though_no_watch_came(bench: Bench) -> None:
    first = bench.publish()
    wait_until(lambda: bench.serves(first))
    bench.coordinator.stopped = True
    second = bench.publish()
    assert bench.serves(first)
    assert bench.ask().model_version == first
    assert bench.ask(minimum=second).model_version == second
    assert bench.ask(minimum=first).model_version == second


def test_the_worker_is_held_to_a_minimum_version_too(bench: Bench) -> None:
    version = bench.publish()
    bench.queue.answer(version, 1)
    assert bench.ask(minimum=version).model_version == version
    assert bench.queue.asked[-1].minimum_generation == 1


def test_an_older_version_is_no_answer_to_who_named_a_newer(bench: Bench) -> None:
    first, second = bench.publish(), bench.publish()
    wait_until(lambda: bench.serves(second))
    with pytest.raises(NotReady, match="v2 serves, which is older than v3"):
        bench.ask(minimum="v3")
    bench.move(first)
    wait_until(lambda: bench.serves(first))
    with pytest.raises(NotReady, match="v1 serves"):
        bench.ask(minimum=second)
    bench.queue.answer(first, 3)
    assert bench.ask(minimum=first).model_version == first


def test_a_rollback_between_question_and_answer_is_told(bench: Bench) -> None:
    first, second = bench.publish(), bench.publish()
    wait_until(lambda: bench.serves(second))
    bench.queue.answer(first, 3)
    with pytest.raises(NotReady, match=f"{first} serves"):
        bench.ask(minimum=second)


@pytest.mark.parametrize("minimum", ["3", "v", "v-1", "serving", "v" + "9" * 30])
def test_a_minimum_that_is_no_version_is_refused(bench: Bench, minimum: str) -> None:
    with pytest.raises(InvalidInput, match="minimum_version"):
        bench.ask(minimum=minimum)


def test_a_minimum_beside_a_version_by_name_is_refused(bench: Bench) -> None:
    with pytest.raises(InvalidInput, match="minimum_version"):
        bench.ask("v1", "v1")


def test_many_who_wait_for_a_version_share_the_reading_of_the_alias(bench: Bench) -> None:
    bench.publish()
    wait_until(lambda: bench.serves("v1"))
    reads = 0
    sync = bench.coordinator.sync

    def counted() -> None:
        nonlocal reads
        reads += 1
        time.sleep(0.05)
        sync()

    bench.coordinator.sync = counted  # type: ignore[method-assign]

    async def crowd() -> list[object]:
        return await asyncio.gather(
            *(bench.classify(minimum="v9") for _ in range(50)), return_exceptions=True
        )

    assert {type(result) for result in bench.run(crowd)} == {NotReady}
    assert reads <= 2


def test_after_a_restore_the_floor_comes_down_to_the_restored_alias(bench: Bench) -> None:
    """A worker that has not heard of the restore yet had it high again."""
    bench.publish()
    backup = bench.registry.alias().serving
    bench.publish()
    wait_until(lambda: bench.serves("v2"))
    bench.queue.answer("v9", 9)
    assert bench.ask().model_version == "v9"
    bench.restore(backup)
    wait_until(lambda: bench.serves("v1"), what="the restored alias")
    bench.queue.result = queue_pb2.ClassifyBatchResult(error="generation 9 is not here yet")
    assert bench.ask().model_version == "v1"
    bench.queue.answer("v1", 1)
    assert bench.ask().served_by == pb.WORKER
    assert bench.queue.asked[-1].minimum_generation == 1


def test_the_local_model_never_answers_with_an_older_generation_than_before(bench: Bench) -> None:
    version = bench.publish()
    wait_until(lambda: bench.serves(version))
    bench.queue.answer("v9", 9)
    bench.ask()
    bench.queue.result = None
    bench.coordinator.get = _away  # type: ignore[method-assign]
    with pytest.raises(NotReady, match="generation 9"):
        bench.ask()


def _away(path: str) -> None:
    raise DigitsError("the coordinator is away")
