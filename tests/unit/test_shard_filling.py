"""What one of Spark's tasks does with a shard, and who runs them: over a log in memory, without a cluster."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from digits.adapters.memory import MemoryLog
from digits.datasets.dataset import Dataset, ShardRead
from digits.errors import (
    Cancelled,
    DigitsError,
    InvalidInput,
    LogLost,
    LogUnavailable,
    NotFound,
    Overloaded,
)
from digits.training import blocks
from digits.training.ingest import Ingest
from digits.training.lanes import Lanes, lanes
from digits.training.window import IngestWindow
from spark_jobs.shard_filling import ShardFilling, ShardWork
from tests.opened import opened
from tests.simulation.spark import numbered
from tests.waiting import wait_until

SHARDS, IMAGES_OF_SHARD, PARTITIONS, SIZE = 9, 300, 2, 64


class Tasks:
    """Stands for Spark: runs the tasks one after the other, and says when some begin."""

    def __init__(self, begin: Callable[[], None] = lambda: None) -> None:
        self.sparkContext, self._begin = self, begin
        self.cancelled, self.done = 0, list[ShardWork]()

    def setJobGroup(self, *_: object, **__: object) -> None:
        pass

    def cancelJobGroup(self, _: str) -> None:
        self.cancelled += 1

    def parallelize(self, work: Sequence[ShardWork], _: int) -> Any:
        def collected(do: Callable[[ShardWork], object]) -> list[object]:
            self._begin()
            self.done += work
            return [do(each) for each in work]

        return SimpleNamespace(map=lambda do: SimpleNamespace(collect=lambda: collected(do)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for shard in range(SHARDS):
        images = numbered(shard * IMAGES_OF_SHARD, (shard + 1) * IMAGES_OF_SHARD)
        held_out = numbered(60_000 + 2 * shard, 60_002 + 2 * shard)
        np.savez(
            tmp_path / f"part-{shard:02}.npz",
            x_train=images.pixels,
            y_train=images.labels,
            x_test=held_out.pixels,
            y_test=held_out.labels,
        )
    return tmp_path


@pytest.fixture
def dataset(folder: Path) -> Dataset:
    return opened(folder, 1 << 30)


@pytest.fixture
def log() -> MemoryLog:
    made = MemoryLog()
    made.create("job", PARTITIONS)
    return made


def dealt(dataset: Dataset) -> Lanes:
    return lanes(list(map(len, dataset.train_subsets)), PARTITIONS, SIZE, seed=3)


def filling(dataset: Dataset, log: MemoryLog, tasks: Tasks) -> ShardFilling:
    return ShardFilling(
        spark=tasks,  # type: ignore[arg-type]
        log=log,
        job_id="job",
        dataset=dataset,
        lanes=dealt(dataset),
        images_per_block=SIZE,
        seed=3,
    )


def ingested(
    filling: ShardFilling, window: IngestWindow, changed: Callable[[], None] = lambda: None
) -> Ingest:
    """An ingest that has ended, whatever ended it."""
    with Ingest("job", filling, window, changed) as ingest:
        ingest._thread.join()
    return ingest


def works(dataset: Dataset, log: MemoryLog) -> Iterator[ShardWork]:
    for stretches in dealt(dataset).rounds():
        for stretch in stretches:
            yield ShardWork(log, "job", dataset.train_subsets[stretch.shard], None, stretch, SIZE, 3)


def held(log: MemoryLog) -> Counter[int]:
    """How often the log holds each image."""
    images = [blocks.unpack(block) for partition in log.blocks["job"] for block in partition]
    return Counter(int(number) for each in images for number in each.pixels[:, :2] @ np.array([256, 1]))


EACH_ONCE = Counter(range(SHARDS * IMAGES_OF_SHARD))


def test_every_image_comes_once_and_the_checksum_with_it(
    dataset: Dataset, folder: Path, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = IngestWindow(1_000, 0, 0)
    ingested(filling(dataset, log, Tasks()), window).check()
    assert held(log) == EACH_ONCE
    assert window.appended() == sum(dealt(dataset).block_counts)
    # As whoever reads the batch alone has it, and without reading it again.
    expected = opened(folder, 1 << 30).sha256()
    monkeypatch.setattr(Dataset, "_read", None)
    assert dataset.sha256() == expected


def test_images_of_a_shard_are_shuffled_the_same_way_each_time(dataset: Dataset) -> None:
    logs = [MemoryLog(), MemoryLog()]
    for log in logs:
        log.create("job", PARTITIONS)
        for work in works(dataset, log):
            assert work.append() == work.append()
    assert logs[0].blocks == logs[1].blocks
    first = blocks.unpack(logs[0].blocks["job"][0][0]).pixels[:, :2] @ np.array([256, 1])
    assert (np.diff(first) != 1).mean() > 0.9


def test_a_task_that_runs_again_goes_on_from_what_was_appended(dataset: Dataset, log: MemoryLog) -> None:
    for work in works(dataset, log):
        short = MemoryLog()
        short.create("job", PARTITIONS)
        for part in range(PARTITIONS):
            short.append("job", part, 0, log.blocks["job"][part])
        assert isinstance(replace(work, log=short).append(), ShardRead)
        whole = short.blocks["job"][work.stretch.partition][work.stretch.first :]
        # The one before was killed after two blocks.
        log.append("job", work.stretch.partition, work.stretch.first, whole[:2])
        work.append()
    assert held(log) == EACH_ONCE


def test_what_the_log_has_is_read_last_and_its_checksum_is_known_all_the_same(
    dataset: Dataset, folder: Path, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = list(works(dataset, log))
    for work in every[:5]:
        work.append()
    tasks = Tasks()
    again = opened(folder, 1 << 30)
    ingested(filling(again, log, tasks), IngestWindow(1_000, 0, 0)).check()
    shards = [work.stretch.shard for work in tasks.done]
    assert set(shards[:4]) == {work.stretch.shard for work in every[5:]}
    monkeypatch.setattr(Dataset, "_read", None)
    assert again.sha256()


def test_what_is_wrong_with_a_shard_ends_the_ingest_and_names_it(
    dataset: Dataset, folder: Path, log: MemoryLog
) -> None:
    (folder / "part-04.npz").write_bytes((folder / "part-04.npz").read_bytes()[:-5_000])
    ingest = ingested(filling(dataset, log, Tasks()), IngestWindow(1_000, 0, 0))
    with pytest.raises(InvalidInput, match=r"part-04\.npz"):
        ingest.check()


def test_no_task_begins_before_there_is_room(dataset: Dataset, log: MemoryLog) -> None:
    window, unread = IngestWindow(4, 0, 0), list[int]()

    def begin() -> None:
        unread.append(window.unread())

    def trained() -> None:
        window.mark_trained(window.unread(), 4)

    ingested(filling(dataset, log, Tasks(begin)), window, trained).check()
    assert unread == [0] * 5
    assert held(log) == EACH_ONCE


def test_a_window_that_is_closed_ends_the_tasks(
    dataset: Dataset, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spark_jobs.shard_filling._LOOK_SECONDS", 0.01)
    window = IngestWindow(1_000, 0, 0)

    def go_on_until_cancelled() -> None:
        window.close()
        wait_until(lambda: bool(tasks.cancelled), what="somebody who ends them")
        raise RuntimeError("the job was cancelled")

    tasks = Tasks(go_on_until_cancelled)
    ingested(filling(dataset, log, tasks), window).check()
    assert not held(log)


def test_whoever_cancels_the_job_ends_its_tasks(
    dataset: Dataset, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spark_jobs.shard_filling._LOOK_SECONDS", 0.01)

    def cancel() -> None:
        raise Cancelled("enough")

    tasks = Tasks(lambda: wait_until(lambda: bool(tasks.cancelled), what="somebody who ends them"))
    ingest = ingested(filling(dataset, log, tasks), IngestWindow(1_000, 0, 0), cancel)
    with pytest.raises(Cancelled):
        ingest.check()


def test_tasks_that_come_to_spark_after_the_cancel_are_ended_too(
    dataset: Dataset, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spark_jobs.shard_filling._LOOK_SECONDS", 0.01)
    window = IngestWindow(1_000, 0, 0)

    def come_late() -> None:
        window.close()
        # Of the first one Spark says nothing: it has no such job yet.
        wait_until(lambda: tasks.cancelled > 1, seconds=1.0, what="a second cancel")

    tasks = Tasks(come_late)
    ingested(filling(dataset, log, tasks), window)
    assert tasks.cancelled > 1


def test_tasks_that_read_what_the_log_holds_already_are_no_silence(
    dataset: Dataset, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spark_jobs.shard_filling._LOOK_SECONDS", 0.01)
    window = IngestWindow(1_000, 0, 0)

    def read() -> None:
        before = window.packed()
        wait_until(lambda: window.packed() > before, seconds=1.0, what="a sign of life")

    ingested(filling(dataset, log, Tasks(read)), window).check()


@pytest.mark.parametrize(
    "error",
    [
        InvalidInput("images_batch", "part-04.npz is damaged"),
        NotFound("file", "a", nearby="b", others=["c"]),
        Overloaded("later", 3.0),
        LogLost("job", "is gone"),
        LogUnavailable("Kafka is away"),
    ],
)
def test_an_error_comes_from_another_process_as_it_was(error: DigitsError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
