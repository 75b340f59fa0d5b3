"""A network trained with `fast` as the executors train it, once a run."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from digits.datasets.shards import Images
from digits.models.onnx_graph import to_onnx
from digits.models.predictor import Predictor
from digits.training import architecture, blocks
from digits.training.local_sgd import PartitionResult, merge
from digits.training.recipes import FAST
from digits.v1 import artifacts_pb2 as pb
from spark_jobs import partition_trainer
from spark_jobs.partition_trainer import MicroBatch
from spark_jobs.plan import Plan

_PARTITIONS = 2


@pytest.fixture(scope="session")
def predictor(mnist: dict[str, np.ndarray]) -> Predictor:
    """Trained on MNIST's training images alone, by two partitions whose states are averaged, one by one."""
    partition_trainer.use_one_thread()
    images = Images(mnist["x_train"].reshape(-1, 784), mnist["y_train"])
    packed = list(enumerate(blocks.blocks([images])))
    size = Plan(FAST, len(images), _PARTITIONS).max_blocks
    state, done = architecture.initial_state(FAST, 0), 0
    for start in range(0, len(packed), size):
        work = MicroBatch(FAST, state, 0, done, len(images), _PARTITIONS)
        micro_batch = packed[start : start + size]
        results = [_trained(work, n, micro_batch[n::_PARTITIONS]) for n in range(_PARTITIONS)]
        state, done = merge(results), done + sum(result.image_count for result in results)
    return Predictor(to_onnx(FAST, state))


def _trained(work: MicroBatch, partition: int, rows: list[tuple[int, bytes]]) -> PartitionResult:
    offsets, data = zip(*rows, strict=True)
    columns = {"partition": [partition] * len(rows), "offset": offsets, "block": data}
    (row,) = partition_trainer.train_partitions(work)(iter([pa.RecordBatch.from_pydict(columns)]))
    return PartitionResult.from_proto(pb.PartitionReport.FromString(row["report"][0].as_py()))
