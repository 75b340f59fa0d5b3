"""Bulk streams leave room for single callers."""

from __future__ import annotations

import asyncio

import pytest

from digits.errors import DeadlinePassed, Overloaded
from digits.v1 import digit_service_pb2 as pb
from server.bulk import pieces
from tests.unit.test_batcher import Recorder, batching, pictures

PIXELS, FILE = pb.ClassifyRequest(pixels=b"p"), pb.ClassifyRequest(image=b"i")


@pytest.mark.parametrize(
    ("requests", "sizes"),
    [
        ([PIXELS], [1]),
        ([PIXELS] * 8, [8]),
        ([PIXELS] * 20, [8, 8, 4]),
        ([FILE] * 5, [2, 2, 1]),
        ([PIXELS, FILE, FILE, PIXELS], [2, 2]),
    ],
)
def test_a_message_is_cut_into_pieces_in_its_order(
    requests: list[pb.ClassifyRequest], sizes: list[int]
) -> None:
    found = list(pieces(requests, 8))
    assert [len(piece) for piece in found] == sizes
    assert [request for piece in found for request in piece] == requests


def test_bulk_waits_for_room_and_leaves_half_of_it_to_single_callers() -> None:
    async def scenario() -> None:
        recorder = Recorder()
        recorder.free.clear()
        batcher = await batching(recorder, max_in_batch=4, max_waiting=20)
        bulk = [asyncio.create_task(batcher.predict(pictures(4), None, bulk=True)) for _ in range(9)]
        while not recorder.sizes:
            await asyncio.sleep(0)
        # Ten of the twenty places are left, whatever the bulk would take.
        single = [asyncio.create_task(batcher.predict(pictures(1), None)) for _ in range(10)]
        await asyncio.sleep(0)
        assert not any(call.done() for call in single)
        recorder.free.set()
        await asyncio.gather(*single, *bulk)

    asyncio.run(scenario())


def test_bulk_that_finds_no_room_in_time_says_so() -> None:
    async def scenario() -> None:
        recorder = Recorder()
        recorder.free.clear()
        batcher = await batching(recorder, max_in_batch=4, max_waiting=8)
        calls = [asyncio.create_task(batcher.predict(pictures(4), None)) for _ in range(2)]
        while not recorder.sizes:
            await asyncio.sleep(0)
        with pytest.raises(DeadlinePassed, match="no room"):
            await batcher.predict(pictures(4), 0.01, bulk=True)
        with pytest.raises(Overloaded, match="DIGITS_CLASSIFY_MAX_WAITING"):
            await batcher.predict(pictures(5), 0.01)
        recorder.free.set()
        await asyncio.gather(*calls)

    asyncio.run(scenario())
