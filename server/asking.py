"""Asks a system that may hang: one thread each, and no second question while the first is not answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from digits.errors import DigitsError

Answer = TypeVar("Answer")

_PATIENCE_SECONDS = 2.0


class Asking(Generic[Answer]):
    """Whoever asks while a question is out waits for the same answer."""

    def __init__(self, name: str, ask: Callable[[], Answer]) -> None:
        self._ask = ask
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"status of the {name}")
        self._asked: asyncio.Future[Answer] | None = None

    async def answer(self) -> tuple[Answer | None, str]:
        """The answer and "", or None and what is wrong, in a sentence."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.get_running_loop().run_in_executor(self._thread, self._ask)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await asyncio.shield(self._asked), ""
        except TimeoutError:
            return None, f"has not answered for {_PATIENCE_SECONDS:g} s"
        except DigitsError as error:
            return None, str(error)
