"""A network trained with `fast` as the executors train it, once a run."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from digits.datasets.shards import Images
from digits.models.onnx_graph import to_onnx
from digits.models.predictor import Predictor
from digits.training import architecture, blocks
from digits.training.local_sgd import PartitionResult
from digits.training.recipes import FAST
from digits.v1 import artifacts_pb2 as pb
from spark_jobs import partition_trainer
from spark_jobs.partition_trainer import MicroBatch


@pytest.fixture(scope="session")
def predictor(mnist: dict[str, np.ndarray]) -> Predictor:
    """Trained on MNIST's training images alone, by one partition."""
    partition_trainer.use_one_thread()
    images = Images(mnist["x_train"].reshape(-1, 784), mnist["y_train"])
    packed = list(enumerate(blocks.blocks([images])))
    size, state = FAST.micro_batch_images // blocks.IMAGES_PER_BLOCK, architecture.initial_state(FAST, 0)
    done = 0
    for start in range(0, len(packed), size):
        offsets, data = zip(*packed[start : start + size], strict=True)
        records = pa.RecordBatch.from_pydict({"partition": [0] * len(data), "offset": offsets, "block": data})
        work = MicroBatch(
            FAST, state, seed=0, images_before=done, images_total=len(images), partition_count=1
        )
        (row,) = partition_trainer.train_partitions(work)(iter([records]))
        report = pb.PartitionReport.FromString(row["report"][0].as_py())
        result = PartitionResult.from_proto(report)
        state, done = result.state, done + result.image_count
    return Predictor(to_onnx(FAST, state))
