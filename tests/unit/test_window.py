"""Back-pressure: the window and the controller that sizes it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from digits.adapters.memory import MemoryLog
from digits.adapters.spool import SpoolLog
from digits.training.ingest import BlockFilling, Ingest
from digits.training.window import BatchSizer, IngestWindow
from tests.waiting import wait_until


@pytest.mark.parametrize("blocks_per_second", [5.0, 40.0, 300.0])
def test_the_sizer_settles_on_the_target_within_eight_micro_batches(blocks_per_second: float) -> None:
    sizer = BatchSizer(blocks=60, max_blocks=2000, target_seconds=3.0)
    for _ in range(8):
        sizer.measured(sizer.blocks, sizer.blocks / blocks_per_second)
    assert sizer.blocks / blocks_per_second == pytest.approx(3.0, rel=0.25)


def test_the_sizer_stays_between_one_block_and_its_most() -> None:
    sizer = BatchSizer(blocks=500, max_blocks=100, target_seconds=3.0)
    assert sizer.blocks == 100
    for _ in range(20):
        sizer.measured(sizer.blocks, 0.001)
    assert sizer.blocks == 100
    for _ in range(40):
        sizer.measured(sizer.blocks, 1000.0)
    assert sizer.blocks == 1


def test_a_micro_batch_that_the_source_could_not_fill_counts_by_its_rate() -> None:
    sizer = BatchSizer(blocks=60, max_blocks=2000, target_seconds=3.0)
    sizer.measured(blocks=6, seconds=0.3)
    assert sizer.blocks == 60


class Watched(MemoryLog):
    """A log that remembers how many blocks were unread at most."""

    def __init__(self, window_of: list[IngestWindow]) -> None:
        super().__init__()
        self.window_of, self.max_unread = window_of, 0

    def append(self, job_id: str, partition: int, first_offset: int, blocks: Sequence[bytes]) -> None:
        super().append(job_id, partition, first_offset, blocks)
        unread = sum(self.end_offsets(job_id)) - self.trained
        self.max_unread = max(self.max_unread, unread)

    trained = 0


def test_a_flood_never_leaves_more_unread_than_the_window() -> None:
    log = Watched([])
    log.create("job", 2)
    window = IngestWindow(10, 0, 0)
    with Ingest("job", BlockFilling(log, "job", (b"%d" % n for n in range(1000))), window, lambda: None):
        for _ in range(200):
            window.wait_for(10, 1000, 5)
            log.trained += 5
            window.mark_trained(5, 10)
    assert log.max_unread == 10
    assert sum(log.end_offsets("job")) == 1000


def test_an_ingest_that_was_stopped_goes_on_after_another_and_changes_nothing(tmp_path: Path) -> None:
    log = SpoolLog(tmp_path)
    log.create("job", 2)
    blocks = [b"%03d" % n for n in range(101)]
    stopped_window = IngestWindow(37, 0, 0)
    with Ingest("job", BlockFilling(log, "job", iter(blocks)), stopped_window, lambda: None):
        stopped_window.wait_for(37, 101, 5)
        # It waits for room as if it were stopped; another takes the job over.
        with Ingest(
            "job",
            BlockFilling(SpoolLog(tmp_path), "job", iter(blocks)),
            IngestWindow(1000, 37, 0),
            lambda: None,
        ):
            wait_until(lambda: sum(log.end_offsets("job")) == 101)
        stopped_window.mark_trained(37, 1000)
        wait_until(lambda: stopped_window.appended() == 101)
    assert log.end_offsets("job") == [51, 50]
    for partition in (0, 1):
        files = sorted((tmp_path / "job").glob(f"{partition:04d}-*.block"))
        assert [file.read_bytes() for file in files] == blocks[partition::2]


def test_an_interrupted_ingest_goes_on_without_losing_or_repeating_a_block(tmp_path: Path) -> None:
    log = SpoolLog(tmp_path)
    log.create("job", 2)
    blocks = [b"%03d" % n for n in range(101)]
    window = IngestWindow(37, 0, 0)
    with Ingest("job", BlockFilling(log, "job", iter(blocks)), window, lambda: None):
        window.wait_for(37, 101, 5)
    assert sum(log.end_offsets("job")) == 37
    with Ingest("job", BlockFilling(log, "job", iter(blocks)), IngestWindow(1000, 37, 0), lambda: None):
        wait_until(lambda: sum(log.end_offsets("job")) == 101)
    for partition in (0, 1):
        files = sorted((tmp_path / "job").glob(f"{partition:04d}-*.block"))
        assert [file.read_bytes() for file in files] == blocks[partition::2]


def test_what_breaks_the_ingest_is_told_and_frees_whoever_waits() -> None:
    def broken() -> object:
        yield b"0"
        raise OSError("the disk is gone")

    log = MemoryLog()
    log.create("job", 1)
    window = IngestWindow(10, 0, 0)
    with Ingest("job", BlockFilling(log, "job", broken()), window, lambda: None) as ingest:  # type: ignore[arg-type]
        window.wait_for(10, 100, 5)
        with pytest.raises(OSError, match="the disk is gone"):
            ingest.check()


def test_waiting_for_images_that_never_come_ends() -> None:
    assert not IngestWindow(10, 0, 0).wait_for(10, 100, 0.01)


def test_closing_frees_an_appender_that_waits_for_room() -> None:
    window = IngestWindow(1, 1, 0)
    rooms: list[int] = []
    waiting = threading.Thread(target=lambda: rooms.append(window.room(5)))
    waiting.start()
    window.close()
    waiting.join(5)
    assert rooms == [0]
