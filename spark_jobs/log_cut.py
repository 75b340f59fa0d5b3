"""How a job's log is cut: decided once, with what its first trainer has."""

from __future__ import annotations

from dataclasses import dataclass

from digits.datasets.dataset import Dataset
from digits.jobs.leases import Lease
from digits.training import architecture, blocks
from digits.training.lanes import Lanes, lanes
from digits.training.partitioning import Means, choose
from digits.training.recipes import Recipe
from digits.v1 import training_pb2 as pb
from spark_jobs.training_context import TrainingContext


@dataclass(frozen=True)
class Cut:
    """What the offsets in a checkpoint are of."""

    partitions: int
    images_per_block: int
    lanes: Lanes | None
    """Where each shard's blocks are, if Spark's tasks read the batch."""


def decided(context: TrainingContext, lease: Lease, recipe: Recipe, seed: int, dataset: Dataset) -> Cut:
    """As the job's record has it, whoever trains it later and with however many cores.

    If it does not say yet it is chosen and written, with its reason; raises LeaseLost, Cancelled.
    """
    images = dataset.train_count

    def decide(job: pb.Job) -> None:
        if not job.log_partition_count:
            choice = choose(_means(context, recipe, images))
            job.log_partition_count = choice.count
            job.partition_decision.CopyFrom(choice.to_proto())
            job.images_per_block = blocks.images_per_block(images)
            job.blocks_by_shard = _are_read_by_tasks(context, dataset) and are_even_and_full(job)

    def are_even_and_full(job: pb.Job) -> bool:
        dealt = lanes_of(job)
        return dealt.are_even() and dealt.are_full(images, job.images_per_block)

    def lanes_of(job: pb.Job) -> Lanes:
        counts = list(map(len, dataset.train_subsets))
        return lanes(counts, job.log_partition_count, job.images_per_block, seed)

    job = lease.edit(decide)
    by_shard = lanes_of(job) if job.blocks_by_shard else None
    return Cut(job.log_partition_count, job.images_per_block or blocks.IMAGES_PER_BLOCK, by_shard)


def _are_read_by_tasks(context: TrainingContext, dataset: Dataset) -> bool:
    """Only if executors find what this worker does: files of HDFS, and a log in Kafka."""
    settings = context.settings
    is_wanted = settings.executors_read_batches and settings.log.startswith("kafka:")
    return is_wanted and dataset.files.are_shared()


def _means(context: TrainingContext, recipe: Recipe, images: int) -> Means:
    settings = context.settings
    alone = settings.spark_master.startswith("local")
    state = architecture.initial_state(recipe, seed=0)
    return Means(
        cores=context.spark.sparkContext.defaultParallelism,
        images=images,
        memory_bytes=settings.trainer_memory_bytes,
        network_bytes_per_second=0 if alone else settings.network_bytes_per_second,
        state_bytes=sum(tensor.nbytes for tensor in state.values()),
        micro_batch_seconds=settings.target_batch_seconds,
    )
