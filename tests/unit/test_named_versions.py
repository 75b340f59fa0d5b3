"""Versions by name: loaded beside what serves, once at a time, and a few of them kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from digits.errors import Corrupt, NotFound, Overloaded, StoreUnavailable
from digits.serving.deadline_store import DeadlineStore
from tests.unit.serving_bench import PICTURE, Bench, HeldStore
from tests.waiting import wait_until


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    bench.serving.start()
    yield bench
    bench.close()


def publish(bench: Bench, count: int) -> list[str]:
    versions = [bench.publish() for _ in range(count)]
    wait_until(lambda: bench.serves(versions[-1]))
    bench.held.reads.clear()
    return versions


def test_a_version_by_name_answers_and_no_worker_is_asked_for_it(bench: Bench) -> None:
    publish(bench, 2)
    assert bench.ask("v1").model_version == "v1"
    assert bench.queue.asked == []


def test_a_version_that_nobody_registered_is_not_found(bench: Bench) -> None:
    publish(bench, 1)
    for version in ("v9", "v", "../jobs"):
        with pytest.raises(NotFound):
            bench.ask(version)


def test_a_damaged_version_by_name_is_corrupt_and_what_serves_answers_on(bench: Bench) -> None:
    bench.publish(b"damaged", serve=False)
    publish(bench, 1)
    with pytest.raises(Corrupt):
        bench.ask("v1")
    assert bench.ask().model_version == "v2"


def test_the_version_that_serves_is_not_loaded_again_for_who_names_it(bench: Bench) -> None:
    publish(bench, 1)
    assert bench.ask("v1").model_version == "v1"
    assert bench.held.reads == []


def test_callers_of_a_cold_version_share_one_load_and_those_who_leave_do_not_end_it(bench: Bench) -> None:
    publish(bench, 2)
    bench.held.held.add("models/v1.bundle")

    async def crowd() -> None:
        calls = [asyncio.create_task(bench.classify("v1")) for _ in range(10)]
        async with asyncio.timeout(5):
            while not bench.held.reads:
                await asyncio.sleep(0)
        calls[0].cancel()
        bench.held.let_go.set()
        answers = await asyncio.gather(*calls[1:])
        assert {answer.model_version for answer in answers} == {"v1"}

    bench.run(crowd)
    assert bench.held.reads == ["models/v1.bundle"]


def test_what_serves_answers_while_cold_versions_never_come(bench: Bench) -> None:
    versions = publish(bench, 6)
    bench.held.held.update(f"models/{version}.bundle" for version in versions[:-1])

    async def plain_calls() -> None:
        cold = [asyncio.create_task(bench.classify(version)) for version in versions[:-1]]
        async with asyncio.timeout(5):
            for _ in range(50):
                assert (await bench.classify()).model_version == "v6"
        assert not any(call.done() for call in cold)
        bench.held.let_go.set()
        await asyncio.gather(*cold)

    bench.run(plain_calls)


def test_a_cold_version_that_never_comes_ends_with_an_error_and_leaves_others_room() -> None:
    held = HeldStore()
    bench = Bench(store=DeadlineStore(held, read_seconds=0.1))
    bench.serving.start()
    for _ in range(3):
        bench.publish()
    wait_until(lambda: bench.serves("v3"))
    held.held.add("models/v1.bundle")
    try:
        with pytest.raises(StoreUnavailable, match="within"):
            bench.ask("v1")
        assert bench.ask("v2").model_version == "v2"
    finally:
        held.let_go.set()
        bench.close()


def test_a_few_versions_are_kept_those_used_last(bench: Bench) -> None:
    publish(bench, 7)
    for version in ("v1", "v2", "v3", "v4", "v1", "v5"):
        bench.ask(version)
    bench.held.reads.clear()
    for version in ("v1", "v5", "v4", "v3"):
        bench.ask(version)
    assert bench.held.reads == []
    bench.ask("v2")
    assert bench.held.reads == ["models/v2.bundle"]


def test_too_many_cold_versions_at_once_are_refused(bench: Bench) -> None:
    versions = publish(bench, 12)[:-1]
    bench.held.held.update(f"models/{version}.bundle" for version in versions)

    async def crowd() -> None:
        cold = [asyncio.create_task(bench.classify(version)) for version in versions]
        done, waiting = await asyncio.wait(cold, timeout=0.2)
        assert {type(call.exception()) for call in done} == {Overloaded}
        assert len(waiting) == 8
        bench.held.let_go.set()
        await asyncio.gather(*waiting)

    bench.run(crowd)


def test_too_many_pictures_for_versions_by_name_are_refused(bench: Bench) -> None:
    publish(bench, 2)
    bench.held.held.add("models/v1.bundle")

    async def crowd() -> None:
        many = PICTURE.repeat(60, axis=0)
        waiting = asyncio.create_task(bench.classifier.classify(many, "v1", "", 5.0))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await bench.classifier.classify(many, "v1", "", 5.0)
        bench.held.let_go.set()
        assert len((await waiting).prediction.probabilities) == 60

    bench.run(crowd)
