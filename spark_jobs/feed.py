"""A job's log as its training sees it: filled in the background, no faster than it is trained."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence

from digits.errors import Corrupt, DeadlinePassed, LogLost, LogUnavailable
from digits.offsets import OffsetRanges
from digits.ports import BlockLog, StreamSource
from digits.signals.metrics import training as measured
from digits.training.ingest import Filling, Ingest
from digits.training.window import BatchSizer, IngestWindow
from spark_jobs.plan import Plan
from spark_jobs.progress import ProgressReport
from spark_jobs.training_state import TrainingState

logger = logging.getLogger(__name__)

# A block takes milliseconds to pack.
_MAX_SILENCE_SECONDS = 60.0
_CHECK_SECONDS = 1.0
# So long nothing comes before somebody looks whether it is still there, and again.
_DOUBT_SECONDS = 5.0


class Feed:
    """Opens the log, appends to it while this is entered, and says how large a micro-batch should be.

    The window bounds the first epoch. A later one reads what is there, or all again if that was lost.
    """

    def __init__(
        self, log: BlockLog, job_id: str, plan: Plan, target_seconds: float, report: ProgressReport
    ) -> None:
        self._log, self._job_id, self._plan, self._report = log, job_id, plan, report
        self._look_at = _DOUBT_SECONDS
        self._sizer = BatchSizer(plan.max_blocks, plan.max_blocks, target_seconds)
        self._query_blocks = plan.max_blocks

    def open(self, state: TrainingState, filling: Filling) -> Ingest:
        """Returns the ingest of all blocks that the log does not hold yet, to be entered."""
        ends = self._open_log()
        self._is_first_epoch = state.epoch == 1
        appended, self._trained = sum(ends), state.trained
        self._is_behind = not self._reach_trained(ends)
        if state.epoch > 1:
            self._window = IngestWindow(self._plan.total_blocks, appended, appended)
        else:
            # What fills one that was made again may be far ahead in another partition.
            size = self._plan.total_blocks if self._is_behind else self.micro_batch_blocks
            self._window = IngestWindow(size, appended, state.trained.count())
        self._ingest = Ingest(self._job_id, filling, self._window, self._tell)
        return self._ingest

    def source(self, trained: OffsetRanges) -> StreamSource:
        """How a query streams what is not `trained`, no more in a micro-batch than the next should have."""
        self._query_blocks = self.micro_batch_blocks
        return self._log.source(self._job_id, trained, self._query_blocks)

    def has_outgrown_its_query(self, state: TrainingState) -> bool:
        """Whether a query began in a slow time, and another of larger micro-batches saves more than it costs.

        On the spool that one first goes through what was trained, in micro-batches of nothing.
        """
        trained, larger = state.trained.count(), self.micro_batch_blocks
        rest = self._plan.total_blocks - trained
        saved_rounds = rest / self._query_blocks - rest / larger
        return larger >= 2 * self._query_blocks and saved_rounds > trained / larger

    @property
    def micro_batch_blocks(self) -> int:
        """Blocks that the next micro-batch should have: as many for each partition, if there are enough."""
        blocks, partitions = self._sizer.blocks, self._plan.partitions
        return blocks - blocks % partitions if blocks > partitions else blocks

    def wait_for_first(self, check: Callable[[], None]) -> None:
        """Waits until a micro-batch can be filled, and calls `check` every second.

        That may take any time: a large batch is packed from its start again, and a log that was made again
        has to reach what was trained, since Spark begins there. Raises DeadlinePassed only if no block was
        packed for a minute; what `check` raises, or what ended the ingest; LeaseLost, Cancelled.
        """
        packed, heard = 0, time.monotonic()
        while not self._is_filled():
            check()
            self._tell()
            if self._window.packed() > packed:
                packed, heard = self._window.packed(), time.monotonic()
            elif time.monotonic() - heard > _MAX_SILENCE_SECONDS:
                raise DeadlinePassed(f"no image was read from the batch for {_MAX_SILENCE_SECONDS:g} s")
        self.check()

    def _is_filled(self) -> bool:
        """Whether a micro-batch can be filled within a second."""
        blocks = self.micro_batch_blocks
        if self._is_behind:
            self._is_behind = not self._reach_trained(self._log.end_offsets(self._job_id))
            blocks += self._window.unread()
        return self._window.wait_for(blocks, self._plan.total_blocks, _CHECK_SECONDS) and not self._is_behind

    def _reach_trained(self, ends: Sequence[int]) -> bool:
        """Whether no partition ends before what was trained of it."""
        return all(run.end <= ends[run.partition] for run in self._trained.ranges)

    def check(self) -> None:
        """Raises what ended the ingest, if anything did."""
        self._ingest.check()

    def require_shown(self, idle_seconds: float) -> None:
        """Raises LogLost if images were appended and none comes, since they are gone or nobody knows why.

        `idle_seconds` is for how long there was no micro-batch; the epoch is not over. A log that is away is
        Spark's to wait for, for a minute.
        """
        if idle_seconds < self._look_at:
            self._look_at = min(self._look_at, idle_seconds + _DOUBT_SECONDS)
            return
        self._look_at = idle_seconds + _DOUBT_SECONDS
        # Before the log is asked: what is appended meanwhile may not be there yet.
        appended = self._window.appended()
        # In a later epoch nobody counts what is trained of a log that is filled again.
        unread = self._window.unread() if self._is_first_epoch else 0
        with contextlib.suppress(LogUnavailable):
            there = sum(self._log.end_offsets(self._job_id))
            if there < appended:
                raise LogLost(self._job_id, f"holds {there:,} of {appended:,} blocks")
        if idle_seconds > _MAX_SILENCE_SECONDS and (unread or appended >= self._plan.total_blocks):
            raise LogLost(self._job_id, f"showed none of its blocks for {idle_seconds:.0f} s")

    def mark_begun(self, state: TrainingState) -> None:
        """Lets the ingest append the next micro-batch while this one is trained."""
        if state.epoch == 1:
            self._window.mark_begun(self._query_blocks, self.micro_batch_blocks)
            self._measure()

    def mark_trained(self, state: TrainingState, blocks: int, seconds: float) -> None:
        """Learns from a micro-batch how large the next should be, and lets the ingest fill that one."""
        if self._plan.passes == 1:
            # Of several passes, each micro-batch has to hold all images.
            self._sizer.measured(blocks, seconds)
        if state.epoch == 1:
            self._window.mark_trained(blocks, self.micro_batch_blocks)
        self._measure()

    def images_ingested(self) -> int:
        """Images appended so far."""
        return self._plan.images(self._window.appended())

    def backlog_images(self) -> int:
        """Images appended and not trained yet."""
        return self._plan.images(self._window.unread())

    def window_images(self) -> int:
        """How large that may be in the first epoch."""
        return self._plan.images(self._window.size())

    def _measure(self) -> None:
        measured.BACKLOG_IMAGES.set(self.backlog_images())
        measured.WINDOW_IMAGES.set(self.window_images())

    def _open_log(self) -> list[int]:
        """The ends of the job's log, which is made, or made again if it is not what our offsets are of."""
        self._log.create(self._job_id, self._plan.partitions)
        try:
            ends = self._log.end_offsets(self._job_id)
            if len(ends) == self._plan.partitions:
                return ends
            problem: object = f"{len(ends)} partitions instead of {self._plan.partitions}"
        except (LogLost, Corrupt) as error:
            problem = error
        logger.warning("the log of job %s is made again: %s", self._job_id, problem)
        self._log.delete(self._job_id)
        self._log.create(self._job_id, self._plan.partitions)
        return self._log.end_offsets(self._job_id)

    def _tell(self) -> None:
        self._measure()
        self._report.ingested(self._ingested)

    def _ingested(self) -> dict[str, int]:
        return {
            "images_ingested": self.images_ingested(),
            "backlog_images": self.backlog_images(),
            "window_images": self.window_images(),
        }
