"""What every job of a train worker uses."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from pyspark.sql import SparkSession

from digits.datasets.places import BatchPlaces
from digits.jobs.jobs import Jobs
from digits.models.reference import ReferenceFile
from digits.models.registry import Registry
from digits.ports import ArtifactStore, BlockLog, Coordinator
from digits.settings import Settings
from digits.training.checkpoints import Checkpoints


@dataclass(frozen=True)
class TrainingContext:
    """The warm Spark, the ports, and whether the worker was told to stop."""

    settings: Settings
    spark: SparkSession
    store: ArtifactStore
    log: BlockLog
    coordinator: Coordinator
    jobs: Jobs
    registry: Registry
    reference: ReferenceFile
    places: BatchPlaces
    stopping: threading.Event

    def ask_all(self, job_id: str) -> None:
        """Raises Unavailable if the coordinator, the store, the log or where batches are is away."""
        self.jobs.get(job_id)
        # Writing and reading ask more than listing does: an HDFS in safe mode reads, one without a
        # DataNode lists.
        Checkpoints(self.store, job_id).try_out()
        self.log.end_offsets(job_id)
        self.places.ask()
