"""Batches that form by themselves: what arrives while a batch is out is the next batch.

Callers that were just answered mostly ask again, so they get a moment to. A lone caller waits for nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import numpy as np
from opentelemetry.trace import Span

from digits.errors import DeadlinePassed, Overloaded
from digits.serving.answering import Answer
from digits.signals import traces
from digits.signals.context import REQUEST_ID, joined, of
from digits.signals.metrics import serving as measured
from digits.signals.metrics.model import BATCH_PICTURES

# Turns of the event loop that a batch may grow for.
_MAX_TURNS = 64
# Callers that were just answered have this many round trips of their batch to ask again, and these seconds at
# most; the last few are not waited for. Measured: docs/decisions/one-batch-in-flight.md.
_RETURN_ROUND_TRIPS = 2.0
_RETURN_SECONDS = 0.04
_RETURNING_SHARE = 0.8


# Takes pixels, uint8 (N, 784).
Classify = Callable[[np.ndarray], Awaitable[Answer]]


@dataclass
class _Waiting:
    pixels: np.ndarray
    since: float
    deadline: float
    request_id: str
    span: Span | None
    answer: asyncio.Future[Answer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Batcher:
    """Collects single calls into batches for `classify`, with one batch out at a time.

    One in flight was best in a prototype (docs/decisions/one-batch-in-flight.md). `coming` says how
    many pictures are being read and will soon be here.
    """

    def __init__(
        self, classify: Classify, max_in_batch: int, max_waiting: int, coming: Callable[[], int] = lambda: 0
    ) -> None:
        self._classify, self._coming = classify, coming
        self._max_in_batch, self._max_waiting = max_in_batch, max_waiting
        self._queue: deque[_Waiting] = deque()
        self._pictures = 0
        self._arrived = asyncio.Event()
        self._left = asyncio.Event()
        self._expected, self._expected_until = 0, 0.0
        self._all_returned = asyncio.Event()

    async def predict(
        self, pixels: np.ndarray, timeout_seconds: float | None, *, bulk: bool = False
    ) -> Answer:
        """Classifies pictures, uint8 (N, 784); raises Overloaded, DeadlinePassed and what `classify` raises.

        A caller that is cancelled while it waits is dropped from its batch. Those in `bulk` are not refused:
        they wait for room, of which they leave half to the others.
        """
        timeout = 60.0 if timeout_seconds is None else timeout_seconds
        deadline = time.monotonic() + timeout
        if bulk:
            await self._wait_for_room(len(pixels), timeout)
        elif self._pictures + len(pixels) > self._max_waiting:
            raise Overloaded(
                "too many pictures are waiting (DIGITS_CLASSIFY_MAX_WAITING)", retry_after_seconds=1.0
            )
        waiting = _Waiting(pixels, time.monotonic(), deadline, REQUEST_ID.get(), traces.current())
        self._queue.append(waiting)
        self._pictures += len(pixels)
        self._arrived.set()
        if self._pictures >= self._expected:
            self._all_returned.set()
        try:
            return await waiting.answer
        finally:
            waiting.answer.cancel()

    async def _wait_for_room(self, count: int, timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(timeout_seconds):
                while self._pictures and self._pictures + count > self._max_waiting // 2:
                    self._left.clear()
                    await self._left.wait()
        except TimeoutError as error:
            raise DeadlinePassed("there was no room before the call's deadline") from error

    def waiting_pictures(self) -> int:
        """How many pictures wait for their batch."""
        return self._pictures

    def oldest_wait_seconds(self) -> float:
        """How long the first of them has been waiting; 0 if none does. Any thread may ask."""
        try:
            return time.monotonic() - self._queue[0].since
        except IndexError:
            return 0.0

    async def run(self) -> None:
        """Sends batch after batch, for as long as the server runs."""
        while True:
            await self._arrived.wait()
            await self._let_callers_return()
            await self._let_more_arrive()
            batch = self._next_batch()
            self._left.set()
            if batch:
                sent = time.monotonic()
                _measure(batch, sent)
                await self._send(batch)
                round_trip_seconds = time.monotonic() - sent
                measured.BATCH_SECONDS.observe(round_trip_seconds)
                self._expect(sum(len(waiting.pixels) for waiting in batch), round_trip_seconds)
            if not self._queue:
                self._arrived.clear()

    def _expect(self, answered: int, round_trip_seconds: float) -> None:
        """Notes how many pictures most of the present callers will bring, and how long that may take."""
        about = answered + self._pictures + self._coming()
        self._expected = min(int(_RETURNING_SHARE * about), self._max_in_batch)
        patience = min(_RETURN_ROUND_TRIPS * round_trip_seconds, _RETURN_SECONDS)
        self._expected_until = time.monotonic() + patience

    async def _let_callers_return(self) -> None:
        """Waits until most of the callers that are about have asked: fuller batches, so fewer of them."""
        left = self._expected_until - time.monotonic()
        if self._pictures >= self._expected or left <= 0:
            return
        self._all_returned.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left):
                await self._all_returned.wait()

    async def _let_more_arrive(self) -> None:
        """Lets the event loop take in what the network already holds; a lone caller loses microseconds."""
        for _ in range(_MAX_TURNS):
            before = len(self._queue)
            await asyncio.sleep(0)
            if len(self._queue) == before or self._pictures >= self._max_in_batch:
                return

    def _next_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._queue:
            first = self._queue[0]
            if batch and size + len(first.pixels) > self._max_in_batch:
                break
            self._pictures -= len(first.pixels)
            waiting = self._queue.popleft()
            if waiting.answer.done():
                continue
            if waiting.deadline <= time.monotonic():
                waiting.answer.set_exception(DeadlinePassed("no worker was free before the call's deadline"))
                continue
            batch.append(waiting)
            size += len(waiting.pixels)
        return batch

    async def _send(self, batch: list[_Waiting]) -> None:
        request_id = joined([waiting.request_id for waiting in batch])
        callers = [waiting.span for waiting in batch]
        try:
            pixels = np.concatenate([waiting.pixels for waiting in batch])
            with of(request_id), traces.shared_span("batch", callers, pictures=len(pixels)):
                answer = await self._classify(pixels)
        except Exception as error:
            for waiting in batch:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
            return
        start = 0
        for waiting in batch:
            end = start + len(waiting.pixels)
            if not waiting.answer.done():
                waiting.answer.set_result(answer.part(start, end))
            start = end


def _measure(batch: list[_Waiting], now: float) -> None:
    BATCH_PICTURES.observe(sum(len(waiting.pixels) for waiting in batch))
    for waiting in batch:
        measured.QUEUE_WAIT_SECONDS.observe(now - waiting.since)
