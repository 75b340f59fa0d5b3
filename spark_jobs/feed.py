"""A job's log as its training sees it: filled in the background, no faster than it is trained."""

from __future__ import annotations

from collections.abc import Iterable

from digits.ports import BlockLog
from digits.signals.metrics import training as measured
from digits.training.ingest import Ingest
from digits.training.window import BatchSizer, IngestWindow
from spark_jobs.plan import Plan
from spark_jobs.progress import ProgressReport
from spark_jobs.training_state import TrainingState

_FILL_SECONDS = 60.0


class Feed:
    """Opens the log, appends to it while this is entered, and says how large a micro-batch should be.

    The window bounds the first epoch. A later one reads what is there, or all again if that was lost.
    """

    def __init__(
        self, log: BlockLog, job_id: str, plan: Plan, target_seconds: float, report: ProgressReport
    ) -> None:
        self._log, self._job_id, self._plan, self._report = log, job_id, plan, report
        self._sizer = BatchSizer(plan.max_blocks, plan.max_blocks, target_seconds)

    def open(self, state: TrainingState, blocks: Iterable[bytes]) -> Ingest:
        """Returns the ingest of all `blocks` that the log does not hold yet, to be entered."""
        self._log.create(self._job_id, self._plan.partitions)
        appended = sum(self._log.end_offsets(self._job_id))
        if state.epoch > 1:
            self._window = IngestWindow(self._plan.total_blocks, appended, appended)
        else:
            self._window = IngestWindow(2 * self.micro_batch_blocks, appended, state.trained.count())
        self._ingest = Ingest(self._log, self._job_id, blocks, self._window, self._tell)
        return self._ingest

    @property
    def micro_batch_blocks(self) -> int:
        """Blocks that the next micro-batch should have."""
        return self._sizer.blocks

    def wait_for_first(self) -> None:
        """Waits until a micro-batch can be filled; raises DeadlinePassed, or what ended the ingest."""
        self._window.wait_for(self.micro_batch_blocks, self._plan.total_blocks, _FILL_SECONDS)
        self.check()

    def check(self) -> None:
        """Raises what ended the ingest, if anything did."""
        self._ingest.check()

    def mark_trained(self, state: TrainingState, blocks: int, seconds: float) -> None:
        """Learns from a micro-batch how large the next should be, and lets the ingest go on."""
        if self._plan.passes == 1:
            # Of several passes, each micro-batch has to hold all images.
            self._sizer.measured(blocks, seconds)
        if state.epoch == 1:
            self._window.mark_trained(blocks, 2 * self.micro_batch_blocks)
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

    def _tell(self) -> None:
        self._measure()
        self._report.ingested(
            images_ingested=self.images_ingested(),
            backlog_images=self.backlog_images(),
            window_images=self.window_images(),
        )
