"""What looks after a train worker's Spark beside its jobs."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time

from pyspark.sql import SparkSession

from digits.background import BackgroundLoop
from digits.training import recipes
from spark_jobs import session

logger = logging.getLogger(__name__)

# A cluster gives a lost executor back within seconds. One that was itself killed may count the lost executor
# among those that the application still has, and then never does.
_MAX_SECONDS_WITHOUT_EXECUTORS = 60.0
_CHECK_SECONDS = 5.0


class Watchdogs:
    """Keeps an idle Spark warm, and ends a worker whose Spark is of no more use: the next has a new one.

    `busy` is held while a job runs.
    """

    def __init__(self, spark: SparkSession, busy: threading.Lock) -> None:
        self._spark, self._busy = spark, busy
        self._executors_seen = time.monotonic()
        self._ending = False
        self._loops = (
            BackgroundLoop("keep warm", self._keep_warm, session.KEEP_WARM_SECONDS),
            BackgroundLoop("executors", self._check, _CHECK_SECONDS),
        )

    def start(self) -> None:
        """Starts on threads of their own."""
        for loop in self._loops:
            loop.start()

    def stop(self) -> None:
        """Stops."""
        for loop in self._loops:
            loop.stop()

    def spark_is_over(self) -> bool:
        """Whether the Spark application has ended; if so, this process hears that it must end too."""
        if not session.is_over(self._spark):
            return False
        if not self._ending:
            logger.error("Spark ended this application; this worker ends too")
            os.kill(os.getpid(), signal.SIGTERM)
        self._ending = True
        return True

    def _keep_warm(self) -> None:
        if self._busy.acquire(blocking=False):
            try:
                session.warm(self._spark, recipes.find(""))
            finally:
                self._busy.release()

    def _check(self) -> None:
        """A job that ran when Spark ended hears of it by itself; one that waits for executors does not."""
        if not self._busy.locked():
            self._executors_seen = time.monotonic()
            self.spark_is_over()
        elif session.has_executors(self._spark):
            self._executors_seen = time.monotonic()
        elif time.monotonic() - self._executors_seen > _MAX_SECONDS_WITHOUT_EXECUTORS:
            logger.error("Spark's cluster gives this application no executors; this worker ends")
            # The stuck job would never hear a polite signal; its lease ends with the process.
            os.kill(os.getpid(), signal.SIGKILL)
