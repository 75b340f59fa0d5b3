"""One training job from its batch to a published model, resumable after any micro-batch."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

import digits
from digits.datasets.dataset import Dataset
from digits.errors import HandedOver
from digits.jobs.jobs import Jobs
from digits.jobs.leases import Lease
from digits.models import evaluation, onnx_graph
from digits.models.predictor import Predictor
from digits.models.publishing import Publisher
from digits.models.registry import Registry
from digits.ports import ArtifactStore, BlockLog, Coordinator
from digits.settings import Settings
from digits.training import architecture, blocks, recipes, tensors
from digits.training.checkpoints import Checkpoints
from digits.training.ingest import Ingest
from digits.training.local_sgd import PartitionResult
from digits.training.partitioning import partition_count
from digits.training.window import BatchSizer, IngestWindow
from digits.v1 import artifacts_pb2, models_pb2
from digits.v1 import training_pb2 as pb
from spark_jobs import session
from spark_jobs.epoch import EpochQuery
from spark_jobs.partition_trainer import MicroBatch, train_partitions
from spark_jobs.progress import ProgressReport
from spark_jobs.training_state import TrainingState

_CHECK_SECONDS = 0.25
_FILL_SECONDS = 60.0
# Two networks averaged once, at the end, are worse than either: 89 % after 12,000 images.
_MIN_ROUNDS = 4


@dataclass(frozen=True)
class TrainingContext:
    """What every job of a train worker uses."""

    settings: Settings
    spark: SparkSession
    store: ArtifactStore
    log: BlockLog
    coordinator: Coordinator
    jobs: Jobs
    registry: Registry
    stopping: threading.Event


class TrainingRun:
    """Runs a leased job. `run` raises what ends it early; the newest checkpoint stays to go on from."""

    def __init__(self, context: TrainingContext, lease: Lease, job: pb.Job, dataset: Dataset) -> None:
        self._context, self._lease, self._spec, self._dataset = context, lease, job.spec, dataset
        self._recipe = recipes.find(job.spec.recipe)
        self._report = ProgressReport(lease)
        self._checkpoints = Checkpoints(context.store, lease.job_id)
        self._total_blocks = -(-dataset.train_count // blocks.IMAGES_PER_BLOCK)
        self._total_images = dataset.train_count * self._recipe.epochs
        cores = context.spark.sparkContext.defaultParallelism
        self._partitions = partition_count(cores, dataset.train_count, context.settings.trainer_memory_bytes)
        self._state = self._resume()

    def run(self) -> None:
        """Ingests, trains every epoch, evaluates and publishes."""
        most = self._max_blocks()
        self._sizer = BatchSizer(most, most, self._context.settings.target_batch_seconds)
        self._report.enter(
            pb.INGESTING,
            images_total=self._total_images,
            epochs=self._recipe.epochs,
            epoch=self._state.epoch,
            images_trained=self._state.images_trained,
            micro_batch=self._state.micro_batch,
        )
        self._context.log.create(self._lease.job_id, self._partitions)
        self._window = self._open_window()
        packed = blocks.blocks(self._dataset.train(self._spec.seed))
        with Ingest(self._context.log, self._lease.job_id, packed, self._window, self._ingested) as ingest:
            self._ingest = ingest
            # While the first images are read: a recipe that is new to the workers is compiled outside
            # the first micro-batch, whose time would mislead the sizer.
            self._keras_config = session.warm(self._context.spark, self._recipe)
            self._train_epochs()
        self._publish()

    def _max_blocks(self) -> int:
        """Blocks in a micro-batch at most: what the recipe says, cut so that an epoch has no small rest.

        Each partition gives as many, since Kafka's source rounds each one's share down.
        """
        most = self._recipe.micro_batch_images // blocks.IMAGES_PER_BLOCK
        rounds = max(_MIN_ROUNDS, -(-self._total_blocks // most))
        return -(-self._total_blocks // (rounds * self._partitions)) * self._partitions

    def _resume(self) -> TrainingState:
        checkpoint = self._checkpoints.newest()
        if checkpoint:
            return TrainingState.from_proto(checkpoint)
        return TrainingState(architecture.initial_state(self._recipe, self._spec.seed))

    def _open_window(self) -> IngestWindow:
        """Bounds the first epoch. A later one reads what is there, or all again where that was lost."""
        appended = sum(self._context.log.end_offsets(self._lease.job_id))
        if self._state.epoch > 1:
            return IngestWindow(self._total_blocks, appended, appended)
        return IngestWindow(2 * self._sizer.blocks, appended, self._state.trained.count())

    def _train_epochs(self) -> None:
        if self._state.epoch == 1:
            self._window.wait_for(self._sizer.blocks, self._total_blocks, _FILL_SECONDS)
        self._check()
        self._report.enter(pb.TRAINING)
        while True:
            if not self._epoch_is_over():
                log, job_id = self._context.log, self._lease.job_id
                source = log.source(job_id, self._state.trained, self._sizer.blocks)
                query = EpochQuery(self._context.spark, source, self._micro_batch)
                query.run(self._check, _CHECK_SECONDS)
            if self._state.epoch == self._recipe.epochs:
                return
            self._state = self._state.next_epoch()

    def _micro_batch(self, fresh: DataFrame) -> bool:
        """Trains one micro-batch and commits it; returns whether the epoch is over."""
        started = time.monotonic()
        results = self._train_partitions(fresh)
        if not any(result.image_count for result in results):
            return self._epoch_is_over()
        before = self._state
        self._state = before.after(results, time.monotonic() - started)
        self._checkpoints.commit(self._state.to_proto(self._lease.job_id, self._lease.number))
        self._tell(before, results, time.monotonic() - started)
        return self._epoch_is_over()

    def _train_partitions(self, fresh: DataFrame) -> list[PartitionResult]:
        work = MicroBatch(
            recipe=self._recipe,
            state=self._state.tensors,
            seed=self._spec.seed,
            images_before=self._state.images_trained,
            images_total=self._total_images,
            partition_count=self._partitions,
            trained=self._state.trained,
        )
        shared = fresh.coalesce(self._partitions)
        rows = shared.mapInArrow(train_partitions(work), "report binary").collect()
        reports = (artifacts_pb2.PartitionReport.FromString(bytes(row.report)) for row in rows)
        return [PartitionResult.from_proto(report) for report in reports]

    def _tell(self, before: TrainingState, results: Sequence[PartitionResult], seconds: float) -> None:
        trained = self._state.trained.count() - before.trained.count()
        images = self._state.images_trained - before.images_trained
        self._sizer.measured(trained, seconds)
        if self._state.epoch == 1:
            self._window.mark_trained(trained, 2 * self._sizer.blocks)
        self._report.trained(
            eta_seconds=(self._total_images - self._state.images_trained) * seconds / images,
            images_trained=self._state.images_trained,
            images_ingested=self._images(self._window.appended()),
            backlog_images=self._images(self._window.unread()),
            epoch=self._state.epoch,
            micro_batch=self._state.micro_batch,
            images_per_second=images / seconds,
            loss=sum(result.loss_sum for result in results) / images,
            accuracy=sum(result.correct_count for result in results) / images,
        )

    def _epoch_is_over(self) -> bool:
        return self._state.trained.count() >= self._total_blocks

    def _check(self) -> None:
        self._ingest.check()
        if self._context.stopping.is_set():
            raise HandedOver(self._lease.job_id)

    def _ingested(self) -> None:
        self._report.ingested(self._images(self._window.appended()), self._images(self._window.unread()))

    def _images(self, block_count: int) -> int:
        return min(block_count * blocks.IMAGES_PER_BLOCK, self._dataset.train_count)

    def _publish(self) -> None:
        self._report.enter(pb.EVALUATING)
        held_out = self._dataset.held_out()
        onnx = onnx_graph.to_onnx(self._recipe, self._state.tensors)
        metrics = evaluation.evaluate(Predictor(onnx, self._partitions), held_out)
        self._report.enter(pb.PUBLISHING)
        bundle = artifacts_pb2.ModelBundle(
            onnx=onnx,
            keras_config=self._keras_config,
            weights=tensors.to_proto(architecture.weights(self._state.tensors)),
            metrics=metrics,
            provenance=self._provenance(),
        )
        context = self._context
        publisher = Publisher(context.store, context.registry, context.coordinator, self._lease)
        publisher.publish(bundle, self._spec.promotion, held_out)

    def _provenance(self) -> models_pb2.Provenance:
        return models_pb2.Provenance(
            job_id=self._lease.job_id,
            data_name=self._spec.images_batch_path or "upload",
            data_sha256=self._dataset.sha256(),
            recipe=self._recipe.name,
            seed=self._spec.seed,
            code_version=digits.__version__,
            image_count=self._dataset.train_count,
            epochs=self._recipe.epochs,
            training_seconds=self._state.seconds,
        )
