"""What a fresh interpreter has loaded: who does not need something heavy does not pay for it."""

from __future__ import annotations

import subprocess
import sys

from tests import parquet_batches

NOT_FOR_THE_BRIDGE = {
    "tensorflow",
    "keras",
    "pyspark",
    "celery",
    "kazoo",
    "onnxruntime",
    "onnx",
    "server",
    "workers",
}
SENT_TO_EXECUTORS = """
from digits.training import architecture, recipes
from pyspark import cloudpickle
from spark_jobs.partition_trainer import MicroBatch, train_partitions, warm

state = architecture.initial_state(recipes.FAST, 0)
sent = cloudpickle.dumps(train_partitions(MicroBatch(recipes.FAST, state, 0, 0, 1, 1)))
cloudpickle.dumps(warm(recipes.FAST))
assert len(sent) < 750_000, len(sent)
"""

OPENED = """
from digits.datasets.dataset import open_upload

assert open_upload({}, "images_batch", 1 << 20).train_count
"""


def loaded(program: str) -> set[str]:
    """The packages that Python has loaded once it has run the program."""
    code = f"{program}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_bridge_loads_neither_models_nor_queues_nor_the_coordinator() -> None:
    found = loaded("import rest_bridge.wsgi")
    assert "flask" in found
    assert not NOT_FOR_THE_BRIDGE & found


def test_help_needs_neither_grpc_nor_the_settings() -> None:
    found = loaded("import cli.main")
    assert "typer" in found
    assert not {"grpc", "pydantic", "kazoo", "numpy"} & found


def test_a_server_that_reads_parquet_has_no_pyarrow() -> None:
    found = loaded(f"import server.app\n{OPENED.format(parquet_batches.TRAIN)}")
    assert "grpc" in found
    assert not {"pyarrow", "pandas"} & found


def test_the_work_travels_to_executors_without_tensorflow() -> None:
    found = loaded(SENT_TO_EXECUTORS)
    assert "pyspark" in found
    assert not {"tensorflow", "keras"} & found
