"""Parquet files are batches like any others, whoever wrote them."""

from __future__ import annotations

import errno
import gc
import io
import itertools
from pathlib import Path
from typing import IO, Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from digits.datasets import findings
from digits.datasets.discovery import take_file
from digits.datasets.files import Bytes
from digits.datasets.intake import Intake
from digits.datasets.parquet_files import reader
from digits.datasets.parquet_files.ahead import Ahead
from digits.datasets.source import Source
from digits.errors import BatchUnavailable, InvalidInput
from tests import batches_of_people as people
from tests import parquet_batches as batches
from tests.opened import opened
from tests.parquet_thread import ReaderThread, read_in_threads
from tests.unit.dataset_bench import refusal

LIMIT = 10_000_000
AS_NPZ = opened(people.npz(**people.PARTS), LIMIT)
WITH_TEST = opened(people.npz(**people.PARTS, **people.TEST_PARTS), LIMIT)


@pytest.fixture(autouse=True)
def by_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    read_in_threads(monkeypatch)


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


def test_pictures_of_jpeg_are_nearly_the_same() -> None:
    batch = opened(batches.of([batches.picture(image, "JPEG") for image in people.X]), LIMIT)
    difference = batch.held_out().pixels.astype(int) - AS_NPZ.held_out().pixels
    assert np.abs(difference).mean() < 10


def test_the_shards_of_hugging_face_are_trained_on_or_held_out_by_their_names(tmp_path: Path) -> None:
    shards = {"train-00000-of-00001": batches.TRAIN, "test-00000-of-00001": batches.TEST}
    batch = opened(put(tmp_path, **shards), LIMIT)
    assert (batch.sha256(), batch.held_out().sha256()) == (WITH_TEST.sha256(), WITH_TEST.held_out().sha256())
    put(tmp_path, **{"validation-00000-of-00001": batches.VALIDATION})
    batch = opened(tmp_path, LIMIT)
    assert batch.held_out().sha256() == WITH_TEST.held_out().sha256()
    assert "validation-00000-of-00001.parquet: not used: the test images are held out" in batch.notes


@pytest.mark.parametrize("name", ["test0", "t10k", "mnist_test_2", "TEST"])
def test_a_number_may_stand_beside_the_word_that_says_what_a_file_is_for(tmp_path: Path, name: str) -> None:
    batch = opened(put(tmp_path, **{"train0": batches.TRAIN, name: batches.TEST}), LIMIT)
    assert batch.held_out().sha256() == WITH_TEST.held_out().sha256()


def test_the_short_ending_is_known_in_a_folder_too(tmp_path: Path) -> None:
    (tmp_path / "part.pq").write_bytes(batches.TRAIN)
    assert opened(tmp_path, LIMIT).sha256() == AS_NPZ.sha256()


def test_bytes_that_lie_together_are_read_once() -> None:
    content = bytes(range(256)) * 8192
    file = mock.Mock(wraps=io.BytesIO(content))
    ahead = Ahead(file)
    assert ahead.size() == len(content)
    for place in (5, 900, 4, 1_500_000, 2_097_151):
        assert ahead.read_at(place, 40) == content[place : place + 40]
    assert file.read.call_count == 4


def test_a_part_without_rows_is_passed_over(tmp_path: Path) -> None:
    empty = batches.of(batches.pictures([]), np.empty(0, np.int64))
    batch = opened(put(tmp_path, **{"part-00000": empty, "part-00001": batches.TRAIN}), LIMIT)
    assert "part-00000.parquet: not used: it has no rows" in batch.notes
    assert batch.sha256() == AS_NPZ.sha256()


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


def test_images_beyond_the_limit_are_refused_before_they_are_read() -> None:
    count = 20_000
    data = bytearray(batches.of([bytes(784)] * count, np.zeros(count, int)))
    data[4:400] = bytes(396)
    assert "the upload unpacks to 15,700,000 bytes; at most 10,000,000 are allowed" in refusal(bytes(data))


def test_a_damaged_page_is_refused_when_it_is_read() -> None:
    images = np.random.default_rng(0).integers(0, 256, (9000, 784), np.uint8)
    raw = [image.tobytes() for image in images]
    data = bytearray(batches.of(raw, np.arange(9000) % 10, use_dictionary=False, write_page_checksum=True))
    data[data.index(images[8000, :16].tobytes())] ^= 1
    batch = opened(bytes(data), LIMIT)
    with pytest.raises(InvalidInput, match="the upload cannot be read"):
        batch.sha256()


def test_one_process_reads_all_files_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[object] = []
    monkeypatch.setattr(reader, "started", lambda line: starts.append(line) or ReaderThread(line))
    parts = {
        f"part-{at:02}": batches.of(batches.pictures(people.X[at : at + 9]), people.Y[at : at + 9])
        for at in (0, 9, 18, 27, 36)
    }
    batch = opened(put(tmp_path, **parts), LIMIT)
    assert len(starts) == 1
    for _ in range(2):
        assert batch.held_out().sha256() == AS_NPZ.held_out().sha256()
    assert len(starts) == 2


def test_two_are_read_at_a_time_and_others_are_sent_away_at_once() -> None:
    batch = opened(batches.TRAIN, LIMIT)
    # An error that is still held holds its batch.
    gc.collect()
    shard = batch.train_subsets[0].shard
    started = [shard.chunks() for _ in range(3)]
    assert len(next(started[0])) == len(next(started[1])) == len(people.X)
    with pytest.raises(BatchUnavailable, match="other Parquet files are being read"):
        next(started[2])
    started[0].close()  # type: ignore[attr-defined]
    assert len(next(shard.chunks())) == len(people.X)


class Away(Bytes):
    """A file of which nothing can be read any more after so many reads."""

    reads = 0

    def open(self) -> IO[bytes]:
        return io.BufferedReader(_Away(self, io.BytesIO(self.content)), 16)  # type: ignore[arg-type]


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
    for reads in itertools.count(step=3):
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
    assert reads > 5
