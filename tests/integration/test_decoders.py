"""The processes that read pictures for a server: real ones, killed, stopped and left alone."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import numpy as np
import psutil
import pytest

from digits.errors import InvalidInput
from digits.imaging.candidates import candidates
from digits.settings import Settings
from digits.v1 import digit_service_pb2 as pb
from digits.v1.decoding_pb2 import PictureFile, PictureReadings
from server.decoder import DecoderGone
from server.decoders import Decoders
from server.pictures import Pictures
from tests.pictures import digits
from tests.unit.pictures import drawn, encoded
from tests.waiting import wait_until

FOUR = PictureFile(content=encoded(drawn(4)), field="image", max_bytes=1 << 20).SerializeToString()

# A server's start, which is killed.
_KILLED = """
import asyncio, os, signal
from server.decoders import Decoders

async def main():
    decoders = Decoders(2)
    while not decoders.ready() or len(decoders.pids()) < 2:
        await asyncio.sleep(0.01)
    print(*decoders.pids(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@asynccontextmanager
async def started(count: int) -> AsyncIterator[Decoders]:
    """All of them are there."""
    decoders = Decoders(count)
    try:
        await soon(lambda: decoders.ready() and len(decoders.pids()) == count)
        yield decoders
    finally:
        await decoders.end()


async def soon(true: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(scenario())  # type: ignore[arg-type]


def test_a_picture_reads_the_same_in_a_process_as_in_a_thread() -> None:
    digit = candidates(encoded(drawn(4)), 1 << 20, "image")[0].pixels
    files = [encoded(drawn(number)) for number in range(10)]
    files += [kind(digit, np.random.default_rng(1)) for kind in list(digits.KINDS.values())[:6]]

    async def scenario() -> None:
        pictures = Pictures(Settings(picture_processes=1))
        try:
            await soon(pictures._decoders.ready)
            for file in files:
                found = await pictures.candidates(pb.ClassifyRequest(image=file))
                expected = candidates(file, 10 << 20, "image")
                assert [(one.box, one.prior, one.alone) for one in found] == [
                    (one.box, one.prior, one.alone) for one in expected
                ]
                assert all((a.pixels == b.pixels).all() for a, b in zip(found, expected, strict=True))
            with pytest.raises(InvalidInput, match="image: is not a readable picture"):
                await pictures.candidates(pb.ClassifyRequest(image=b"no picture"))
            with pytest.raises(InvalidInput, match="image: shows nothing but paper"):
                await pictures.candidates(
                    pb.ClassifyRequest(image=encoded(np.full((3000, 3000), 255, np.uint8)))
                )
        finally:
            await pictures.end()

    run(scenario)


def test_the_first_picture_waits_for_no_process() -> None:
    async def scenario() -> None:
        pictures = Pictures(Settings(picture_processes=1))
        try:
            assert await pictures.candidates(pb.ClassifyRequest(image=encoded(drawn(4))))
            assert pictures._decoders.pids() == []
        finally:
            await pictures.end()

    run(scenario)


def test_a_picture_whose_process_is_killed_is_read_by_another_and_a_new_one_is_started() -> None:
    async def scenario() -> None:
        async with started(2) as decoders:
            pids = decoders.pids()
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            asked = [asyncio.create_task(decoders.ask(FOUR)) for _ in range(4)]
            await asyncio.sleep(0)
            os.kill(pids[0], signal.SIGKILL)
            os.kill(pids[1], signal.SIGCONT)
            answers = await asyncio.gather(*asked)
            assert all(PictureReadings.FromString(answer).readings for answer in answers)
            await soon(lambda: decoders.ready() and len(decoders.pids()) == 2)

    run(scenario)


def test_a_process_that_hangs_is_ended_and_its_picture_refused_only_if_the_next_hangs_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.decoder._ANSWER_SECONDS", 0.2)

    async def scenario() -> None:
        async with started(2) as decoders:
            first, second = decoders.pids()
            os.kill(first, signal.SIGSTOP)
            assert await decoders.ask(FOUR)
            await soon(lambda: decoders.ready() and len(decoders.pids()) == 2)
            for pid in decoders.pids():
                os.kill(pid, signal.SIGSTOP)
            with pytest.raises(DecoderGone, match="send the picture again"):
                await decoders.ask(FOUR)
            assert await decoders.ask(FOUR)
            assert not {first, second} & set(decoders.pids())

    run(scenario)


def test_what_a_terminal_or_a_supervisor_sends_to_all_does_not_end_a_picture() -> None:
    async def scenario() -> None:
        async with started(1) as decoders:
            for number in (signal.SIGINT, signal.SIGTERM):
                os.kill(decoders.pids()[0], number)
            assert await decoders.ask(FOUR)

    run(scenario)


def test_a_server_that_is_killed_leaves_no_process_behind() -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED], capture_output=True, text=True, check=False)
    pids = [int(pid) for pid in killed.stdout.split()]
    assert len(pids) == 2, killed.stderr
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in pids), 10)
