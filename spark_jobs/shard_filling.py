"""A batch in HDFS, read by Spark's tasks: each appends the blocks of a shard to a partition of Kafka's."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
from pyspark.sql import SparkSession

from digits.datasets.dataset import Dataset, Reading, ShardRead, Subset, shuffled
from digits.errors import DigitsError, LogUnavailable
from digits.ports import BlockLog
from digits.training import blocks
from digits.training.ingest import MAX_BLOCKS_AT_ONCE
from digits.training.lanes import Lanes, Stretch
from digits.training.window import IngestWindow

# So often somebody looks how far the tasks are.
_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class ShardWork:
    """What one task does: the images of a shard, and where its blocks are in the log."""

    log: BlockLog
    job_id: str
    subset: Subset
    held_out: Subset | None
    stretch: Stretch
    images_per_block: int
    seed: int

    def append(self) -> ShardRead | DigitsError:
        """Appends what the log does not have yet; returns what is known then, or what kept it from that.

        Its blocks follow from batch, seed and shard alone, so a task that runs twice, even at the same time,
        makes no block twice that a reader would count (KafkaLog).
        """
        try:
            return self._append()
        except DigitsError as error:
            # Spark would try three times again, and hand on a text.
            return error

    def _append(self) -> ShardRead:
        reading, stretch = Reading(), self.stretch
        images = self.subset.read_beside(self.held_out, reading)
        if self.log.end_offsets(self.job_id)[stretch.partition] >= stretch.end:
            deque(images, maxlen=0)
            return reading.end()
        random = np.random.default_rng((self.seed % 2**64, stretch.shard))
        packed = blocks.blocks(shuffled(images, len(self.subset), random), self.images_per_block)
        offset = stretch.first
        while some := list(islice(packed, MAX_BLOCKS_AT_ONCE)):
            self.log.append(self.job_id, stretch.partition, offset, some)
            offset += len(some)
        return reading.end()


class ShardFilling:
    """Runs a task for each partition at a time, and the next ones once the window has room.

    So the log holds at most a window and a shard for each partition that nobody trained yet.
    """

    def __init__(
        self,
        *,
        spark: SparkSession,
        log: BlockLog,
        job_id: str,
        dataset: Dataset,
        lanes: Lanes,
        images_per_block: int,
        seed: int,
    ) -> None:
        self._spark, self._log, self._job_id = spark, log, job_id
        self._dataset, self._lanes = dataset, lanes
        self._images_per_block, self._seed = images_per_block, seed

    def fill(self, window: IngestWindow, changed: Callable[[], None]) -> None:
        """See Filling. Shards that the log has already are read last, for what the end needs of them."""
        there, missing = self._lanes.split(self._log.end_offsets(self._job_id))
        with ThreadPoolExecutor(1, "shards") as thread:
            for stretches in chain(missing.rounds(), there.rounds()):
                if not window.room(1):
                    return
                tasks = thread.submit(self._run_tasks, stretches)
                self._watch(tasks, window, changed)
                if window.is_closed():
                    return
                for stretch, answer in zip(stretches, tasks.result(), strict=True):
                    if isinstance(answer, DigitsError):
                        raise answer
                    self._dataset.was_read(stretch.shard, answer)
                window.mark_packed()
                self._look(window, changed)

    def _run_tasks(self, stretches: Sequence[Stretch]) -> list[ShardRead | DigitsError]:
        context = self._spark.sparkContext
        context.setJobGroup(self._group, "shards to Kafka", interruptOnCancel=True)
        work = list(map(self._work, stretches))
        return context.parallelize(work, len(work)).map(ShardWork.append).collect()

    def _work(self, stretch: Stretch) -> ShardWork:
        return ShardWork(
            log=self._log,
            job_id=self._job_id,
            subset=self._dataset.train_subsets[stretch.shard],
            held_out=self._dataset.held_out_in(stretch.shard),
            stretch=stretch,
            images_per_block=self._images_per_block,
            seed=self._seed,
        )

    def _watch(
        self, tasks: Future[list[ShardRead | DigitsError]], window: IngestWindow, changed: Callable[[], None]
    ) -> None:
        """Waits for the tasks, and tells meanwhile how far they are; ends them if the window is closed.

        A task that appends nothing lives all the same: it may read what the log holds already, for minutes.
        What it waits for has a time-out, and Spark runs it again if its process is gone.
        """
        try:
            while not wait([tasks], _LOOK_SECONDS).done and not window.is_closed():
                window.mark_packed()
                with suppress(LogUnavailable):
                    self._look(window, changed)
        finally:
            # Spark forgets a cancel that comes before the job.
            while not tasks.done():
                self._spark.sparkContext.cancelJobGroup(self._group)
                wait([tasks], _LOOK_SECONDS)

    def _look(self, window: IngestWindow, changed: Callable[[], None]) -> None:
        window.mark_appended(sum(self._log.end_offsets(self._job_id)) - window.appended())
        changed()

    @property
    def _group(self) -> str:
        return f"shards of {self._job_id}"
