"""What a caller sent is held no longer than its call, and then given back."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from digits.errors import InvalidInput
from server import freed_memory
from server.error_mapping import ErrorMapping
from server.freed_memory import FreedMemory


class Request:
    """A message that can be watched."""


class Context:
    """Ends a call as grpc.aio does, by an error."""

    async def abort_with_status(self, status: object) -> None:
        raise RuntimeError(status)


class Servicer:
    """Refuses all."""

    async def unary(self, request: Request, context: Context) -> None:
        raise InvalidInput("image", "is none")

    async def streaming(self, request: Request, context: Context) -> AsyncIterator[None]:
        raise InvalidInput("image", "is none")
        yield


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Nothing is freed but by its last reference."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("method", ["unary", "streaming"])
def test_a_refused_request_is_not_held_by_the_abort_that_outlives_its_call(method: str) -> None:
    request = Request()
    watched = weakref.ref(request)
    call: Any = getattr(ErrorMapping(Servicer()), method)(request, Context())

    async def end() -> None:
        await (call if method == "unary" else anext(call))

    with pytest.raises(RuntimeError) as aborted:
        asyncio.run(end())
    del request
    assert aborted.tb and watched() is None


def test_many_large_messages_are_given_back_together(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[bool] = []
    monkeypatch.setattr(freed_memory, "_SOON_SECONDS", (0.0, 0.001))
    monkeypatch.setattr(freed_memory, "_trim", lambda: given.append(True))

    async def receive() -> None:
        freed = FreedMemory()
        for _ in range(100):
            freed.give_back_soon()
        while len(given) < 2:
            await asyncio.sleep(0)
        freed.give_back_soon()
        while len(given) < 4:
            await asyncio.sleep(0)

    asyncio.run(receive())
    assert len(given) == 4
