"""Batches that come in pieces: what is kept of them, what is refused, and that nothing stays."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from digits.errors import DeadlinePassed, InvalidInput, Overloaded, StoreFull
from digits.v1 import digit_service_pb2 as pb
from server import uploads
from server.uploads import Uploads

HEADER = pb.TrainUploadRequest(header=pb.TrainRequest(recipe="fast"))
MAX_BYTES = 1000


def chunk(data: bytes) -> pb.TrainUploadRequest:
    return pb.TrainUploadRequest(chunk=data)


async def sent(*parts: pb.TrainUploadRequest) -> AsyncIterator[pb.TrainUploadRequest]:
    for part in parts:
        yield part


def received(folder: Path, *parts: pb.TrainUploadRequest) -> tuple[pb.TrainRequest, bytes, str]:
    """The header, the file and its checksum."""

    async def receive() -> tuple[pb.TrainRequest, bytes, str]:
        taken, stream = Uploads(folder, MAX_BYTES), sent(*parts)
        header = await taken.header(stream)
        async with taken.file(stream, "ann") as upload:
            assert isinstance(upload.content, Path)
            return header, upload.content.read_bytes(), upload.sha256

    try:
        return asyncio.run(receive())
    finally:
        assert not folder.exists() or not any(folder.iterdir())


def test_an_upload_is_a_file_while_it_is_looked_at_and_nothing_afterwards(tmp_path: Path) -> None:
    header, data, checksum = received(tmp_path / "in", HEADER, chunk(b"one"), chunk(b"two"))
    assert (header.recipe, data) == ("fast", b"onetwo")
    assert checksum == hashlib.sha256(b"onetwo").hexdigest()


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ([], "must be the first message"),
        ([chunk(b"x")], "must be the first message"),
        ([HEADER, HEADER], "must come once"),
        ([HEADER, pb.TrainUploadRequest()], "must come once"),
        ([HEADER, chunk(bytes(600)), chunk(bytes(600))], "1,000 are allowed .DIGITS_MAX_UPLOAD_BYTES.: put"),
    ],
)
def test_an_upload_that_is_none_is_refused_and_leaves_nothing(
    tmp_path: Path, parts: list[pb.TrainUploadRequest], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        received(tmp_path / "in", *parts)


def test_an_upload_that_stops_coming_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_PATIENCE_SECONDS", 0.01)

    async def stuck() -> AsyncIterator[pb.TrainUploadRequest]:
        yield HEADER
        await asyncio.Event().wait()

    async def receive() -> None:
        taken, stream = Uploads(tmp_path / "in", MAX_BYTES), stuck()
        await taken.header(stream)
        async with taken.file(stream, "ann"):
            raise AssertionError("it came to its end")

    with pytest.raises(DeadlinePassed, match="nothing of the upload came"):
        asyncio.run(receive())
    assert not any((tmp_path / "in").iterdir())


def test_an_upload_that_drips_ends_however_often_something_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "_PATIENCE_SECONDS", 0.5)

    async def dripping() -> AsyncIterator[pb.TrainUploadRequest]:
        yield HEADER
        while True:
            await asyncio.sleep(0.01)
            yield chunk(b"")

    async def receive() -> None:
        taken, stream = Uploads(tmp_path / "in", MAX_BYTES), dripping()
        await taken.header(stream)
        async with taken.file(stream, "ann"):
            pass

    with pytest.raises(DeadlinePassed, match="too slow"):
        asyncio.run(asyncio.wait_for(receive(), 5))


def test_one_caller_leaves_room_for_the_uploads_of_others(tmp_path: Path) -> None:
    async def receive() -> None:
        taken = Uploads(tmp_path / "in", MAX_BYTES)
        async with AsyncExitStack() as open_:
            for _ in range(12):
                await open_.enter_async_context(taken.file(sent(chunk(b"x")), "ann"))
            with pytest.raises(Overloaded, match="12 uploads of ann come in already"):
                await open_.enter_async_context(taken.file(sent(chunk(b"x")), "ann"))
            for name in ("ben", "cy", "di", "ed"):
                await open_.enter_async_context(taken.file(sent(chunk(b"x")), name))
            with pytest.raises(Overloaded, match="16 uploads come in already"):
                await open_.enter_async_context(taken.file(sent(chunk(b"x")), "fay"))
        async with taken.file(sent(chunk(b"x")), "ann") as upload:
            assert upload

    asyncio.run(receive())


def test_a_disk_that_takes_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    with pytest.raises(StoreFull, match="cannot keep the upload"):
        received(tmp_path / "a file" / "in", HEADER, chunk(b"x"))


def test_what_a_killed_server_left_goes_with_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "half").write_bytes(b"half")
    Uploads(tmp_path / "in", MAX_BYTES)
    assert not (tmp_path / "in").exists()
