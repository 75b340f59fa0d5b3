"""A train worker: one job at a time, under its lease."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from digits.datasets.dataset import Dataset
from digits.datasets.places import BatchPlaces
from digits.errors import InvalidInput
from digits.jobs.cleanup import Cleanup
from digits.jobs.jobs import Jobs
from digits.jobs.leases import Lease
from digits.jobs.membership import Membership
from digits.models.reference import Reference
from digits.models.registry import Registry
from digits.settings import Settings
from digits.v1 import training_pb2 as pb
from spark_jobs.training import TrainingRun
from spark_jobs.training_context import TrainingContext
from tests.simulation import spark
from tests.simulation.ports import SimCoordinator, SimLog, SimQueue, SimStore, Systems
from tests.simulation.scheduler import Process, Task
from tests.simulation.threads import Going
from workers.leased_jobs import LeasedJobs

_MAX_ATTEMPTS = 3
# What a seed says of a job's images.
GOOD, HOPELESS, POISON = 0, 1, 2


class Trainer:
    """One process, put together as workers/train.py does."""

    def __init__(self, process: Process, systems: Systems, cores: int, checkpoint_every: int) -> None:
        self.process = process
        self.coordinator = coordinator = SimCoordinator(process, systems)
        store, log = SimStore(process, systems), SimLog(process, systems)
        jobs = Jobs(coordinator, SimQueue(process, systems))
        self.stopping = Going(process)
        self._presence = Membership(coordinator, "train")
        self._context = TrainingContext(
            settings=Settings(checkpoint_micro_batches=checkpoint_every),
            spark=SimpleNamespace(
                sparkContext=SimpleNamespace(defaultParallelism=cores), process=process, log=log
            ),
            store=store,
            log=log,
            coordinator=coordinator,
            jobs=jobs,
            registry=Registry(coordinator),
            reference=SimpleNamespace(load=lambda: Reference(None)),
            places=BatchPlaces(Path()),
            stopping=self.stopping,
        )
        self._cleanup = Cleanup(jobs, store, log)
        self._leased = LeasedJobs(
            jobs=jobs,
            coordinator=coordinator,
            max_attempts=_MAX_ATTEMPTS,
            stopping=self.stopping,
            train=self._train,
            ask_all=self._context.ask_all,
        )
        self.job_id = ""
        self._presence.set_idle(True)

    def take(self, job_id: str) -> Task:
        """Begins a job whose message came."""
        self.job_id = job_id
        return self.process.spawn("train", lambda: self._run(job_id))

    def tick(self) -> list[Task]:
        """Says that it lives."""
        if any(task.name == "membership" for task in self.process.tasks):
            return []
        return [self.process.spawn("membership", self._presence._appear)]

    def _run(self, job_id: str) -> None:
        self._presence.set_idle(False)
        try:
            self._leased.run(job_id)
            self._cleanup.try_to_end(job_id)
        finally:
            if self.process.alive:
                self.job_id = ""
                self._presence.set_idle(True)

    def _train(self, lease: Lease, job: pb.Job) -> None:
        TrainingRun(self._context, lease, job, self._open(job.spec)).run()

    def _open(self, spec: pb.TrainSpec) -> Dataset:
        self._context.store.read(spec.upload)
        if spec.seed == HOPELESS:
            raise InvalidInput("images_batch", "holds no images")
        if spec.seed == POISON:
            self.process.die()
        return spark.dataset()
