"""What an executor does with its partition of a micro-batch. TensorFlow is imported on executors alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from digits.offsets import OffsetRanges
from digits.training import architecture, blocks
from digits.training.local_sgd import PartitionResult
from digits.training.recipes import Recipe, Schedule
from digits.training.tensors import State

if TYPE_CHECKING:
    from spark_jobs.compiled_training import CompiledTraining

NOTHING = OffsetRanges()

ArrowFunction = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]
COLUMNS = ("partition", "offset", "block")
REPORT_SCHEMA = "report binary"


@dataclass(frozen=True)
class MicroBatch:
    """What every partition of one micro-batch starts from.

    `images_before` of `images_total` (all passes of all epochs together) place it on the learning-rate
    schedule (another one if it is `continued`, from a trained network), on which `partition_count` partitions
    advance side by side. Each partition goes `passes` times through its images, in another order each time;
    the same seed shuffles in the same way. Blocks that are in `trained` are left out: a restarted query may
    bring them again.
    """

    recipe: Recipe
    state: State
    seed: int
    images_before: int
    images_total: int
    partition_count: int
    passes: int = 1
    continued: bool = False
    trained: OffsetRanges = NOTHING


@dataclass(frozen=True)
class Partition:
    """A partition's images, in the order of their offsets: uint8 (n, 784) and (n,)."""

    pixels: np.ndarray
    labels: np.ndarray
    offsets: OffsetRanges


def train_partitions(work: MicroBatch) -> ArrowFunction:
    """Returns the function for DataFrame.mapInArrow that trains on one partition.

    It reads the columns partition (int), offset (long) and block (binary), and answers with one row of
    one column, `report` (binary): a digits.v1.PartitionReport, also if the partition is empty.
    """

    def train(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        partition = _read(batches, work.trained)
        result = _train(work, partition) if partition else PartitionResult({}, 0, 0.0, 0, OffsetRanges())
        yield _row(result.to_proto().SerializeToString())

    return train


def warm(recipe: Recipe) -> ArrowFunction:
    """Returns the function for mapInArrow that imports TensorFlow and compiles the recipe's training.

    It reads its partition, trains a throw-away state on empty pictures, and answers with one row of one
    column, `report` (binary): Keras's configuration of the network, as JSON.
    """

    def warm_up(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            pass
        training = _compiled(recipe)
        pixels, labels = np.zeros((2, 784), np.uint8), np.zeros(2, np.uint8)
        training.train(
            architecture.initial_state(recipe, 0), pixels, labels, recipe.schedule(np.zeros(1)), seed=0
        )
        yield _row(training.keras_config().encode())

    return warm_up


def _read(batches: Iterator[pa.RecordBatch], trained: OffsetRanges) -> Partition | None:
    columns = ([batch[name].to_pylist() for name in COLUMNS] for batch in batches)
    # A log may hold a block twice, always the same one for an offset.
    fresh = {
        (partition, offset): block
        for values in columns
        for partition, offset, block in zip(*values, strict=True)
        if not trained.holds(partition, offset)
    }
    if not fresh:
        return None
    # Spark promises no order, and the same images must be trained on in the same order again.
    offsets = sorted(fresh)
    images = [blocks.unpack(fresh[offset]) for offset in offsets]
    return Partition(
        pixels=np.concatenate([image.pixels for image in images]),
        labels=np.concatenate([image.labels for image in images]),
        offsets=OffsetRanges.of(offsets),
    )


def _train(work: MicroBatch, partition: Partition) -> PartitionResult:
    first = partition.offsets.ranges[0]
    seeds = np.random.SeedSequence((work.seed % 2**64, work.images_before, first.partition, first.start))
    random = np.random.default_rng(seeds)
    order = np.concatenate([random.permutation(len(partition.labels)) for _ in range(work.passes)])
    trained = _compiled(work.recipe).train(
        work.state,
        partition.pixels[order],
        partition.labels[order],
        _schedule(work, len(order)),
        seed=int(seeds.generate_state(1)[0] >> 1),
    )
    return PartitionResult(
        trained.state, len(order), trained.loss_sum, trained.correct_count, partition.offsets
    )


def _schedule(work: MicroBatch, count: int) -> Schedule:
    """What each of the partition's batches is trained with.

    The last batch is not dropped, and not a small one either: the images are spread evenly.
    """
    batches = -(-count // work.recipe.partition_batch_size(work.partition_count, work.images_total))
    trained = work.images_before + np.arange(batches) * (count / batches) * work.partition_count
    return work.recipe.schedule(trained / work.images_total, work.continued)


def _row(report: bytes) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"report": pa.array([report], pa.binary())})


@lru_cache
def _compiled(recipe: Recipe) -> CompiledTraining:
    """The recipe's compiled training, kept as long as this Python worker lives."""
    use_one_thread()
    from spark_jobs.compiled_training import CompiledTraining  # noqa: PLC0415

    return CompiledTraining(recipe)


@lru_cache
def use_one_thread() -> None:
    """Imports TensorFlow for one thread a process, before anything else in the process uses it.

    Spark gives a core to each partition; two processes of one thread train faster than one of two.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf  # noqa: PLC0415

    tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
