"""What stands for Spark and TensorFlow: a network that counts how often it has seen each image.

Its one tensor holds the counts, and averaging the partitions' tensors as real ones are averaged adds them up.
So the weights of a published model say by content what was trained, however the images came to be trained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from digits.datasets.dataset import Dataset, Subset
from digits.datasets.shards import Images, Shard
from digits.errors import Corrupt
from digits.models.evaluation import Judges
from digits.offsets import OffsetRanges
from digits.ports import StreamSource
from digits.training import recipes, tensors
from digits.training.lanes import Lanes, Stretch
from digits.training.local_sgd import PartitionResult
from digits.training.tensors import State
from digits.v1 import artifacts_pb2, models_pb2, training_pb2
from spark_jobs import partition_trainer
from spark_jobs.candidate import Candidate
from spark_jobs.micro_batches import MicroBatches
from spark_jobs.partition_trainer import Piece
from spark_jobs.plan import Plan
from spark_jobs.shard_filling import ShardFilling
from spark_jobs.training_state import TrainingState
from tests.simulation.ports import SimLog
from tests.simulation.scheduler import Process

IMAGES_PER_BLOCK = 2
IMAGES = 30
EPOCHS = 2
RECIPE = replace(
    recipes.find("fast"),
    epochs=EPOCHS,
    min_images_seen=0,
    # Twice as many are three blocks.
    micro_batch_images=3 * IMAGES_PER_BLOCK // 2,
    # Of a thousand images sixteen micro-batches, since it is between them that a job goes on.
    max_partition_images=16 * IMAGES_PER_BLOCK,
)
HELD_OUT = Images(np.zeros((2, 784), np.uint8), np.array([0, 1], np.uint8))

Rows = list[tuple[int, int, bytes]]


def dataset() -> Dataset:
    """Thirty images."""
    return Dataset([_subset(numbered(0, IMAGES))], [_subset(HELD_OUT)])


def numbered(start: int, end: int) -> Images:
    """Images that say their number, below 65,536, by their first two pixels."""
    numbers = np.arange(start, end)
    pixels = np.zeros((end - start, 784), np.uint8)
    pixels[:, 0], pixels[:, 1] = np.divmod(numbers, 256)
    return Images(pixels, (numbers % 10).astype(np.uint8))


def initial_state(*_: object) -> State:
    """Nothing was seen yet."""
    return {"seen": np.zeros(IMAGES, np.float32)}


def train_partitions(micro_batches: MicroBatches, rows: Rows) -> list[PartitionResult]:
    """What MicroBatches._train_partitions does on executors, of which every third is slow."""
    state, given = micro_batches.state, []
    for partition in sorted({row[0] for row in rows}):
        columns = zip(*(row for row in rows if row[0] == partition), strict=True)
        batch = pa.RecordBatch.from_pydict(
            dict(zip(partition_trainer.COLUMNS, map(list, columns), strict=True))
        )
        if pieces := partition_trainer._pieces(iter([batch]), state.trained, IMAGES_PER_BLOCK):
            is_slow = (state.micro_batch + partition) % 3 == 0
            given.append((pieces, 1 if is_slow else len(pieces)))
    total = sum(len(piece.labels) for pieces, count in given for piece in pieces[:count])
    return [_result(state, pieces[:count], len(pieces) - count, total) for pieces, count in given]


def _result(state: TrainingState, trained: list[Piece], left: int, total: int) -> PartitionResult:
    numbers = np.concatenate([piece.pixels[:, :2] @ np.array([256, 1]) for piece in trained])
    counts = np.bincount(numbers, minlength=IMAGES) * (total / len(numbers))
    seen = (state.tensors["seen"] + counts).astype(np.float32)
    offsets = OffsetRanges.union(piece.offsets for piece in trained)
    return PartitionResult({"seen": seen}, len(numbers), 0.1, len(numbers), offsets, left)


class SimQuery:
    """An epoch's query: it brings what its source holds, in order, and waits for more."""

    def __init__(self, spark: SimpleNamespace, source: StreamSource, train: Callable[[Rows], bool]) -> None:
        self._log: SimLog = spark.log
        self._process: Process = spark.process
        self._job_id, self._max_blocks = source.options["job"], int(source.options["max"])
        self._train = train

    def idle_seconds(self) -> float:
        return 0.0

    def run(self, folder: Path, check: Callable[[], None], check_seconds: float) -> None:
        read: dict[int, int] = {}
        over = False
        while not over:
            check()
            partitions = len(self._log.end_offsets(self._job_id))
            rows: Rows = []
            for partition in range(partitions):
                first, count = read.get(partition, 0), -(-self._max_blocks // partitions)
                rows += self._log.read(self._job_id, partition, first, count)
                read[partition] = max([first, *(row[1] + 1 for row in rows if row[0] == partition)])
            if rows:
                over = self._train(rows)
            else:
                self._process.point("await blocks")


def read_by_tasks(patches: pytest.MonkeyPatch) -> None:
    """Has the batch be read by tasks, each of which goes on at once, and may be killed amid its shard."""

    class AtOnce(nullcontext[None]):
        def __init__(self, *_: object) -> None:
            super().__init__(self)  # type: ignore[arg-type]

        def submit(self, run: Callable[[Sequence[Stretch]], object], stretches: Sequence[Stretch]) -> object:
            done: Future[object] = Future()
            done.set_result(run(stretches))
            return done

    def run(filling: ShardFilling, stretches: Sequence[Stretch]) -> list[object]:
        return [filling._work(stretch).append() for stretch in stretches]

    patches.setattr("spark_jobs.shard_filling.ThreadPoolExecutor", AtOnce)
    patches.setattr(ShardFilling, "_run_tasks", run)
    patches.setattr("spark_jobs.log_cut._are_read_by_tasks", lambda *_: True)
    # Five images are two blocks and a half.
    patches.setattr(Lanes, "are_full", lambda *_: True)


def evaluated(plan: Plan, state: TrainingState, keras_config: str, judges: Judges) -> Candidate:
    """The counts as a network that reads everything."""
    metrics = models_pb2.Metrics(accuracy=1.0, held_out_sha256=judges.held_out.sha256())
    weights = tensors.to_proto(state.tensors)
    bundle = artifacts_pb2.ModelBundle(weights=weights, metrics=metrics, onnx=b"whole")
    return Candidate(bundle, training_pb2.HeldOutReading())


class SimPredictor:
    """A network in memory."""

    def __init__(self, onnx: bytes, threads: int = 1) -> None:
        if onnx != b"whole":
            raise Corrupt("the network cannot be run")


def _subset(images: Images) -> Subset:
    shard = Shard("images", "images_batch", images.labels, lambda: iter([images.pixels]))
    return Subset(shard, np.ones(len(images), bool))
