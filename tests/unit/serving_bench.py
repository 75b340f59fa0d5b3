"""A registry with published versions in memory, and the ways to an answer over it."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from digits import envelope
from digits.adapters.memory import MemoryCoordinator, MemoryStore
from digits.errors import QueueUnavailable
from digits.models import onnx_graph
from digits.models.registry import Registry
from digits.ports import ArtifactStore, Coordinator, Create, Replace, Stored
from digits.serving.answering import Answer
from digits.serving.breaker import Breaker
from digits.serving.classifier import Classifier
from digits.serving.failover import Failover
from digits.serving.local_answerer import LocalAnswerer
from digits.serving.model_loader import ModelLoader
from digits.serving.named_versions import NamedVersions
from digits.serving.queue_answerer import QueueAnswerer
from digits.serving.serving_model import ServingModel, ServingSnapshot
from digits.serving.version_floor import VersionFloor
from digits.training import architecture, recipes
from digits.v1 import artifacts_pb2, models_pb2, queue_pb2

RECIPE = recipes.find("")
PICTURE = np.zeros((1, 784), np.uint8)
QUEUE_SECONDS = 0.05

T = TypeVar("T")


class Queue:
    """A queue that answers with fixed results, raises, or is silent until it is let go."""

    def __init__(self) -> None:
        self.result: queue_pb2.ClassifyBatchResult | None = None
        self.error: Exception = QueueUnavailable("away")
        self.asked: list[queue_pb2.ClassifyBatch] = []
        self.let_go = threading.Event()
        self.let_go.set()

    def classify(
        self, batch: queue_pb2.ClassifyBatch, timeout_seconds: float
    ) -> queue_pb2.ClassifyBatchResult:
        self.asked.append(batch)
        self.let_go.wait(30)
        if self.result is None:
            raise self.error
        return self.result

    def answer(self, version: str, generation: int) -> None:
        probabilities = np.full(10, 0.1, "<f4").tobytes()
        self.result = queue_pb2.ClassifyBatchResult(
            probabilities=probabilities, model_version=version, generation=generation
        )


class HeldStore(MemoryStore):
    """A store whose reads of some files hang until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.held: set[str] = set()
        self.reads: list[str] = []
        self.let_go = threading.Event()

    def read(self, name: str) -> bytes:
        self.reads.append(name)
        if name in self.held:
            self.let_go.wait(30)
        return super().read(name)


class LateWatches(MemoryCoordinator):
    """A session whose watches can stop: what changes then is only seen by who reads."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = False
        self.watchers: list[Callable[[Stored | None], None]] = []

    def watch(self, path: str, changed: Callable[[Stored | None], None]) -> Callable[[], None]:
        self.watchers.append(changed)
        return super().watch(path, lambda stored: None if self.stopped else changed(stored))


def published(
    coordinator: Coordinator, store: ArtifactStore, data: bytes | None = None, seed: int = 0
) -> str:
    """Registers a version that does not serve; its bundle is whole, or else the given bytes."""
    version = Registry(coordinator).new_version()
    onnx = onnx_graph.to_onnx(RECIPE, architecture.initial_state(RECIPE, seed))
    good = envelope.seal(artifacts_pb2.ModelBundle(version=version, onnx=onnx))
    store.publish(f"models/{version}.bundle", good if data is None else data)
    model = models_pb2.Model(version=version, store_path=f"models/{version}.bundle")
    model.bundle_bytes, model.bundle_sha256 = len(good), hashlib.sha256(good).hexdigest()
    coordinator.commit(Create(f"/models/{version}", model.SerializeToString()))
    return version


def move(coordinator: Coordinator, version: str) -> None:
    """Moves the alias, whatever the version is worth."""
    registry = Registry(coordinator)
    moved = registry.alias().moved_to(version, models_pb2.ServingChange.PROMOTE, "ann")
    coordinator.commit(moved, registry.mark_served(version))


class Bench:
    """What one server holds, over a coordinator and a store in memory."""

    def __init__(self, cache: Path | None = None, store: ArtifactStore | None = None) -> None:
        self.coordinator, self.held = LateWatches(), HeldStore()
        self.store: ArtifactStore = store or self.held
        self.registry = Registry(self.coordinator)
        self.cache = cache
        self.queue = Queue()
        # Its seconds are tenths, so that a test waits no whole one until the queue is tried again.
        self.breaker = Breaker(clock=lambda: 10 * time.monotonic())
        self._runner = asyncio.Runner()
        self.restart()

    def restart(self) -> None:
        """A new process, not started yet."""
        self.seen: list[ServingSnapshot] = []
        loader = ModelLoader(self.registry, self.store)
        self.serving = ServingModel(self.registry, loader, self.seen.append, self.cache)
        floor = VersionFloor(self.serving)
        self.named = NamedVersions(self.serving, loader, max_pictures=100)
        local = LocalAnswerer(self.serving, floor)
        answerer = Failover(QueueAnswerer(self.queue, QUEUE_SECONDS), local, self.breaker)
        self.classifier = Classifier(
            answerer, self.named, self.serving, floor, max_in_batch=4, max_waiting=100
        )

    def publish(self, data: bytes | None = None, serve: bool = True, seed: int = 0) -> str:
        version = published(self.coordinator, self.store, data, seed)
        if serve:
            self.move(version)
        return version

    def move(self, version: str) -> None:
        """Moves the alias, whatever the version is worth."""
        move(self.coordinator, version)

    def restore(self, serving: models_pb2.Serving) -> None:
        """Has the alias be what it was, as after a restore from a backup."""
        stored = self.registry.alias().stored
        assert stored
        self.coordinator.commit(Replace("/serving", serving.SerializeToString(), stored.version))

    def serves(self, version: str) -> bool:
        model = self.serving.now().model
        return model is not None and model.version == version

    def run(self, scenario: Callable[[], Awaitable[T]]) -> T:
        """Runs a scenario beside the batcher."""

        async def beside() -> T:
            batching = asyncio.create_task(self.classifier.run())
            try:
                return await scenario()
            finally:
                batching.cancel()

        return self._runner.run(beside())

    def close(self) -> None:
        """Lets go of whatever hangs."""
        self.held.let_go.set()
        self.queue.let_go.set()
        self.serving.stop()
        self._runner.close()

    async def classify(self, version: str = "", minimum: str = "") -> Answer:
        return await self.classifier.classify(PICTURE, version, minimum, 5.0)

    def ask(self, version: str = "", minimum: str = "") -> Answer:
        return self.run(lambda: self.classify(version, minimum))
