"""Threads for what would hold up the event loop, apart by what they wait for: none can starve another."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from digits.errors import Overloaded

P = ParamSpec("P")
R = TypeVar("R")


class Pool:
    """A bounded number of threads, and of calls that wait for one."""

    def __init__(self, name: str, threads: int, max_waiting: int) -> None:
        self._name, self._limit = name, threads + max_waiting
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._calls = 0

    async def run(self, call: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
        """Runs a blocking call on one of the threads; raises Overloaded when too many wait.

        A caller that leaves does not end its call, which counts until it is over.
        """
        if self._calls >= self._limit:
            raise Overloaded(f"too many calls wait for {self._name}", retry_after_seconds=1.0)
        self._calls += 1
        # With the name that the call has in logs, and its span. No lambda: an error's frames would keep it,
        # and with it what may be 60 MB of images.
        doing = partial(contextvars.copy_context().run, call, *arguments, **options)
        running = asyncio.get_running_loop().run_in_executor(self._threads, doing)
        running.add_done_callback(self._over)
        return await asyncio.shield(running)

    def _over(self, running: asyncio.Future[R]) -> None:
        self._calls -= 1
        if not running.cancelled():
            running.exception()


# What server/pictures/ has no process for. Two cores decode them as fast as two threads.
decoding = Pool("pictures", 2, 1024).run
# One at a time: each may take 100 MB.
decoding_large = Pool("large pictures", 1, 64).run
# ZooKeeper answers within milliseconds, or after five seconds not at all.
blocking = Pool("ZooKeeper", 8, 1024).run
# Each of these may be a network mount that hangs.
storing = Pool("the store", 4, 64).run
reading = Pool("the data folder", 4, 1024).run
# Seconds of one processor for each: one at a time leaves the others to whoever classifies.
comparing = Pool("comparisons", 1, 4).run
