"""From the queue to the local model, and back once the queue answers again."""

from __future__ import annotations

import asyncio
import logging

import numpy as np

from digits.errors import DigitsError
from digits.serving.answering import Answer, Answerer
from digits.serving.breaker import Breaker
from digits.signals.metrics import serving as measured

logger = logging.getLogger(__name__)


class Failover:
    """Asks the first; if that gives no answer, or its breaker is open, the second."""

    def __init__(self, first: Answerer, second: Answerer, breaker: Breaker) -> None:
        self._first, self._second, self._breaker = first, second, breaker
        self._probe: asyncio.Task[None] | None = None

    async def answer(self, pixels: np.ndarray, generation: int) -> Answer:
        """See Answerer; raises what the second does."""
        if self._breaker.is_open():
            if self._breaker.probe_due():
                self._probe = asyncio.create_task(self._try_first(pixels[:1], generation))
        elif answer := await self._by_first(pixels, generation):
            return answer
        return await self._second.answer(pixels, generation)

    async def _by_first(self, pixels: np.ndarray, generation: int) -> Answer | None:
        """The first's answer, or None; each batch counts once for the breaker, whatever went wrong."""
        try:
            answer = await self._first.answer(pixels, generation)
        except DigitsError as error:
            logger.warning("the local model answers: %s", error)
        except Exception:
            logger.exception("the local model answers, after what nobody foresaw")
        else:
            self._breaker.succeeded()
            return answer
        self._breaker.failed()
        measured.QUEUE_FAILURES.inc()
        return None

    async def _try_first(self, pixels: np.ndarray, generation: int) -> None:
        """With nobody waiting."""
        if await self._by_first(pixels, generation):
            logger.info("the queue answers again")
