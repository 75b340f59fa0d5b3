"""Asks a system that may hang: one thread each, and no second question while the first is not answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from digits.errors import DigitsError

Answer = TypeVar("Answer")


class Asking(Generic[Answer]):
    """Whoever asks while a question is out waits for the same answer, and nobody for longer than once."""

    def __init__(self, name: str, ask: Callable[[], Answer], patience_seconds: float = 2.0) -> None:
        self._ask, self._patience_seconds = ask, patience_seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"status of the {name}")
        self._asked: asyncio.Future[Answer] | None = None
        self._give_up_at = 0.0

    async def answer(self) -> tuple[Answer | None, str]:
        """The answer and "", or None and what is wrong, in a sentence."""
        loop = asyncio.get_running_loop()
        if self._asked is None or self._asked.done():
            self._asked = loop.run_in_executor(self._thread, self._ask)
            self._give_up_at = loop.time() + self._patience_seconds
        try:
            async with asyncio.timeout_at(self._give_up_at):
                return await asyncio.shield(self._asked), ""
        except TimeoutError:
            return None, f"has not answered for {self._patience_seconds:g} s"
        except DigitsError as error:
            return None, str(error)
