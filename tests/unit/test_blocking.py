"""Pools of threads: what hangs in one leaves the others alone, and none takes more than it can hold."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from digits.errors import Overloaded
from server.blocking import Pool, blocking, decoding, decoding_large, reading, storing

POOLS = {
    "pictures": decoding,
    "large pictures": decoding_large,
    "zookeeper": blocking,
    "store": storing,
    "data": reading,
}


@pytest.mark.parametrize("hanging", POOLS)
def test_calls_that_hang_in_one_pool_do_not_keep_another_waiting(hanging: str) -> None:
    let_go = threading.Event()

    async def scenario() -> None:
        hung = [asyncio.create_task(POOLS[hanging](let_go.wait, 30)) for _ in range(20)]
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(5):
                for name, run in POOLS.items():
                    if name != hanging:
                        assert await run(len, "four") == 4
        finally:
            let_go.set()
        await asyncio.gather(*hung)

    asyncio.run(scenario())


def test_a_pool_refuses_what_it_cannot_hold_and_a_caller_that_left_counts_until_its_call_is_over() -> None:
    let_go = threading.Event()
    pool = Pool("the moon", threads=1, max_waiting=1)

    async def until(true: Callable[[], Awaitable[object]]) -> None:
        async with asyncio.timeout(5):
            while True:
                try:
                    await true()
                except Overloaded:
                    await asyncio.sleep(0)
                else:
                    return

    async def scenario() -> None:
        left = asyncio.create_task(pool.run(let_go.wait, 30))
        stays = asyncio.create_task(pool.run(len, "four"))
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="the moon"):
            await pool.run(len, "four")
        let_go.set()
        assert await stays == 4
        await until(lambda: pool.run(len, "four"))

    asyncio.run(scenario())
