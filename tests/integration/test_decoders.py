"""The processes that read pictures for a server: real ones, killed, stopped, silent, on both event loops."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import psutil
import pytest
import uvloop

from digits.errors import InvalidInput, Overloaded
from digits.imaging.candidates import candidates
from digits.settings import Settings
from digits.v1 import digit_service_pb2 as pb
from digits.v1.decoding_pb2 import PictureFile
from server.pictures import decoder, decoders
from server.pictures.decoders import Decoders
from server.pictures.pictures import Pictures
from tests.pictures import digits
from tests.unit.pictures import drawn, encoded
from tests.waiting import wait_until

Scenario = Callable[[], Coroutine[Any, Any, None]]

# A server that is killed as soon as its processes are there.
_KILLED = """
import asyncio, os, signal, uvloop
from server.pictures.decoders import Decoders

async def main():
    decoders = Decoders(2)
    while len(decoders.pids()) < 2:
        decoders.keep_up()
        await asyncio.sleep(0.01)
    print(*decoders.pids(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

uvloop.run(main())
"""
# Processes that are none of ours, in the place of one that is: what they say at their start, and then.
_READY = "import sys; sys.stdout.buffer.write(bytes(4)); sys.stdout.flush(); "
_RUBBISH = {
    "no message": _READY + "sys.stdin.buffer.read(4); print('no message of ours', flush=True)",
    "another's answer": _READY
    + "sys.stdin.buffer.read(4); sys.stdout.buffer.write(b'\\0\\0\\0\\4\\x18\\1\\x20\\0')",
    "a gigabyte": _READY
    + "sys.stdin.buffer.read(4); sys.stdout.buffer.write(b'\\x40\\0\\0\\0'); sys.stdin.read()",
    "nothing": "pass",
}


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, None]], None]:
    return request.param  # type: ignore[no-any-return]


@asynccontextmanager
async def started(count: int) -> AsyncIterator[Decoders]:
    """All of them are there."""
    found = Decoders(count)
    try:
        await all_there(found, count)
        yield found
    finally:
        await found.end()


async def all_there(found: Decoders, count: int) -> None:
    async with asyncio.timeout(30):
        while len(found.pids()) < count:
            found.keep_up()
            await asyncio.sleep(0.01)


def four() -> PictureFile:
    return PictureFile(content=encoded(drawn(4)), field="image", max_bytes=1 << 20)


async def reads(found: Decoders) -> bool:
    answer = await found.ask(four())
    return answer is not None and len(answer.readings) > 0


def test_a_picture_reads_the_same_in_a_process_as_in_a_thread(run: Callable[..., None]) -> None:
    digit = candidates(encoded(drawn(4)), 1 << 20, "image")[0].pixels
    files = [encoded(drawn(number)) for number in range(10)]
    files += [kind(digit, np.random.default_rng(1)) for kind in list(digits.KINDS.values())[:6]]

    async def scenario() -> None:
        pictures = Pictures(Settings(picture_processes=1))
        try:
            await all_there(pictures._decoders, 1)
            for file in files:
                found = await pictures.candidates(pb.ClassifyRequest(image=file))
                expected = candidates(file, 10 << 20, "image")
                said = [(one.box, one.prior, one.contrast, one.characters, one.alone) for one in found]
                assert said == [
                    (one.box, one.prior, one.contrast, one.characters, one.alone) for one in expected
                ]
                assert all((a.pixels == b.pixels).all() for a, b in zip(found, expected, strict=True))
            with pytest.raises(InvalidInput, match="image: is not a readable picture"):
                await pictures.candidates(pb.ClassifyRequest(image=b"no picture"))
            paper = encoded(np.full((3000, 3000), 255, np.uint8))
            with pytest.raises(InvalidInput, match="image: shows nothing but paper"):
                await pictures.candidates(pb.ClassifyRequest(image=paper))
        finally:
            await pictures.end()

    run(scenario())


def test_the_first_picture_waits_for_no_process(run: Callable[..., None]) -> None:
    async def scenario() -> None:
        pictures = Pictures(Settings(picture_processes=1))
        try:
            assert await pictures.candidates(pb.ClassifyRequest(image=encoded(drawn(4))))
            assert pictures._decoders.pids() == []
        finally:
            await pictures.end()

    run(scenario())


def test_a_picture_whose_process_is_killed_is_read_by_another_and_a_new_one_is_started(
    run: Callable[..., None],
) -> None:
    async def scenario() -> None:
        async with started(2) as found:
            stopped, killed = found.pids()
            for pid in (stopped, killed):
                os.kill(pid, signal.SIGSTOP)
            asked = [asyncio.create_task(reads(found)) for _ in range(6)]
            await asyncio.sleep(0)
            os.kill(killed, signal.SIGKILL)
            os.kill(stopped, signal.SIGCONT)
            assert all(await asyncio.gather(*asked))
            await all_there(found, 2)

    run(scenario())


def test_only_a_picture_that_two_processes_do_not_survive_is_refused(
    run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "_ANSWER_SECONDS", 0.2)

    async def scenario() -> None:
        async with started(1) as found:
            first = found.pids()[0]
            os.kill(first, signal.SIGSTOP)
            assert await reads(found)
            (second,) = found.pids()
            assert second != first
            # Or it answers before the loop has its first turn.
            os.kill(second, signal.SIGSTOP)
            stopping = asyncio.create_task(stop_each(found))
            with pytest.raises(InvalidInput, match="image: cannot be read"):
                await found.ask(four())
            stopping.cancel()
            monkeypatch.setattr(decoder, "_ANSWER_SECONDS", 20.0)
            await all_there(found, 1)
            assert await reads(found)

    async def stop_each(found: Decoders) -> None:
        while True:
            for pid in found.pids():
                os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(0)

    run(scenario())


def test_while_a_process_is_replaced_its_pictures_wait_and_come_to_no_thread(
    run: Callable[..., None],
) -> None:
    async def scenario() -> None:
        async with started(1) as found:
            os.kill(found.pids()[0], signal.SIGKILL)
            async with asyncio.timeout(10):
                while found.pids():
                    await asyncio.sleep(0)
            assert all(await asyncio.gather(*(reads(found) for _ in range(3))))

    run(scenario())


@pytest.mark.parametrize("what", _RUBBISH)
def test_what_answers_as_none_of_ours_would_is_ended_and_its_pictures_are_read_elsewhere(
    run: Callable[..., None], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "COMMAND", (sys.executable, "-c", _RUBBISH[what]))
    monkeypatch.setattr(decoder, "_ANSWER_SECONDS", 5.0)

    async def scenario() -> None:
        found = Decoders(1)
        found.keep_up()
        assert found._starting
        await found._starting
        if pids := found.pids():
            with pytest.raises(InvalidInput, match="image: cannot be read"):
                await found.ask(four())
            assert not set(pids) & set(found.pids())
        else:
            assert await found.ask(four()) is None
        await found.end()

    run(scenario())


def test_without_any_process_the_servers_threads_read(
    run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "COMMAND", ("/no/such/program",))

    async def scenario() -> None:
        pictures = Pictures(Settings(picture_processes=2))
        request = pb.ClassifyRequest(image=encoded(drawn(4)))
        assert await pictures.candidates(request)
        assert await pictures.candidates(request)
        await pictures.end()

    run(scenario())


def test_what_nobody_foresaw_costs_one_caller_its_answer_and_no_process() -> None:
    planted = "from server.pictures import messages, process; messages.candidates_of = None; process.main()"

    async def scenario() -> None:
        async with started(1) as found:
            (pid,) = found.pids()
            pictures = Pictures(Settings(picture_processes=1))
            pictures._decoders = found
            for _ in range(2):
                with pytest.raises(RuntimeError, match="TypeError"):
                    await pictures.candidates(pb.ClassifyRequest(image=encoded(drawn(4))))
            assert found.pids() == [pid]

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(decoder, "COMMAND", (sys.executable, "-c", planted))
        uvloop.run(scenario())


def test_more_pictures_than_can_wait_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoders, "_MAX_WAITING", 2)

    async def scenario() -> None:
        async with started(1) as found:
            os.kill(found.pids()[0], signal.SIGSTOP)
            asked = [asyncio.create_task(reads(found)) for _ in range(3)]
            await asyncio.sleep(0)
            with pytest.raises(Overloaded, match="too many pictures"):
                await reads(found)
            os.kill(found.pids()[0], signal.SIGCONT)
            assert all(await asyncio.gather(*asked))

    uvloop.run(scenario())


def test_what_a_terminal_or_a_supervisor_sends_to_all_does_not_end_a_process(
    run: Callable[..., None],
) -> None:
    async def scenario() -> None:
        async with started(1) as found:
            before = found.pids()
            for number in (signal.SIGINT, signal.SIGTERM):
                os.kill(before[0], number)
            assert await reads(found)
            assert found.pids() == before

    run(scenario())


def test_a_stop_during_a_start_leaves_nothing(run: Callable[..., None]) -> None:
    async def scenario() -> None:
        found = Decoders(2)
        found.keep_up()
        await asyncio.sleep(0.05)
        async with asyncio.timeout(20):
            await found.end()
        assert not [
            child for child in psutil.Process().children() if "server.pictures" in str(child.cmdline())
        ]

    run(scenario())


def test_a_server_that_is_killed_leaves_no_process_behind() -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED], capture_output=True, text=True, check=False)
    pids = [int(pid) for pid in killed.stdout.split()]
    assert len(pids) == 2, killed.stderr
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in pids), 10)
