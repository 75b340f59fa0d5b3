"""One epoch: a streaming query over a job's log."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from digits.ports import StreamSource

# Returns whether the query has done its part.
MicroBatchDone = Callable[[DataFrame], bool]


class EpochQuery:
    """Feeds a log to `train`, a micro-batch at a time, until it says that that is all."""

    def __init__(self, spark: SparkSession, source: StreamSource, train: MicroBatchDone) -> None:
        self._spark, self._source, self._train = spark, source, train
        # Spark calls back on a thread of its own: with the job's name for the logs, and its span.
        self._context = contextvars.copy_context()
        self._over = threading.Event()
        self._at_work, self._last_word = False, time.monotonic()
        self._error: BaseException | None = None

    def run(self, folder: Path, check: Callable[[], None], check_seconds: float) -> None:
        """Runs to the end; raises what `train` raised, or what `check` (called now and then) raises.

        `folder` is for Spark's own checkpoint. Ours is the truth, so that one goes with the query.
        """
        query = self._start(folder)
        try:
            while not self._over.wait(check_seconds):
                check()
                if not query.isActive:
                    self._raise(query)
        finally:
            query.stop()
        if self._error:
            raise self._error

    def idle_seconds(self) -> float:
        """Since when there is no micro-batch, in seconds; 0.0 during one."""
        return 0.0 if self._at_work else time.monotonic() - self._last_word

    def _start(self, folder: Path) -> StreamingQuery:
        reader = self._spark.readStream.format(self._source.format).options(**self._source.options)
        if self._source.schema:
            reader = reader.schema(self._source.schema)
        blocks = reader.load().selectExpr(
            f"{self._source.partition} as partition",
            f"{self._source.offset} as offset",
            f"{self._source.block} as block",
        )
        writer = blocks.writeStream.foreachBatch(self._micro_batch)
        return writer.option("checkpointLocation", str(folder)).start()

    def _micro_batch(self, blocks: DataFrame, _: int) -> None:
        if self._over.is_set():
            return
        self._at_work = True
        try:
            if self._context.run(self._train, blocks):
                self._over.set()
        except BaseException as error:
            # `run` raises it: of one that came to Spark, such as a cancel, the log would have three stacks.
            self._error = error
            self._over.set()
        finally:
            self._at_work, self._last_word = False, time.monotonic()

    def _raise(self, query: StreamingQuery) -> None:
        if self._error:
            raise self._error
        failure = query.exception()
        raise failure or StreamingQueryException("the query ended by itself")
