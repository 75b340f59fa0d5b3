"""Parquet files are batches like any others, whoever wrote them and whatever they say of themselves."""

from __future__ import annotations

import errno
import io
import itertools
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from digits.datasets import findings
from digits.datasets.discovery import take_file
from digits.datasets.files import Bytes
from digits.datasets.intake import Intake
from digits.datasets.parquet_files import footer, leaves, levels
from digits.datasets.source import Source
from digits.errors import BatchUnavailable, InvalidInput
from tests import batches_of_people as people
from tests import parquet_batches as batches
from tests.opened import opened
from tests.unit.dataset_bench import refusal

LIMIT = 10_000_000
AS_NPZ = opened(people.npz(**people.PARTS), LIMIT)
WITH_TEST = opened(people.npz(**people.PARTS, **people.TEST_PARTS), LIMIT)


def put(folder: Path, **files: bytes) -> Path:
    for name, data in files.items():
        (folder / f"{name}.parquet").write_bytes(data)
    return folder


@pytest.mark.parametrize("name", batches.ACCEPTED)
def test_what_people_write_is_the_same_batch_and_said(name: str) -> None:
    data, says = batches.ACCEPTED[name]
    batch = opened(data, LIMIT)
    assert says in "\n".join(batch.notes)
    assert batch.sha256() == AS_NPZ.sha256()
    assert batch.held_out().sha256() == AS_NPZ.held_out().sha256()


@pytest.mark.parametrize("name", batches.REFUSED)
def test_what_is_wrong_is_said_with_its_row(name: str) -> None:
    data, says = batches.REFUSED[name]
    problem = refusal(data)
    assert [said for said in says if said not in problem] == [], problem


def test_the_shards_of_hugging_face_are_trained_on_or_held_out_by_their_names(tmp_path: Path) -> None:
    shards = {"train-00000-of-00001": batches.TRAIN, "test-00000-of-00001": batches.TEST}
    batch = opened(put(tmp_path, **shards), LIMIT)
    assert (batch.sha256(), batch.held_out().sha256()) == (WITH_TEST.sha256(), WITH_TEST.held_out().sha256())
    put(tmp_path, **{"validation-00000-of-00001": batches.VALIDATION})
    batch = opened(tmp_path, LIMIT)
    assert batch.held_out().sha256() == WITH_TEST.held_out().sha256()
    assert "validation-00000-of-00001.parquet: not used: the test images are held out" in batch.notes


def test_a_file_that_has_no_labels_is_not_used_if_it_is_there_to_be_tested_on(tmp_path: Path) -> None:
    unlabelled = batches.written(batches.wide(batches.PIXELS))
    batch = opened(put(tmp_path, train=batches.TRAIN, test=unlabelled), LIMIT)
    assert "test.parquet: not used: it has no label column" in batch.notes
    assert batch.sha256() == AS_NPZ.sha256()
    assert "in b.parquet there is no column of labels" in refusal(put(tmp_path, b=unlabelled))


def test_each_of_several_damaged_shards_is_named(tmp_path: Path) -> None:
    unreadable = people.HTML, batches.TRAIN[:200], people.npz(**people.PARTS)
    problem = refusal(put(tmp_path, **dict(zip("abc", unreadable, strict=True)), d=batches.TRAIN))
    assert "a.parquet cannot be read: it is not Parquet, but an HTML page" in problem
    assert "b.parquet cannot be read: it is cut off" in problem
    assert "c.parquet cannot be read: it is not Parquet, but a zip" in problem


def test_the_line_that_is_said_to_be_right_makes_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(findings.PARQUET.partition(", x uint8")[0], {"pandas": pd, "x": people.X, "y": people.Y})  # noqa: S102
    assert opened(tmp_path / "batch.parquet", LIMIT).sha256() == AS_NPZ.sha256()


def test_images_beyond_the_limit_are_refused_by_the_footer_alone() -> None:
    count = 20_000
    data = bytearray(batches.of(pa.array([bytes(784)] * count, pa.binary(784)), np.zeros(count, int)))
    data[4:400] = bytes(396)
    assert "the upload unpacks to 15,700,000 bytes; at most 10,000,000 are allowed" in refusal(bytes(data))


def test_a_few_bytes_that_say_they_are_many_images_are_refused() -> None:
    count = 50_000
    data = batches.of(pa.array([bytes(784)] * count, pa.binary(784)), np.zeros(count, int))
    assert "times as many are allowed" in refusal(data, 1 << 30)


def larger_than_said(size: int) -> bytes:
    """A picture in one page, of which the footer says that it has 57 bytes."""
    data = batches.of([bytes(size)], [1], use_dictionary=False, compression="zstd", write_statistics=False)
    chunk = batches.parquet.ParquetFile(io.BytesIO(data)).metadata.row_group(0).column(0)
    said = zigzag(chunk.total_uncompressed_size)
    assert said in data
    return data.replace(said, b"\xf2\x80\x80\x00"[-len(said) :])


def zigzag(value: int) -> bytes:
    """As Thrift's compact protocol has it."""
    value, found = 2 * value, b""
    while value > 127:
        found, value = found + bytes([value & 127 | 128]), value >> 7
    return found + bytes([value])


def test_a_page_that_unpacks_to_more_than_is_said_is_refused_before_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leaves, "MAX_GROUP_BYTES", 1 << 20)
    data = larger_than_said(3 << 20)
    metadata = batches.parquet.ParquetFile(io.BytesIO(data)).metadata
    assert metadata.row_group(0).column(0).total_uncompressed_size == 57
    before = pa.default_memory_pool().max_memory()
    assert "column image in row group 0: its pages unpack to more than its footer says" in refusal(data)
    assert pa.default_memory_pool().max_memory() <= max(before, 2 << 20)


@pytest.mark.parametrize(
    "changes",
    [
        {b"label": b"lab\xff\xfe"},
        {b"image": b"x" * 5},
        {b"label": b"1" * 5},
    ],
    ids=["no text", "another name", "a number"],
)
def test_names_that_are_none_are_refused(changes: dict[bytes, bytes]) -> None:
    data = batches.of([bytes(784)] * 20, np.arange(20) % 10, store_schema=False)
    for name, other in changes.items():
        data = data.replace(name, other)
    assert "the upload" in refusal(data)


def test_a_name_of_thousands_of_digits_is_a_name_of_no_pixel() -> None:
    table = pa.table({"1" * 5000: [1, 2], "label": [0, 1]})
    assert "there is no column of images; allowed are" in refusal(batches.written(table))


def test_columns_that_are_nested_without_end_are_refused() -> None:
    nested = pa.array([[1], [2]])
    for _ in range(20):
        nested = pa.StructArray.from_arrays([nested], ["image"])
    assert "the upload" in refusal(batches.written(pa.table({"image": nested, "label": [0, 1]})))


@pytest.mark.parametrize("number", [1 << 31, 1 << 40, 1 << 62, (1 << 64) - 1, 1 << 68])
def test_no_number_of_a_footer_is_too_large_to_be_refused(number: int) -> None:
    data = batches.of([bytes(784)] * 20, np.arange(20) % 10, store_schema=False, write_statistics=False)
    length = int.from_bytes(data[-8:-4], "little")
    pages, foot = data[: -8 - length], data[-8 - length : -8]
    large = zigzag(number)
    for at in range(length - 1):
        changed = foot[:at] + large + foot[at + 1 :]
        with suppress(InvalidInput):
            opened(pages + changed + len(changed).to_bytes(4, "little") + b"PAR1", LIMIT)


@pytest.mark.parametrize("bit", [1, 16])
def test_no_byte_of_a_footer_takes_the_process_down(bit: int) -> None:
    """Pyarrow's own objects for a footer end the process for some of these: it is not asked for them."""
    data = batches.of(batches.FLAT[:11].tolist(), batches.Y[:11], store_schema=False, compression="none")
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    read = 0
    for at in range(start, len(data) - 8):
        changed = bytearray(data)
        changed[at] ^= bit
        with suppress(InvalidInput):
            read += opened(bytes(changed), LIMIT).train_count
    assert 0 < read < 10 * (len(data) - start)


def test_row_groups_too_large_for_memory_are_refused_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leaves, "MAX_GROUP_BYTES", 20_000)
    assert "row group 0 unpacks to 276,487 bytes; at most 20,000 are allowed" in refusal(
        batches.of(batches.FLAT.tolist(), use_dictionary=False)
    )


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
def test_a_row_that_goes_on_for_ever_is_refused_before_it_is_read(version: str, codec: str) -> None:
    rows, last = 40, 3_000_000
    ends = [0, *range(784, 784 * rows, 784), 784 * (rows - 1) + last]
    images = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), np.zeros(ends[-1]))
    data = batches.of(images, np.arange(rows) % 10, data_page_version=version, compression=codec)
    assert len(data) < 50_000
    before = pa.default_memory_pool().max_memory()
    assert "column image.list.element in row group 0: it has a row of more than 4,096" in refusal(data)
    assert pa.default_memory_pool().max_memory() <= max(before, 8 << 20)


@pytest.mark.parametrize(("shape", "depth"), [((784,), 1), ((28, 28), 2), ((28, 28, 1), 3), ((4, 7, 28), 3)])
@pytest.mark.parametrize("page", [200, 1 << 20])
def test_rows_are_measured_through_pages(shape: tuple[int, ...], depth: int, page: int) -> None:
    row = np.arange(784).reshape(shape).tolist()
    longest = [np.zeros((6, *shape[1:])).tolist() for _ in range(3)] + [row]
    for rows, right in ((longest, True), ([row * 5, *longest], True), ([*longest, row * 6], False)):
        data = batches.of(rows, range(len(rows)), data_page_size=page, compression="none")
        file = batches.parquet.ParquetFile(io.BytesIO(data))
        assert file.schema.column(0).max_repetition_level == depth
        read = leaves.Leaves.below(footer.Footer.of(io.BytesIO(data)), file, ["image"])
        if right:
            read.check_pages(io.BytesIO(data), 0)
        else:
            with pytest.raises(ValueError, match="a row of more than 4,096 values"):
                read.check_pages(io.BytesIO(data), 0)


def test_levels_that_take_for_ever_to_look_at_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "MAX_RUNS", 100)
    levels.Rows(1).add(bytes([2, 0]) * 100, 100)
    with pytest.raises(ValueError, match="write smaller row groups"):
        levels.Rows(1).add(bytes([2, 0]) * 101, 101)
    with pytest.raises(ValueError, match="its levels are damaged"):
        levels.Rows(1).add(bytes(100), 1)


def test_a_multitude_of_small_pages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaves, "MAX_GROUP_BYTES", 800_000)
    rows = [image.tobytes() for image in batches.FLAT] * 20
    sizes = {"use_dictionary": False, "write_batch_size": 1, "write_statistics": False}
    assert opened(batches.of(rows, np.arange(880) % 10, **sizes), LIMIT).train_count == 800
    many = batches.of(rows, np.arange(880) % 10, data_page_size=1, **sizes)
    assert "its pages unpack to more than its footer says" in refusal(many)


def test_a_picture_that_is_there_once_for_many_rows_is_in_memory_once() -> None:
    large = batches.picture(people.X[0]) + bytes(1 << 20)
    images = pa.DictionaryArray.from_arrays(np.zeros(60, np.int8), [large])
    data = batches.of(images, np.arange(60) % 10, dictionary_pagesize_limit=2 << 20, store_schema=False)
    assert len(data) < 100_000
    before = pa.default_memory_pool().max_memory()
    assert "a picture at most 16,384" in refusal(data)
    assert pa.default_memory_pool().max_memory() <= max(before, 20 << 20)


def test_pixels_are_read_in_chunks_whatever_the_file_holds() -> None:
    count = 2600
    images = np.random.default_rng(0).integers(0, 256, count * 784)
    data = batches.of(pa.FixedSizeListArray.from_arrays(images, 784), np.arange(count) % 10)
    intake = Intake("images_batch", LIMIT)
    take_file(Source(Bytes(data), "the upload", "images_batch"), intake)
    ((shard,), _) = intake.shards()
    before = pa.total_allocated_bytes()
    held = [pa.total_allocated_bytes() - before for _ in shard.chunks()]
    assert len(held) == 6
    assert max(held) < 10 << 20 < images.nbytes


class Away(Bytes):
    """A file of which nothing can be read any more after so many reads."""

    reads = 0

    def open(self) -> IO[bytes]:
        file = io.BytesIO(self.content)
        return io.BufferedReader(_Away(self, file), 16)  # type: ignore[arg-type]


class _Away(io.RawIOBase):
    def __init__(self, away: Away, file: io.BytesIO) -> None:
        self._away, self.seek = away, file.seek  # type: ignore[method-assign]
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._away.__dict__["reads"] = self._away.reads - 1
        if self._away.reads < 0:
            raise OSError(errno.EIO, "it does not answer")
        return self._file.readinto(buffer)


def test_a_file_that_is_away_for_a_while_is_never_called_damaged() -> None:
    said = set()
    for reads in itertools.count():
        intake, file = Intake("images_batch", LIMIT), Away(batches.TRAIN)
        file.__dict__["reads"] = reads
        try:
            take_file(Source(file, "the upload", "images_batch"), intake)
        except BatchUnavailable as error:
            said.add(str(error))
        else:
            break
    assert said == {"the upload cannot be read at the moment: it does not answer"}
    assert not intake.findings.are_faulty()
    assert reads > 10


def test_a_damaged_page_is_refused_when_it_is_read() -> None:
    images = np.random.default_rng(0).integers(0, 256, (9000, 784), np.uint8)
    data = bytearray(
        batches.of(
            pa.array([image.tobytes() for image in images], pa.binary(784)),
            np.arange(9000) % 10,
            use_dictionary=False,
            write_page_checksum=True,
        )
    )
    data[data.index(images[8000, :16].tobytes())] ^= 1
    batch = opened(bytes(data), LIMIT)
    with pytest.raises(InvalidInput, match="the upload cannot be read"):
        batch.sha256()
