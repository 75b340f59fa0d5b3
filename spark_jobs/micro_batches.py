"""The driver's side of a micro-batch: train its partitions, merge, commit, tell."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from pyspark.sql import DataFrame

from digits.jobs.history import Took
from digits.jobs.leases import Lease
from digits.signals import traces
from digits.signals.metrics import training as measured
from digits.training.checkpoints import Checkpoints
from digits.training.eta import Eta
from digits.training.local_sgd import PartitionResult
from digits.v1 import artifacts_pb2
from spark_jobs.feed import Feed
from spark_jobs.partition_trainer import REPORT_SCHEMA, MicroBatch, train_partitions
from spark_jobs.plan import Plan
from spark_jobs.progress import ProgressReport
from spark_jobs.training_state import TrainingState

logger = logging.getLogger(__name__)


class MicroBatches:
    """Trains one micro-batch at a time from `state`, each on what the last of them learned.

    A partition of it is at work for about `max_seconds` at most. There is a checkpoint after as many as
    `checkpoint_every`, and at the end of an epoch.
    """

    def __init__(
        self,
        *,
        plan: Plan,
        seed: int,
        max_seconds: float,
        checkpoint_every: int,
        state: TrainingState,
        lease: Lease,
        checkpoints: Checkpoints,
        feed: Feed,
        report: ProgressReport,
    ) -> None:
        self._plan, self._seed, self.state = plan, seed, state
        self._max_seconds, self._checkpoint_every = max_seconds, checkpoint_every
        self._committed = state
        self._lease, self._checkpoints, self._feed, self._report = lease, checkpoints, feed, report
        self._eta = Eta(plan.total_images)
        # Until when the state's seconds count.
        self._counted = time.monotonic()

    def start(self) -> None:
        """The first micro-batch comes now: what is estimated counts from here."""
        self._counted = time.monotonic()
        self._eta.started(self._counted, self.state.images_trained)

    def train(self, fresh: DataFrame) -> bool:
        """Trains one micro-batch and commits it, if a checkpoint is due.

        Returns whether its query has done its part: the epoch is over, or a partition left some of what it
        was given, which comes again with another query, or that one may have larger micro-batches.
        """
        with traces.span("micro-batch", epoch=self.state.epoch, number=self.state.micro_batch + 1):
            return self._train(fresh)

    def _train(self, fresh: DataFrame) -> bool:
        started = time.monotonic()
        self._feed.mark_begun(self.state)
        results = self._train_partitions(fresh)
        if any(result.image_count for result in results):
            before, trained = self.state, time.monotonic()
            after = before.after(results, trained - self._counted)
            self.state, self._counted, merged = after, trained, time.monotonic()
            if (
                after.micro_batch - self._committed.micro_batch >= self._checkpoint_every
                or self.epoch_is_over()
            ):
                self.commit()
            committed = time.monotonic()
            self._tell(before, results, Took(committed - started, merged - trained, committed - merged))
        has_outgrown = self._feed.has_outgrown_its_query(self.state)
        return _were_cut_off(results) or self.epoch_is_over() or has_outgrown

    def commit(self) -> None:
        """Makes a checkpoint of the state, if there is none of it."""
        if self.state.micro_batch > self._committed.micro_batch:
            with measured.COMMIT_SECONDS.time(), traces.span("commit"):
                self._checkpoints.commit(self.state.to_proto(self._lease.job_id, self._lease.number))
            self._committed = self.state

    def epoch_is_over(self) -> bool:
        """Whether every block was trained once in this epoch."""
        return self.state.trained.count() >= self._plan.total_blocks

    def next_epoch(self) -> bool:
        """Begins the next epoch; returns False after the last."""
        if self.state.epoch == self._plan.epochs:
            return False
        self.state = self.state.next_epoch()
        return True

    def _train_partitions(self, fresh: DataFrame) -> list[PartitionResult]:
        work = MicroBatch(
            recipe=self._plan.recipe,
            state=self.state.tensors,
            seed=self._seed,
            images_before=self.state.images_trained,
            images_total=self._plan.total_images,
            partition_count=self._plan.partitions,
            passes=self._plan.passes,
            continued=self._plan.continued,
            trained=self.state.trained,
            max_seconds=self._max_seconds,
        )
        shared = fresh.coalesce(self._plan.partitions)
        rows = shared.mapInArrow(train_partitions(work), REPORT_SCHEMA).collect()
        reports = (artifacts_pb2.PartitionReport.FromString(bytes(row.report)) for row in rows)
        return [PartitionResult.from_proto(report) for report in reports]

    def _tell(self, before: TrainingState, results: Sequence[PartitionResult], took: Took) -> None:
        state, seconds = self.state, took.seconds
        images = state.images_trained - before.images_trained
        self._feed.mark_trained(state, state.trained.count() - before.trained.count(), seconds)
        measured.IMAGES_TRAINED.inc(images)
        measured.IMAGES_PER_SECOND.set(images / seconds)
        measured.MICRO_BATCH_SECONDS.observe(seconds)
        self._report.trained(
            eta_seconds=self._eta.committed(time.monotonic(), state.images_trained),
            took=took,
            images_committed=self._committed.images_trained,
            images_trained=state.images_trained,
            images_ingested=self._feed.images_ingested(),
            backlog_images=self._feed.backlog_images(),
            window_images=self._feed.window_images(),
            epoch=state.epoch,
            micro_batch=state.micro_batch,
            images_per_second=images / seconds,
            training_seconds=state.seconds,
            loss=sum(result.loss_sum for result in results) / images,
            accuracy=sum(result.correct_count for result in results) / images,
        )


def _were_cut_off(results: Sequence[PartitionResult]) -> bool:
    """Whether a partition was too slow."""
    left = [result.left_block_count for result in results if result.left_block_count]
    measured.STRAGGLERS.inc(len(left))
    for blocks in left:
        logger.warning("a partition was too slow: %d of its blocks come again", blocks)
    return bool(left)
