"""The classify worker, which has one loop: nothing that it does for a caller waits for the store."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from digits import bootstrap
from digits.adapters.celery_queue import make_app
from digits.errors import NotReady
from digits.settings import Settings
from digits.signals.context import REQUEST_ID
from digits.v1 import queue_pb2
from tests.unit.serving_bench import PICTURE, Bench
from tests.waiting import wait_until
from workers.classify import ClassifyWorker, logger


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A coordinator and a store; what else a server holds is not used."""
    bench = Bench()
    yield bench
    bench.close()


@pytest.fixture
def start(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], ClassifyWorker]]:
    """Starts workers over the bench."""
    monkeypatch.setattr(bootstrap, "coordinator", lambda settings: bench.coordinator)
    monkeypatch.setattr(bootstrap, "store", lambda settings: bench.store)
    with contextlib.ExitStack() as stack:

        def started() -> ClassifyWorker:
            worker = ClassifyWorker(Settings(var_dir=tmp_path))
            worker.start(make_app("memory://"))
            stack.callback(worker.stop)
            return worker

        yield started


def answers(worker: ClassifyWorker, version: str, generation: int = 0) -> bool:
    try:
        result = worker.answer(batch(generation=generation))
    except NotReady:
        return False
    return result.model_version == version


def batch(version: str = "", generation: int = 0) -> queue_pb2.ClassifyBatch:
    return queue_pb2.ClassifyBatch(
        pixels=PICTURE.tobytes(), model_version=version, minimum_generation=generation
    )


def test_it_answers_with_the_serving_version_and_its_generation(
    bench: Bench, start: Callable[[], ClassifyWorker]
) -> None:
    bench.publish()
    worker = start()
    wait_until(lambda: answers(worker, "v1"))
    result = worker.answer(batch(generation=1))
    assert np.frombuffer(result.probabilities, "<f4").sum() == pytest.approx(1, abs=1e-3)
    assert result.generation == 1


def test_a_version_that_does_not_serve_is_refused_without_a_read_of_the_store(
    bench: Bench, start: Callable[[], ClassifyWorker]
) -> None:
    bench.publish()
    bench.publish()
    bench.held.held.add("models/v1.bundle")
    worker = start()
    wait_until(lambda: answers(worker, "v2"))
    assert worker.answer(batch("v2")).model_version == "v2"
    with pytest.raises(NotReady, match="v1 is not in this worker's memory"):
        worker.answer(batch("v1"))
    assert bench.held.reads == ["models/v2.bundle"]


def test_a_serving_version_whose_read_never_returns_leaves_the_one_before_answering(
    bench: Bench, start: Callable[[], ClassifyWorker]
) -> None:
    bench.publish()
    worker = start()
    wait_until(lambda: answers(worker, "v1"))
    bench.held.held.add("models/v2.bundle")
    bench.publish()
    wait_until(lambda: "models/v2.bundle" in bench.held.reads)
    assert answers(worker, "v1")
    with pytest.raises(NotReady, match="generation 2"):
        worker.answer(batch(generation=2))


def test_what_a_worker_logs_of_a_batch_names_the_calls_that_it_came_from(
    start: Callable[[], ClassifyWorker], monkeypatch: pytest.MonkeyPatch
) -> None:
    named: list[str] = []
    before, worker = REQUEST_ID.get(), start()
    monkeypatch.setattr(logger, "warning", lambda *_: named.append(REQUEST_ID.get()))
    asked = queue_pb2.ClassifyBatch(pixels=PICTURE.tobytes(), request_id="order-7,order-8")
    assert (
        "no model serves"
        in queue_pb2.ClassifyBatchResult.FromString(worker._reply_to(asked.SerializeToString())).error
    )
    assert (named, REQUEST_ID.get()) == (["order-7,order-8"], before)
