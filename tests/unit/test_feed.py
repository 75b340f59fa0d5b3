"""A job's log that is not what its offsets are of."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any

import pytest

from digits.adapters.memory import MemoryLog
from digits.errors import Corrupt, DeadlinePassed, LogLost
from digits.offsets import OffsetRange, OffsetRanges
from digits.training import recipes
from digits.training.ingest import BlockFilling, Ingest
from digits.training.window import IngestWindow
from spark_jobs.feed import Feed
from spark_jobs.plan import Plan
from spark_jobs.training_state import TrainingState
from tests.waiting import wait_until

BLOCKS = [b"%d" % number for number in range(7)]
PLAN = Plan(recipes.find("fast"), train_count=7 * 64, partitions=2)


class SpoiltLog(MemoryLog):
    """Holds a record that is no block, until it is made again."""

    def end_offsets(self, job_id: str) -> list[int]:
        if b"?" in self.blocks[job_id][0]:
            raise Corrupt("the log holds a message whose key is no offset")
        return super().end_offsets(job_id)


@pytest.fixture
def report() -> Any:
    return SimpleNamespace(ingested=lambda _: None)


def _filled(log: MemoryLog, report: Any, epoch: int = 2) -> Feed:
    feed = Feed(log, "job", PLAN, 5.0, report)
    with feed.open(TrainingState({}, epoch=epoch), BlockFilling(log, "job", BLOCKS)) as ingest:
        wait_until(lambda: feed.images_ingested() == PLAN.train_count, what="every image in the log")
        ingest.check()
    return feed


def _of_three() -> MemoryLog:
    log = MemoryLog()
    log.create("job", 3)
    log.append("job", 2, 0, [b"2", b"5"])
    return log


def _spoilt() -> MemoryLog:
    log = SpoiltLog()
    log.create("job", 2)
    log.append("job", 0, 0, [b"0", b"?"])
    return log


@pytest.mark.parametrize("made", [MemoryLog, _of_three, _spoilt])
def test_a_log_that_is_not_the_jobs_is_made_again_with_every_image_once(
    made: Callable[[], MemoryLog], report: Any
) -> None:
    log = made()
    _filled(log, report)
    assert log.blocks == {"job": [BLOCKS[::2], BLOCKS[1::2]]}


def test_a_whole_log_that_shows_nothing_for_a_minute_is_lost(report: Any) -> None:
    feed = _filled(MemoryLog(), report)
    for seconds in range(60):
        feed.require_shown(float(seconds))
    with pytest.raises(LogLost, match="the log of job showed none of its blocks for 61 s"):
        feed.require_shown(61.0)


def test_a_log_that_is_gone_is_missed_after_five_seconds_without_a_block(report: Any) -> None:
    log = MemoryLog()
    feed = _filled(log, report)
    feed.require_shown(6.0)
    feed.require_shown(0.0)  # A micro-batch.
    log.blocks["job"][0].pop()
    feed.require_shown(4.0)
    with pytest.raises(LogLost, match="holds 6 of 7 blocks"):
        feed.require_shown(5.0)
    log.delete("job")
    with pytest.raises(LogLost, match="is gone"):
        feed.require_shown(11.0)


def test_a_log_that_is_gone_while_the_window_has_no_room_is_missed(report: Any) -> None:
    many = Many(report)
    with many.ingest():
        appended = many.all_that_may()
        assert appended < many.plan.total_blocks
        many.feed.require_shown(6.0)
        many.log.blocks["job"][0].pop()
        with pytest.raises(LogLost, match=f"holds {appended - 1:,} of {appended:,} blocks"):
            many.feed.require_shown(12.0)


def test_blocks_that_nobody_is_shown_while_there_is_no_room_are_lost_after_a_minute(report: Any) -> None:
    many = Many(report)
    with many.ingest():
        many.all_that_may()
        many.feed.require_shown(60.0)
        with pytest.raises(LogLost, match="the log of job showed none of its blocks for 66 s"):
            many.feed.require_shown(66.0)


def test_a_log_that_is_filled_again_in_a_later_epoch_may_be_silent(report: Any) -> None:
    log = MemoryLog()
    feed = Feed(log, "job", PLAN, 5.0, report)
    with feed.open(TrainingState({}, epoch=2), BlockFilling(log, "job", BLOCKS[:3])):
        wait_until(lambda: feed._window.appended() == 3, what="some of the blocks")
        feed.require_shown(3600.0)


def test_a_log_that_is_still_filled_may_be_silent(report: Any) -> None:
    feed = Feed(MemoryLog(), "job", PLAN, 5.0, report)
    feed.open(TrainingState({}), BlockFilling(MemoryLog(), "job", BLOCKS))
    feed.require_shown(3600.0)


class FirstPartition:
    """Fills one partition, as a task that is ahead of the others, and says that of all of them."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    def fill(self, window: IngestWindow, changed: Callable[[], None]) -> None:
        """See Filling."""
        self._log.append("job", 0, 0, BLOCKS[::2])
        window.mark_appended(len(BLOCKS))
        changed()


class Waits:
    """Stands for a window that is not filled yet, of which time passes a second at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, packs: int, fills_after: int) -> None:
        self.seconds, self._packs, self._fills_after = 0, packs, fills_after
        monkeypatch.setattr("spark_jobs.feed.time", SimpleNamespace(monotonic=lambda: float(self.seconds)))

    def wait_for(self, *_: object) -> bool:
        self.seconds += 1
        return self.seconds > self._fills_after

    def packed(self) -> int:
        return self.seconds * self._packs


@pytest.fixture
def feed(report: Any) -> Feed:
    made = Feed(MemoryLog(), "job", PLAN, 5.0, report)
    made.open(TrainingState({}), BlockFilling(MemoryLog(), "job", BLOCKS))
    made._tell = lambda: None  # type: ignore[method-assign]
    return made


def test_a_large_batch_is_packed_again_for_as_long_as_it_takes(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[None] = []
    monkeypatch.setattr(feed, "_window", Waits(monkeypatch, packs=1, fills_after=3600))
    feed.wait_for_first(lambda: checks.append(None))
    # Whoever cancels, or takes the lease, is heard every second.
    assert len(checks) == 3600


def test_a_batch_that_nobody_reads_any_more_is_given_up_after_a_minute(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = Waits(monkeypatch, packs=0, fills_after=3600)
    monkeypatch.setattr(feed, "_window", waits)
    with pytest.raises(DeadlinePassed, match="no image was read from the batch for 60 s"):
        feed.wait_for_first(lambda: None)
    assert waits.seconds == 61


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_log_that_is_made_again_is_read_once_it_reaches_what_each_partition_trained(
    report: Any, epoch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spark_jobs.feed._CHECK_SECONDS", 0.01)
    log = MemoryLog()
    trained = OffsetRanges((OffsetRange(0, 0, 1), OffsetRange(1, 0, 1)))
    checks: list[None] = []

    def check() -> None:
        checks.append(None)
        if len(checks) == 3:
            log.append("job", 1, 0, BLOCKS[1::2])

    feed = Feed(log, "job", PLAN, 5.0, report)
    with feed.open(TrainingState({}, epoch=epoch, trained=trained), FirstPartition(log)):
        feed.wait_for_first(check)
    assert len(checks) >= 3


def test_a_log_that_is_made_again_has_room_until_each_partition_has_what_it_trained(report: Any) -> None:
    log, plan = MemoryLog(), Plan(recipes.find("fast"), train_count=600_000, partitions=2)
    log.create("job", 2)
    log.append("job", 0, 0, [b""] * 4_000)
    trained = OffsetRanges((OffsetRange(0, 0, 10), OffsetRange(1, 0, 10)))
    feed = Feed(log, "job", plan, 5.0, report)
    feed.open(TrainingState({}, trained=trained), FirstPartition(log))
    assert feed._window.unread() < feed._window.size()
    log.append("job", 1, 0, [b""] * 10)
    feed.open(TrainingState({}, trained=trained), FirstPartition(log))
    assert feed._window.unread() > feed._window.size()


@pytest.mark.parametrize(("sized", "blocks"), [(1, 1), (2, 2), (3, 2), (47, 46)])
def test_a_micro_batch_has_as_many_blocks_of_each_partition(report: Any, sized: int, blocks: int) -> None:
    feed = Feed(MemoryLog(), "job", PLAN, 5.0, report)
    feed._sizer._size = sized
    assert feed.micro_batch_blocks == blocks


class ReadLog(MemoryLog):
    """One that a query reads."""

    def source(self, *_: object) -> Any:
        return None


class Many:
    """A training of very many images, whose log is filled as the window lets it."""

    def __init__(self, report: Any) -> None:
        self.log, self.plan = ReadLog(), Plan(recipes.find("fast"), train_count=1_000_000, partitions=2)
        self.state, self.feed = TrainingState({}), Feed(self.log, "job", self.plan, 5.0, report)
        self.max_unread = 0

    def ingest(self) -> AbstractContextManager[Ingest]:
        return self.feed.open(self.state, BlockFilling(self.log, "job", itertools.repeat(b"")))

    def all_that_may(self) -> int:
        window = self.feed._window
        wait_until(lambda: window.unread() >= window.size(), what="a full window")
        self.max_unread = max(self.max_unread, window.unread())
        return window.unread()

    def micro_batch(self, most: int, blocks_per_second: float, left: int = 0) -> int:
        """One of as many as there are, `most` at most, of which a slow partition leaves some."""
        blocks = min(most, self.all_that_may())
        self.feed.mark_begun(self.state)
        self.all_that_may()
        self.feed.mark_trained(self.state, blocks - left, (blocks - left) / blocks_per_second)
        return blocks


def test_micro_batches_of_a_trainer_that_is_slower_than_it_should_be_are_of_one_size(report: Any) -> None:
    """Spark takes up to the largest of all, so whatever is there beyond the next one goes too."""
    many = Many(report)
    most = many.plan.max_blocks
    with many.ingest():
        taken = [many.micro_batch(most, most / 6) for _ in range(9)]
    assert taken[:2] == [most] * 2
    assert taken[4:] == pytest.approx([most * 5 / 6] * 5, rel=0.05)
    assert many.max_unread == 2 * most


def test_what_slow_partitions_left_is_trained_before_more_may_come(report: Any) -> None:
    many = Many(report)
    most = many.plan.max_blocks
    with many.ingest():
        many.micro_batch(most, most / 5)
        many.micro_batch(most, most / 50, left=most // 2)
        for _ in range(4):
            # A query of its own, whose largest micro-batch is what is small by now.
            many.feed.source(OffsetRanges())
            many.micro_batch(many.feed.micro_batch_blocks, most / 50)
    assert many.max_unread == 2 * most
    assert many.feed._window.unread() < most


def test_a_query_that_began_in_a_slow_time_is_outgrown_once_it_is_over(report: Any) -> None:
    many = Many(report)
    most = many.plan.max_blocks
    with many.ingest():
        many.micro_batch(most, most / 50)
        many.feed.source(OffsetRanges())
        small = many.feed.micro_batch_blocks
        grown = 0
        while not many.feed.has_outgrown_its_query(many.state):
            many.micro_batch(small, most / 5)
            grown += 1
        assert small < most
        assert grown == 1
        many.feed.source(OffsetRanges())
        assert not many.feed.has_outgrown_its_query(many.state)

        # Nearly all is trained: what is left is not worth going through it again.
        trained = OffsetRanges((OffsetRange(0, 0, many.plan.total_blocks - most),))
        many.feed._query_blocks = small
        assert not many.feed.has_outgrown_its_query(TrainingState({}, trained=trained))
