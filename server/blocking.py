"""A few threads for what would hold up the event loop: pictures, ZooKeeper, files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# Two cores decode pictures as fast as two threads; the others wait for ZooKeeper.
_THREADS = ThreadPoolExecutor(6, thread_name_prefix="blocking")


async def blocking(call: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
    """Runs a blocking call on one of the threads."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_THREADS, lambda: call(*arguments, **options))
