"""What the queue does, over a real broker and a real worker's thread."""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from celery import Celery, Task
from celery.contrib.testing.worker import start_worker

from deploy.native import preflight
from deploy.native.valkey import valkey_command
from digits.adapters.celery_queue import (
    CLASSIFY,
    TRAIN,
    CeleryClassifyQueue,
    CeleryTrainQueue,
    make_app,
)
from digits.adapters.memory import MemoryTrainQueue
from digits.adapters.reply_queue import Replies
from digits.errors import QueueUnavailable
from digits.ports import TrainQueue
from digits.v1 import queue_pb2
from tests.conftest import free_port, running, wait_until


@pytest.fixture(scope="module")
def app(valkey: str) -> Celery:
    return make_app(valkey)


@pytest.fixture
def worker(valkey: str) -> Iterator[list[str]]:
    """A worker that notes the jobs it gets."""
    with _answering(make_app(valkey)) as jobs:
        yield jobs


@contextlib.contextmanager
def _answering(app: Celery) -> Iterator[list[str]]:
    """Runs a worker that notes its jobs, and answers each picture with its mean."""
    jobs: list[str] = []

    replies = Replies(app)

    def classify(task: Task, body: str) -> None:
        batch = queue_pb2.ClassifyBatch.FromString(base64.b64decode(body))
        means = np.frombuffer(batch.pixels, np.uint8).reshape(-1, 784).mean(axis=1)
        result = queue_pb2.ClassifyBatchResult(
            probabilities=means.astype("<f4").tobytes(), model_version="v1"
        )
        replies.send(task.request, result.SerializeToString())

    def train(job_id: str) -> None:
        jobs.append(job_id)

    app.task(train, name=TRAIN, shared=False)
    app.task(classify, name=CLASSIFY, bind=True, shared=False)
    app.conf.worker_enable_remote_control = True
    with start_worker(app, pool="solo", queues=["train", "classify"], perform_ping_check=False):
        yield jobs


def test_a_batch_comes_back_answered(app: Celery, worker: list[str]) -> None:
    pixels = np.arange(3, dtype=np.uint8).repeat(784)
    batch = queue_pb2.ClassifyBatch(pixels=pixels.tobytes())
    answer = CeleryClassifyQueue(lambda: app).classify(batch, 10)
    assert np.frombuffer(answer.probabilities, "<f4").tolist() == [0, 1, 2]
    assert answer.model_version == "v1"


def test_an_enqueued_job_reaches_a_worker(app: Celery, worker: list[str]) -> None:
    CeleryTrainQueue(app).enqueue("job-1")
    wait_until(lambda: worker == ["job-1"])


def test_a_batch_that_nobody_takes_is_given_up_in_time(app: Celery) -> None:
    with pytest.raises(QueueUnavailable, match="no classify worker"):
        CeleryClassifyQueue(lambda: app).classify(queue_pb2.ClassifyBatch(), 0.2)


def test_a_broker_that_is_away_is_said_to_be() -> None:
    nobody = f"redis://127.0.0.1:{free_port()}"
    app = make_app(nobody)
    with pytest.raises(QueueUnavailable):
        CeleryTrainQueue(app).enqueue("job-1")
    started = time.monotonic()
    with pytest.raises(QueueUnavailable):
        CeleryClassifyQueue(lambda: app).classify(queue_pb2.ClassifyBatch(), 0.2)
    assert time.monotonic() - started < 3


def test_the_answers_come_back_with_the_broker(tmp_path: Path) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}"
    queue = CeleryClassifyQueue(lambda: make_app(url))
    command = valkey_command(preflight.valkey_binary(), tmp_path, port)
    for _ in range(2):
        with pytest.raises(QueueUnavailable, match="does not answer"):
            queue.classify(queue_pb2.ClassifyBatch(), 0.2)
        with running(command, port, tmp_path / "log"), _answering(make_app(url)):
            assert queue.classify(queue_pb2.ClassifyBatch(pixels=bytes(784)), 10).model_version == "v1"


def test_a_queue_in_memory_keeps_the_order() -> None:
    queue: TrainQueue = MemoryTrainQueue()
    queue.enqueue("a")
    queue.enqueue("b")
    assert queue.job_ids == ["a", "b"]
