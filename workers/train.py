"""The train task: Spark kept warm, and one job at a time."""

from __future__ import annotations

import logging
import threading
import time

from celery import Celery
from opentelemetry.trace import SpanKind

from digits import bootstrap
from digits.adapters.celery_queue import TRAIN, register_train_task
from digits.datasets.dataset import Dataset
from digits.jobs import train_request
from digits.jobs.cleanup import Cleanup
from digits.jobs.jobs import Jobs
from digits.jobs.leases import Lease
from digits.jobs.membership import Membership
from digits.jobs.turns import Turns
from digits.models.reference import ReferenceFile
from digits.models.registry import Registry
from digits.settings import Settings
from digits.signals import context as log_context
from digits.signals import traces
from digits.signals.metrics import training as measured
from digits.training import recipes
from digits.v1 import training_pb2 as pb
from spark_jobs import scratch, session
from spark_jobs.importing import ImportRun
from spark_jobs.training import TrainingRun
from spark_jobs.training_context import TrainingContext
from workers.leased_jobs import LeasedJobs
from workers.watchdogs import Watchdogs

logger = logging.getLogger(__name__)

# Celery's loop turns every second at least; until it heard, it takes messages.
_SECONDS_TO_HEAR_OF_A_SIGNAL = 1.5


class TrainWorker:
    """Keeps Spark and its Python workers warm and runs one job at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        scratch.sweep(settings.var_dir)
        scratch.own_temporary_folder(settings.var_dir)
        self._coordinator = bootstrap.coordinator(settings)
        self._presence = Membership(self._coordinator, "train")
        self._busy = threading.Lock()
        self._stopping = threading.Event()
        self._context = TrainingContext(
            settings=settings,
            spark=session.start(settings),
            store=bootstrap.store(settings),
            log=bootstrap.log(settings),
            coordinator=self._coordinator,
            jobs=Jobs(self._coordinator, bootstrap.train_queue(settings)),
            registry=Registry(self._coordinator),
            reference=ReferenceFile(settings),
            places=bootstrap.batches(settings),
            stopping=self._stopping,
        )
        self._cleanup = Cleanup(self._context.jobs, self._context.store, self._context.log)
        self._jobs = LeasedJobs(
            jobs=self._context.jobs,
            coordinator=self._coordinator,
            max_attempts=settings.max_attempts,
            stopping=self._stopping,
            train=self._train,
            ask_all=self._context.ask_all,
        )
        self._turns = Turns(self._context.jobs)
        self._watchdogs = Watchdogs(self._context.spark, self._busy)

    def start(self, app: Celery) -> None:
        """Warms Spark's Python workers, then registers the task and appears."""
        session.warm(self._context.spark, recipes.find(""))
        self._watchdogs.start()
        register_train_task(app, self.run)
        self._presence.set_idle(True)
        self._presence.start()

    def shut_down(self) -> None:
        """Asks the running job to stop at its next micro-batch, for another worker to go on."""
        self._stopping.set()

    def stop(self) -> None:
        """Leaves, with Spark."""
        self._stopping.set()
        self._watchdogs.stop()
        self._presence.stop()
        self._coordinator.close()
        self._context.spark.stop()

    def run(self, job_id: str) -> None:
        """Runs the job whose turn it is; the one that the message names if no other waits."""
        with self._busy:
            if self._stopping.is_set() or self._watchdogs.spark_is_over():
                # Before the lease is taken, so that the job is not charged for it.
                self._pass_on(job_id)
                return
            self._presence.set_idle(False)
            try:
                self._run_next(job_id)
                self._watchdogs.spark_is_over()
            finally:
                self._presence.set_idle(True)

    def _run_next(self, named: str) -> None:
        for job_id in self._turns.order(named):
            # Celery's thread has the next job too.
            with log_context.of("", job_id):
                if self._jobs.run(job_id):
                    self._cleanup.try_to_end(job_id)
                    self._turns.took(job_id)
                    return

    def _pass_on(self, job_id: str) -> None:
        """Sends a message on that came to a worker which ends, once this one takes no more."""
        time.sleep(_SECONDS_TO_HEAR_OF_A_SIGNAL)
        self._context.jobs.requeue(job_id)

    def _train(self, lease: Lease, job: pb.Job) -> None:
        parent = traces.parent({traces.TRACEPARENT: job.spec.origin.traceparent})
        try:
            with traces.span(TRAIN, kind=SpanKind.CONSUMER, parent=parent, job_id=job.job_id):
                logger.info("begins, or goes on, with %s", job.spec.images_batch_path or "an upload")
                self._run_of(lease, job).run()
        finally:
            measured.idle()

    def _run_of(self, lease: Lease, job: pb.Job) -> TrainingRun | ImportRun:
        if job.spec.is_model:
            return ImportRun(self._context, lease, job, self._context.store.read(job.spec.upload))
        return TrainingRun(self._context, lease, job, self._open_dataset(job.spec))

    def _open_dataset(self, spec: pb.TrainSpec) -> Dataset:
        upload = self._context.store.read(spec.upload) if spec.upload else None
        places, max_bytes = self._context.places, self._settings.max_dataset_bytes
        return train_request.open_batch(spec, upload, places, max_bytes)
