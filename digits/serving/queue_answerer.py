"""Answers by a classify worker: one task for a batch."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from opentelemetry.trace import SpanKind

from digits.errors import QueueUnavailable
from digits.models.predictor import Prediction
from digits.ports import ClassifyQueue
from digits.serving.answering import Answer
from digits.signals import traces
from digits.signals.context import REQUEST_ID
from digits.v1 import digit_service_pb2 as pb
from digits.v1 import queue_pb2

# A broker that is there but silent holds its thread up for longer than a caller should wait.
_SILENCE_SECONDS = 0.5


class QueueAnswerer:
    """Asks the queue, one batch at a time."""

    def __init__(self, queue: ClassifyQueue, timeout_seconds: float) -> None:
        self._queue, self._timeout_seconds = queue, timeout_seconds
        # Celery's results want one thread.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="queue")
        self._asking: asyncio.Future[queue_pb2.ClassifyBatchResult] | None = None

    async def answer(self, pixels: np.ndarray, generation: int) -> Answer:
        """See Answerer. Whatever a worker could not do is QueueUnavailable: somebody else may."""
        if self._asking and not self._asking.done():
            raise QueueUnavailable("the task queue is silent")
        with traces.span("ask the queue", kind=SpanKind.PRODUCER):
            return await self._ask(pixels, generation)

    async def _ask(self, pixels: np.ndarray, generation: int) -> Answer:
        batch = queue_pb2.ClassifyBatch(
            pixels=pixels.tobytes(),
            minimum_generation=generation,
            request_id=REQUEST_ID.get(),
            traceparent=traces.headers().get(traces.TRACEPARENT, ""),
        )
        loop = asyncio.get_running_loop()
        self._asking = loop.run_in_executor(self._thread, self._queue.classify, batch, self._timeout_seconds)
        self._asking.add_done_callback(_heard)
        try:
            async with asyncio.timeout(self._timeout_seconds + _SILENCE_SECONDS):
                result = await asyncio.shield(self._asking)
        except TimeoutError as error:
            raise QueueUnavailable("the task queue is silent") from error
        if result.error:
            raise QueueUnavailable(result.error)
        return Answer(_prediction(result, len(pixels)), result.model_version, pb.WORKER, result.generation)


def _prediction(result: queue_pb2.ClassifyBatchResult, count: int) -> Prediction:
    none = np.frombuffer(result.not_a_digit, "<f4") if result.not_a_digit else np.zeros(count, np.float32)
    return Prediction(np.frombuffer(result.probabilities, "<f4").reshape(count, -1), none)


def _heard(asking: asyncio.Future[queue_pb2.ClassifyBatchResult]) -> None:
    """What comes after its time was told already, as silence."""
    if not asking.cancelled():
        asking.exception()
