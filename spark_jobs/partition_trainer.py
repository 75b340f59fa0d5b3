"""What an executor does with its partition of a micro-batch. TensorFlow is imported on executors alone."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from digits.datasets.shards import Images
from digits.offsets import OffsetRanges
from digits.training import architecture, blocks
from digits.training.local_sgd import PartitionResult
from digits.training.recipes import Recipe, Schedule
from digits.training.tensors import State

if TYPE_CHECKING:
    from spark_jobs.compiled_training import CompiledTraining

NOTHING = OffsetRanges()

# At so many places a partition may stop in what takes a core five seconds: each costs some milliseconds.
STOPS = 4

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
    bring them again. A partition that is at work for more than `max_seconds` leaves the rest of its blocks,
    so that the others do not wait for it.
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
    max_seconds: float = math.inf


@dataclass(frozen=True)
class Piece:
    """Some of a partition's blocks in the order of their offsets, as uint8 (n, 784) and (n,)."""

    pixels: np.ndarray
    labels: np.ndarray
    offsets: OffsetRanges


def train_partitions(work: MicroBatch) -> ArrowFunction:
    """Returns the function for DataFrame.mapInArrow that trains on one partition.

    It reads the columns partition (int), offset (long) and block (binary), and answers with one row of
    one column, `report` (binary): a digits.v1.PartitionReport, also if the partition is empty.
    """

    def train(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        until = time.monotonic() + work.max_seconds
        # Several passes are over all of its images.
        images = work.recipe.max_partition_images // STOPS if work.passes == 1 else None
        result = _train(work, _pieces(batches, work.trained, images), until)
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


def _pieces(batches: Iterator[pa.RecordBatch], trained: OffsetRanges, images: int | None) -> list[Piece]:
    """What is not `trained` yet, in pieces of about so many `images`, or in one; none if there is nothing."""
    columns = ([batch[name].to_pylist() for name in COLUMNS] for batch in batches)
    # A log may hold a block twice, always the same one for an offset.
    fresh = {
        (partition, offset): block
        for values in columns
        for partition, offset, block in zip(*values, strict=True)
        if not trained.holds(partition, offset)
    }
    # Spark promises no order, and the same images must be trained on in the same order again.
    unpacked = [(offset, blocks.unpack(fresh[offset])) for offset in sorted(fresh)]
    total = sum(len(block) for _, block in unpacked)
    count = min(len(unpacked), math.ceil(total / images)) if images else min(1, len(unpacked))
    cuts = [len(unpacked) * number // count for number in range(count)] if count else []
    return [_piece(unpacked[start:end]) for start, end in pairwise([*cuts, len(unpacked)])]


def _piece(unpacked: list[tuple[tuple[int, int], Images]]) -> Piece:
    return Piece(
        pixels=np.concatenate([block.pixels for _, block in unpacked]),
        labels=np.concatenate([block.labels for _, block in unpacked]),
        offsets=OffsetRanges.of(offset for offset, _ in unpacked),
    )


def _train(work: MicroBatch, pieces: Sequence[Piece], until: float) -> PartitionResult:
    """Trains one piece after the other until there is no more time, and one at least."""
    state, trained = work.state, list[PartitionResult]()
    for piece in pieces:
        if trained and time.monotonic() >= until:
            break
        trained.append(_train_piece(work, state, piece, sum(each.image_count for each in trained)))
        state = trained[-1].state
    return PartitionResult(
        state=state if trained else {},
        image_count=sum(each.image_count for each in trained),
        loss_sum=sum(each.loss_sum for each in trained),
        correct_count=sum(each.correct_count for each in trained),
        offsets=OffsetRanges.union(each.offsets for each in trained),
        left_block_count=sum(piece.offsets.count() for piece in pieces[len(trained) :]),
    )


def _train_piece(work: MicroBatch, state: State, piece: Piece, images_before: int) -> PartitionResult:
    """`images_before` of this partition were trained in this micro-batch."""
    first = piece.offsets.ranges[0]
    seeds = np.random.SeedSequence((work.seed % 2**64, work.images_before, first.partition, first.start))
    random = np.random.default_rng(seeds)
    order = np.concatenate([random.permutation(len(piece.labels)) for _ in range(work.passes)])
    trained = _compiled(work.recipe).train(
        state,
        piece.pixels[order],
        piece.labels[order],
        _schedule(work, images_before, len(order)),
        seed=int(seeds.generate_state(1)[0] >> 1),
    )
    return PartitionResult(trained.state, len(order), trained.loss_sum, trained.correct_count, piece.offsets)


def _schedule(work: MicroBatch, images_before: int, count: int) -> Schedule:
    """What each of a piece's batches is trained with.

    The last batch is not dropped, and not a small one either: the images are spread evenly.
    """
    batches = -(-count // work.recipe.partition_batch_size(work.partition_count, work.images_total))
    trained = images_before + np.arange(batches) * (count / batches)
    progress = (work.images_before + trained * work.partition_count) / work.images_total
    return work.recipe.schedule(progress, work.continued)


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
