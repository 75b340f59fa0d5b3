"""What every job of a train worker uses."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from pyspark.sql import SparkSession

from digits.jobs.jobs import Jobs
from digits.models.reference import ReferenceFile
from digits.models.registry import Registry
from digits.ports import ArtifactStore, BlockLog, Coordinator
from digits.settings import Settings


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
    stopping: threading.Event
