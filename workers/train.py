"""The train task: takes a job's lease and runs it, or leaves it for another attempt."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from functools import partial
from pathlib import Path

from celery import Celery

from digits import bootstrap, status_codes
from digits.adapters.celery_queue import register_train_task
from digits.datasets import data_folder
from digits.datasets.dataset import Dataset, open_dataset
from digits.errors import (
    Cancelled,
    Corrupt,
    DigitsError,
    Diverged,
    HandedOver,
    InvalidInput,
    LeaseLost,
    NotFound,
    Unavailable,
)
from digits.jobs.cleanup import Cleanup
from digits.jobs.jobs import Jobs
from digits.jobs.leases import Lease
from digits.jobs.membership import Membership
from digits.jobs.states import advance
from digits.models.registry import Registry
from digits.settings import Settings
from digits.training import recipes
from digits.training.checkpoints import Checkpoints
from digits.v1 import training_pb2 as pb
from spark_jobs import session
from spark_jobs.training import TrainingContext, TrainingRun
from workers.outage import wait_for_recovery

logger = logging.getLogger(__name__)

# The same input would end the same way, so these are not tried again.
_FINAL_ERRORS = (InvalidInput, NotFound, Corrupt, Diverged)
# A system that is away for longer is left to another attempt, which begins with what is there then.
_MAX_OUTAGE_SECONDS = 300.0
# A cluster gives a lost executor back within seconds. One that was itself killed may count the lost executor
# among those that the application still has, and then never does.
_MAX_SECONDS_WITHOUT_EXECUTORS = 60.0
_EXECUTORS_CHECK_SECONDS = 5.0


class TrainWorker:
    """Keeps Spark and its Python workers warm and runs one job at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._coordinator = bootstrap.coordinator(settings)
        self._presence = Membership(self._coordinator, "train")
        self._busy = threading.Lock()
        self._stopping = threading.Event()
        spark = session.start(settings)
        self._context = TrainingContext(
            settings=settings,
            spark=spark,
            store=bootstrap.store(settings),
            log=bootstrap.log(settings),
            coordinator=self._coordinator,
            jobs=Jobs(self._coordinator, bootstrap.train_queue(settings)),
            registry=Registry(self._coordinator),
            stopping=self._stopping,
        )
        self._cleanup = Cleanup(self._context.jobs, self._context.store, self._context.log)

    def start(self, app: Celery) -> None:
        """Warms Spark's Python workers, then registers the task and appears."""
        session.warm(self._context.spark, recipes.find(""))
        threading.Thread(target=self._keep_warm, daemon=True, name="keep warm").start()
        threading.Thread(target=self._watch_executors, daemon=True, name="executors").start()
        register_train_task(app, self.run)
        self._presence.set_idle(True)
        self._presence.start()

    def shut_down(self) -> None:
        """Asks the running job to stop at its next micro-batch, for another worker to go on."""
        self._stopping.set()

    def stop(self) -> None:
        """Leaves, with Spark."""
        self._stopping.set()
        self._presence.stop()
        self._context.spark.stop()
        self._coordinator.close()

    def run(self, job_id: str) -> None:
        """Runs a job unless it is final, has another trainer or had too many."""
        with self._busy:
            if self._stopping.is_set():
                return
            self._presence.set_idle(False)
            try:
                self._run(job_id)
            finally:
                self._presence.set_idle(True)

    def _run(self, job_id: str) -> None:
        if session.is_over(self._context.spark):
            # It died while nothing ran: no job is to answer for that.
            self._end_without_spark()
            return
        lease = Lease.take(self._context.jobs, self._coordinator, job_id, self._settings.max_attempts)
        if lease is None:
            logger.info("job %s is not for this worker", job_id)
            return
        self._run_leased(lease)

    def _run_leased(self, lease: Lease) -> None:
        try:
            job = self._context.jobs.get(lease.job_id)
            TrainingRun(self._context, lease, job, self._open_dataset(job.spec)).run()
        except Cancelled:
            lease.end(lambda job: advance(job, pb.CANCELLED))
        except HandedOver:
            self._hand_back(lease)
        except LeaseLost:
            logger.warning("job %s went to another trainer", lease.job_id)
            self._forgive(lease)
        except _FINAL_ERRORS as error:
            lease.end(partial(_fail, error))
        except Exception as error:
            logger.exception("job %s did not finish", lease.job_id)
            self._leave_for_another(lease, error)
        finally:
            self._let_go(lease)
            self._end_without_spark()

    def _leave_for_another(self, lease: Lease, error: Exception) -> None:
        """Counts the attempt, unless a system that the job needs was away: that is no fault of the job."""
        problem = str(error) if isinstance(error, DigitsError) else type(error).__name__
        was_away = wait_for_recovery(lambda: self._ask_all(lease.job_id), self._stopping, _MAX_OUTAGE_SECONDS)
        try:
            lease.end(lambda job: setattr(job, "last_problem", problem))
        except (LeaseLost, Unavailable):
            logger.warning("job %s: the reason could not be recorded", lease.job_id)
            return
        if was_away or self._stopping.is_set():
            self._hand_back(lease)

    def _ask_all(self, job_id: str) -> None:
        """Raises Unavailable where the coordinator, the store or the log is away."""
        self._context.jobs.get(job_id)
        # Reading asks more than listing does: HDFS lists without a DataNode.
        Checkpoints(self._context.store, job_id).newest()
        self._context.log.end_offsets(job_id)

    def _hand_back(self, lease: Lease) -> None:
        """Sends the job's message again at once: whoever is free goes on from the newest checkpoint."""
        lease.hand_back()
        self._context.jobs.requeue(lease.job_id)

    def _forgive(self, lease: Lease) -> None:
        """A lease that was lost while this worker lives was lost with its session: no fault of the job."""
        wait_for_recovery(lambda: self._context.jobs.get(lease.job_id), self._stopping, _MAX_OUTAGE_SECONDS)
        try:
            lease.forgive()
        except DigitsError as error:
            logger.warning("job %s: the attempt counts, since nobody could be told: %s", lease.job_id, error)

    def _end_without_spark(self) -> None:
        """Ends a worker whose Spark application is over: the next process has a new one."""
        if session.is_over(self._context.spark):
            logger.error("Spark ended this application; this worker ends too")
            os.kill(os.getpid(), signal.SIGTERM)

    def _watch_executors(self) -> None:
        """Ends the process where a job waits in vain for executors: it goes on under a new application."""
        seen = time.monotonic()
        while not self._stopping.wait(_EXECUTORS_CHECK_SECONDS):
            if not self._busy.locked() or session.has_executors(self._context.spark):
                seen = time.monotonic()
            elif time.monotonic() - seen > _MAX_SECONDS_WITHOUT_EXECUTORS:
                logger.error("Spark's cluster gives this application no executors; this worker ends")
                # The stuck job would never hear a polite signal; its lease ends with the process.
                os.kill(os.getpid(), signal.SIGKILL)

    def _let_go(self, lease: Lease) -> None:
        """Ends the lease, and removes what a job that is over leaves."""
        lease.release()
        self._cleanup.try_to_end(lease.job_id)

    def _open_dataset(self, spec: pb.TrainSpec) -> Dataset:
        most = self._settings.max_dataset_bytes
        if spec.upload:
            return open_dataset(self._context.store.read(spec.upload), "images_batch", most)
        field = "images_batch_path"
        folder = Path(self._settings.data_dir)
        path = data_folder.resolve(folder, spec.images_batch_path, field, folder_allowed=True)
        return open_dataset(path, field, most)

    def _keep_warm(self) -> None:
        while not self._stopping.wait(session.KEEP_WARM_SECONDS):
            if self._busy.acquire(blocking=False):
                try:
                    session.warm(self._context.spark, recipes.find(""))
                finally:
                    self._busy.release()


def _fail(error: DigitsError, job: pb.Job) -> None:
    job.progress.error.CopyFrom(status_codes.job_error(error))
    advance(job, pb.FAILED)
