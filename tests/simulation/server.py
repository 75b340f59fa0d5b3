"""A server: it admits, promotes, leads or not, and follows what serves. Callers are its threads."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from digits.datasets.places import BatchPlaces
from digits.feedback.labels import Labels
from digits.jobs.admission import Admission
from digits.jobs.cleanup import Cleanup
from digits.jobs.housekeeping import Housekeeping
from digits.jobs.jobs import Jobs
from digits.jobs.reconciler import Reconciler
from digits.jobs.retention import JobRetention, Limits
from digits.jobs.sweep import Sweep
from digits.models.promotion import Promotion
from digits.models.registry import Registry
from digits.models.retention import ModelRetention
from digits.serving.model_loader import ModelLoader
from digits.serving.serving_model import ServingModel
from tests.simulation.ports import SimCoordinator, SimLog, SimQueue, SimStore, Systems
from tests.simulation.scheduler import Process, Task

_MAX_ATTEMPTS = 3
_LIMITS = Limits(30 * 24 * 3600.0, 1000)


class Server:
    """One process, put together as server/app.py does."""

    def __init__(self, process: Process, systems: Systems) -> None:
        self.process = process
        self.coordinator = coordinator = SimCoordinator(process, systems)
        store, log = SimStore(process, systems), SimLog(process, systems)
        self.jobs = jobs = Jobs(coordinator, SimQueue(process, systems))
        self.registry = registry = Registry(coordinator)
        self.admission = Admission(
            jobs,
            store,
            BatchPlaces(Path()),
            Labels(store, max_per_caller=10),
            find_model=registry.get,
            max_dataset_bytes=1 << 20,
            max_jobs_per_caller=100,
        )
        self.promotion = Promotion(registry, store, coordinator)
        self.reconciler = Reconciler(jobs, coordinator, _MAX_ATTEMPTS)
        models = ModelRetention(registry, jobs, store, coordinator)
        self.housekeeping = Housekeeping(
            self.reconciler.leads,
            Cleanup(jobs, store, log).end_all,
            [
                jobs.mend_index,
                Sweep(jobs, store, log).run,
                models.sweep,
                partial(JobRetention(jobs, coordinator).prune, _LIMITS),
                partial(models.prune, _LIMITS),
            ],
        )
        self.serving = ServingModel(registry, ModelLoader(registry, store))
        registry.watch_alias(self.serving._hear)
        self._turns = {
            "reconciler": self.reconciler.turn,
            "housekeeping": self.housekeeping.turn,
            "serving model": self._follow,
        }

    def tick(self) -> list[Task]:
        """Begins a turn of each loop that is not in one."""
        busy = {task.name for task in self.process.tasks}
        return [self.process.spawn(name, turn) for name, turn in self._turns.items() if name not in busy]

    def _follow(self) -> None:
        self.coordinator.hear()
        self.serving._follow()
