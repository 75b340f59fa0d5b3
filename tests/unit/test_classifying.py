"""The breaker, the local model of the model and minimum versions, without a broker."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from google.rpc import code_pb2

from digits import envelope
from digits.adapters.memory import MemoryCoordinator, MemoryStore
from digits.errors import InvalidInput, NotFound, NotReady, QueueUnavailable
from digits.models import onnx_graph
from digits.models.predictor import Predictor
from digits.models.registry import Registry
from digits.ports import Create
from digits.serving.serving_model import ServingModel, ServingSnapshot
from digits.training import architecture, recipes
from digits.v1 import artifacts_pb2, models_pb2, queue_pb2
from digits.v1 import digit_service_pb2 as pb
from server.batcher import Answer, Batcher
from server.breaker import Breaker
from server.classifying import Classifier
from server.version_floor import VersionFloor
from tests.waiting import wait_until

RECIPE = recipes.find("")
PICTURE = np.zeros((1, 784), np.uint8)


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


class Queue:
    """A queue that answers with fixed results, or is away."""

    def __init__(self) -> None:
        self.result: queue_pb2.ClassifyBatchResult | None = None
        self.asked: list[queue_pb2.ClassifyBatch] = []

    def classify(
        self, batch: queue_pb2.ClassifyBatch, timeout_seconds: float
    ) -> queue_pb2.ClassifyBatchResult:
        self.asked.append(batch)
        if self.result is None:
            raise QueueUnavailable("away")
        return self.result

    def answer(self, version: str, generation: int) -> None:
        probabilities = np.full(10, 0.1, "<f4").tobytes()
        self.result = queue_pb2.ClassifyBatchResult(
            probabilities=probabilities, model_version=version, generation=generation
        )


class SilentQueue(Queue):
    """A queue that takes a batch and says nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def classify(
        self, batch: queue_pb2.ClassifyBatch, timeout_seconds: float
    ) -> queue_pb2.ClassifyBatchResult:
        self.let_go.wait(30)
        return super().classify(batch, timeout_seconds)


class Bench:
    """A registry with published versions, and a copy that follows it."""

    def __init__(self, cache: Path) -> None:
        self.coordinator, self.store = MemoryCoordinator(), MemoryStore()
        self.registry = Registry(self.coordinator)
        self.seen: list[ServingSnapshot] = []
        self.copy = ServingModel(self.registry, self.store, self.seen.append, cache)
        self.queue = Queue()
        self.classifier = Classifier(self.queue, self.copy, 0.05)

    def publish(self, data: bytes | None = None) -> str:
        version = self.registry.new_version()
        good = envelope.seal(
            artifacts_pb2.ModelBundle(
                version=version, onnx=onnx_graph.to_onnx(RECIPE, architecture.initial_state(RECIPE, 0))
            )
        )
        data = good if data is None else data
        self.store.publish(f"models/{version}.bundle", data)
        model = models_pb2.Model(version=version, store_path=f"models/{version}.bundle")
        model.bundle_bytes, model.bundle_sha256 = len(data), hashlib.sha256(data).hexdigest()
        self.coordinator.commit(Create(f"/models/{version}", model.SerializeToString()))
        self.coordinator.commit(self.registry.alias().moved_to(version))
        return version

    def serves(self, version: str) -> bool:
        model = self.copy.now().model
        return model is not None and model.version == version

    def ask(self, version: str = "") -> Answer:
        return asyncio.run(self.classifier.classify(PICTURE, version, 5.0))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "cache")
    bench.copy.start()
    yield bench
    bench.copy.stop()


def test_before_the_first_model_a_caller_is_told_to_train_one(bench: Bench) -> None:
    with pytest.raises(NotReady, match="train one first"):
        bench.ask()


def test_the_worker_answers_where_it_can(bench: Bench) -> None:
    bench.publish()
    bench.queue.answer("v1", 1)
    assert bench.ask().served_by == pb.WORKER


def test_the_own_copy_answers_while_the_queue_is_away_and_the_worker_once_it_is_back(bench: Bench) -> None:
    version = bench.publish()
    for _ in range(5):
        answer = bench.ask()
        assert (answer.model_version, answer.served_by) == (version, pb.CACHED_COPY)
    assert len(bench.queue.asked) == 2
    bench.queue.answer("v1", 1)
    wait_until(lambda: bench.ask().served_by == pb.WORKER, what="an answer from the worker")


def test_the_own_copy_answers_while_the_queue_is_silent(bench: Bench) -> None:
    version = bench.publish()
    queue = SilentQueue()
    classifier = Classifier(queue, bench.copy, 0.05)
    try:
        for _ in range(3):
            answer = asyncio.run(classifier.classify(PICTURE, "", 5.0))
            assert (answer.model_version, answer.served_by) == (version, pb.CACHED_COPY)
    finally:
        queue.let_go.set()


def test_a_worker_is_told_the_newest_generation_that_was_answered(bench: Bench) -> None:
    bench.publish()
    bench.queue.answer("v9", 9)
    bench.ask()
    bench.ask()
    assert bench.queue.asked[-1].minimum_generation == 9


def test_the_own_copy_never_answers_with_an_older_generation_than_before(bench: Bench) -> None:
    version = bench.publish()
    wait_until(lambda: bench.serves(version))
    bench.queue.answer("v9", 9)
    bench.ask()
    bench.queue.result = None
    with pytest.raises(NotReady, match="generation 9"):
        bench.ask()


def test_a_version_that_no_worker_knows_is_not_found(bench: Bench) -> None:
    bench.publish()
    bench.queue.result = queue_pb2.ClassifyBatchResult(error="no such", error_code=code_pb2.NOT_FOUND)
    with pytest.raises(NotFound):
        bench.ask("v9")


def test_a_version_asked_by_name_answers_from_the_own_copy_too(bench: Bench) -> None:
    bench.publish()
    bench.publish()
    assert bench.ask("v1").model_version == "v1"


def test_a_damaged_version_is_reported_and_the_old_one_goes_on(bench: Bench) -> None:
    good = bench.publish()
    wait_until(lambda: bench.serves(good))
    bad = bench.publish(b"damaged")
    wait_until(lambda: bad in bench.copy.now().error, what="a report of the damaged version")
    assert bench.ask().model_version == good
    better = bench.publish()
    wait_until(lambda: bench.serves(better), what="the version after the damaged one")
    assert bench.copy.now().error == ""


def test_the_copy_on_disk_answers_after_a_restart_with_everything_away(bench: Bench, tmp_path: Path) -> None:
    version = bench.publish()
    wait_until((tmp_path / "cache" / "serving.bundle").exists)
    bench.copy.stop()
    alone = ServingModel(Registry(MemoryCoordinator()), MemoryStore(), cache_folder=tmp_path / "cache")
    alone.start()
    assert alone.at_least(1, 0).loaded().version == version
    alone.stop()


def test_a_damaged_copy_on_disk_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "serving.bundle").write_bytes(b"damaged")
    alone = ServingModel(Registry(MemoryCoordinator()), MemoryStore(), cache_folder=tmp_path)
    alone.start()
    assert alone.now().model is None
    alone.stop()


def test_swaps_under_load_fail_no_call_and_never_go_backwards(bench: Bench) -> None:
    first = bench.publish()
    wait_until(lambda: bench.serves(first))
    seen: list[int] = []

    async def load() -> None:
        while not bench.serves("v40"):
            answer = await bench.classifier.classify(PICTURE, "", 5.0)
            seen.append(int(answer.model_version[1:]))

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        calls = asyncio.gather(*(load() for _ in range(4)))
        for _ in range(39):
            await loop.run_in_executor(None, bench.publish)
        await calls

    asyncio.run(scenario())
    assert seen == sorted(seen)


def test_the_same_network_gives_the_same_probabilities_in_any_batch() -> None:
    predictor = Predictor(onnx_graph.to_onnx(RECIPE, architecture.initial_state(RECIPE, 3)))
    batch = np.random.default_rng(1).integers(0, 256, (9, 784), np.uint8)
    one_by_one = np.concatenate([predictor.predict(batch[n : n + 1]) for n in range(9)])
    np.testing.assert_allclose(predictor.predict(batch), one_by_one, atol=1e-6)


def test_a_model_answers_at_once_though_its_watch_is_late(bench: Bench) -> None:
    bench.copy._end_watch()
    version = bench.publish()
    assert bench.ask().model_version == version


def ask_for(bench: Bench, minimum: str, version: str = "") -> str:
    """The version that answers a caller who names the oldest that it takes."""

    async def scenario() -> str:
        batcher = Batcher(bench.classifier.classify, 4, 100)
        task = asyncio.create_task(batcher.run())
        try:
            answer = await VersionFloor(batcher, bench.copy).predict(PICTURE, version, minimum, 5.0)
        finally:
            task.cancel()
        return answer.model_version

    return asyncio.run(scenario())


def test_a_minimum_version_is_waited_for_though_no_watch_came(bench: Bench) -> None:
    first = bench.publish()
    wait_until(lambda: bench.serves(first))
    bench.copy._end_watch()
    second = bench.publish()
    assert bench.serves(first)
    assert ask_for(bench, "") == first
    assert ask_for(bench, second) == second
    assert ask_for(bench, first) == second


def test_the_worker_is_held_to_a_minimum_version_too(bench: Bench) -> None:
    version = bench.publish()
    bench.queue.answer(version, 1)
    assert ask_for(bench, version) == version
    assert bench.queue.asked[-1].minimum_generation == 1


def test_an_older_version_is_no_answer_to_who_named_a_newer(bench: Bench) -> None:
    first, second = bench.publish(), bench.publish()
    wait_until(lambda: bench.serves(second))
    with pytest.raises(NotReady, match="v2 serves, which is older than v3"):
        ask_for(bench, "v3")
    bench.registry.rollback()
    wait_until(lambda: bench.serves(first))
    with pytest.raises(NotReady, match="v1 serves"):
        ask_for(bench, second)
    bench.queue.answer(first, 3)
    assert ask_for(bench, first) == first


def test_a_rollback_between_question_and_answer_is_told(bench: Bench) -> None:
    first, second = bench.publish(), bench.publish()
    wait_until(lambda: bench.serves(second))
    bench.queue.answer(first, 3)
    with pytest.raises(NotReady, match=f"{first} serves"):
        ask_for(bench, second)


@pytest.mark.parametrize("minimum", ["3", "v", "v-1", "serving", "v" + "9" * 30])
def test_a_minimum_that_is_no_version_is_refused(bench: Bench, minimum: str) -> None:
    with pytest.raises(InvalidInput, match="minimum_version"):
        ask_for(bench, minimum)


def test_a_minimum_beside_a_version_by_name_is_refused(bench: Bench) -> None:
    with pytest.raises(InvalidInput, match="minimum_version"):
        ask_for(bench, "v1", "v1")
