"""Pictures of several callers: a large one waits for its like alone, and what waits is bounded."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

from digits.errors import InvalidInput, Overloaded
from digits.settings import Settings
from digits.v1 import digit_service_pb2 as pb
from digits.v1.decoding_pb2 import PictureReadings
from server.blocking import decoding_large
from server.pictures.pictures import Pictures
from tests.unit.pictures import drawn, encoded

SMALL = pb.ClassifyRequest(image=encoded(drawn(4)))
# Nine megapixels of gray.
LARGE = pb.ClassifyRequest(image=encoded(np.full((3000, 3000), 255, np.uint8)))


def test_a_large_picture_waits_for_its_turn_and_a_small_one_for_nobody() -> None:
    let_go = threading.Event()

    async def scenario() -> None:
        pictures = Pictures(Settings(picture_processes=0))
        other = asyncio.create_task(decoding_large(let_go.wait, 30))
        large = asyncio.create_task(pictures.candidates(LARGE))
        try:
            async with asyncio.timeout(20):
                assert await pictures.candidates(SMALL)
                assert not large.done()
        finally:
            let_go.set()
        with pytest.raises(InvalidInput, match="nothing but paper"):
            await large
        await other

    asyncio.run(scenario())


def test_so_many_pictures_are_coming_as_were_read_lately_and_no_more_than_are_being_read() -> None:
    async def scenario() -> None:
        pictures = Pictures(Settings())
        answers: asyncio.Queue[PictureReadings] = asyncio.Queue()
        pictures._decoders.ask = lambda _: answers.get()  # type: ignore[method-assign,assignment]
        reading = [asyncio.create_task(pictures.candidates(SMALL)) for _ in range(5)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        # Those that take long keep nobody waiting.
        assert pictures.take_coming() == 0
        for _ in range(3):
            answers.put_nowait(PictureReadings(problem="none"))
        await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0.01)
        assert (pictures.take_coming(), pictures.take_coming()) == (2, 0)
        for task in reading:
            task.cancel()

    asyncio.run(scenario())


def test_no_more_bytes_of_pictures_wait_than_there_is_room_for() -> None:
    let_go = threading.Event()

    async def scenario() -> None:
        pictures = Pictures(Settings(picture_processes=0, max_image_bytes=len(LARGE.image)))
        other = asyncio.create_task(decoding_large(let_go.wait, 30))
        waiting = [asyncio.create_task(pictures.candidates(LARGE)) for _ in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="too many bytes of pictures"):
            await pictures.candidates(SMALL)
        # Whoever leaves makes no room: what came with the call is there until it was read.
        waiting.pop().cancel()
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="too many bytes of pictures"):
            await pictures.candidates(SMALL)
        let_go.set()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(end) for end in ends} == {InvalidInput}
        await other
        assert await pictures.candidates(SMALL)

    asyncio.run(scenario())
