"""Who answers a batch: a worker by the queue, or in extreme cases the server's local model."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from google.rpc import code_pb2

from digits.errors import Corrupt, DigitsError, NotFound, NotReady, QueueUnavailable
from digits.ports import ClassifyQueue
from digits.serving.serving_model import ServingModel
from digits.v1 import digit_service_pb2 as pb
from digits.v1 import queue_pb2
from server.batcher import Answer
from server.breaker import Breaker

logger = logging.getLogger(__name__)

_SILENCE_SECONDS = 0.5


class Classifier:
    """Asks the queue first; where it is late or its breaker is open, asks the local model.

    Versions never go backwards: a worker is told the newest generation that was answered, and the local model
    answers only once it has that generation too.
    """

    def __init__(self, queue: ClassifyQueue, copy: ServingModel, queue_timeout_seconds: float) -> None:
        self._queue, self._copy, self._timeout = queue, copy, queue_timeout_seconds
        self._breaker = Breaker()
        self._newest_generation = 0
        # One thread each: Celery's results want one, and ONNX Runtime gains nothing from more on few cores.
        self._queue_thread = ThreadPoolExecutor(1, thread_name_prefix="queue")
        self._copy_thread = ThreadPoolExecutor(1, thread_name_prefix="local model")

    async def classify(self, pixels: np.ndarray, version: str, seconds: float) -> Answer:
        """Classifies pictures, uint8 (N, 784); raises NotReady, NotFound, Corrupt, QueueUnavailable."""
        loop = asyncio.get_running_loop()
        if self._copy.nothing_serves():
            await loop.run_in_executor(self._copy_thread, self._copy.catch_up, self._timeout)
        if self._copy.nothing_serves():
            raise NotReady("no model serves yet: train one first")
        if self._breaker.is_open():
            if self._breaker.probe_due():
                loop.run_in_executor(self._queue_thread, self._probe, pixels[:1])
            return await loop.run_in_executor(self._copy_thread, self._ask_copy, pixels, version)
        timeout = min(seconds, self._timeout)
        try:
            # A broker that is there but silent holds its thread up for longer than a caller should wait.
            async with asyncio.timeout(timeout + _SILENCE_SECONDS):
                return await loop.run_in_executor(
                    self._queue_thread, self._ask_queue, pixels, version, timeout
                )
        except TimeoutError:
            self._breaker.failed()
            logger.warning("the local model answers: the task queue is silent")
        except QueueUnavailable as error:
            logger.warning("the local model answers: %s", error)
        return await loop.run_in_executor(self._copy_thread, self._ask_copy, pixels, version)

    def _ask_queue(self, pixels: np.ndarray, version: str, timeout_seconds: float) -> Answer:
        generation = max(self._newest_generation, self._copy.now().generation)
        batch = queue_pb2.ClassifyBatch(
            pixels=pixels.tobytes(), model_version=version, minimum_generation=generation
        )
        try:
            result = self._queue.classify(batch, timeout_seconds)
        except QueueUnavailable:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        if result.error:
            raise _error_of(result, version)
        self._newest_generation = max(self._newest_generation, result.generation)
        probabilities = np.frombuffer(result.probabilities, "<f4").reshape(len(pixels), -1)
        return Answer(probabilities, result.model_version, pb.WORKER)

    def _ask_copy(self, pixels: np.ndarray, version: str) -> Answer:
        if version:
            model = self._copy.version(version)
        else:
            serving = self._copy.at_least(self._newest_generation, self._timeout)
            model = serving.loaded()
            self._newest_generation = max(self._newest_generation, serving.generation)
        return Answer(model.predictor.predict(pixels), model.version, pb.CACHED_COPY)

    def _probe(self, pixels: np.ndarray) -> None:
        try:
            self._ask_queue(pixels, "", self._timeout)
            logger.info("the queue answers again")
        except DigitsError as error:
            logger.info("the queue does not answer yet: %s", error)


def _error_of(result: queue_pb2.ClassifyBatchResult, version: str) -> DigitsError:
    """A worker's error. One that its copy lags or is damaged is no answer: the local model may have one."""
    if result.error_code == code_pb2.NOT_FOUND:
        return NotFound("model version", version)
    if version and result.error_code == code_pb2.DATA_LOSS:
        return Corrupt(result.error)
    return QueueUnavailable(result.error)
