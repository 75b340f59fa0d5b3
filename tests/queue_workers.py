"""Workers of the queue as a test runs them, and who asks them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from celery import Celery
from celery.contrib.testing.worker import start_worker

from digits.adapters.celery_queue import (
    CeleryClassifyQueue,
    make_app,
    register_classify_task,
    register_train_task,
)
from digits.adapters.reply_queue import ReplyPublisher
from digits.errors import QueueUnavailable
from digits.v1 import queue_pb2

# Celery would set the level of the root logger to "error", for every test that comes later in this process.
AS_IT_WAS: Mapping[str, Any] = {"loglevel": "warning", "perform_ping_check": False}
# A process of its own: two of Celery's workers in one share an event loop, and lose their connections.
_TRAINER = """
import sys, time
from pathlib import Path
from typing import Any
from digits.adapters.celery_queue import make_app, register_train_task

def train(job_id):
    print(job_id, file=sys.__stdout__, flush=True)
    while not Path(sys.argv[2]).exists():
        time.sleep(0.05)
    Path(f"{sys.argv[2]}: {job_id}").touch()

app = make_app(sys.argv[1])
register_train_task(app, train)
app.worker_main("--quiet worker --queues train --pool threads --concurrency 1".split())
"""


@contextlib.contextmanager
def answering(app: Celery, pool: str = "solo") -> Iterator[list[str]]:
    """Runs a worker that notes its jobs, and answers each picture with its mean."""
    jobs: list[str] = []
    replies = ReplyPublisher(app)

    def classify(body: bytes) -> bytes:
        batch = queue_pb2.ClassifyBatch.FromString(body)
        means = np.frombuffer(batch.pixels, np.uint8).reshape(-1, 784).mean(axis=1)
        result = queue_pb2.ClassifyBatchResult(
            probabilities=means.astype("<f4").tobytes(), model_version="v1"
        )
        return result.SerializeToString()

    def train(job_id: str) -> None:
        jobs.append(job_id)

    register_train_task(app, train)
    register_classify_task(app, replies, classify)
    app.conf.worker_enable_remote_control = True
    with start_worker(app, pool=pool, queues=["train", "classify"], **AS_IT_WAS):
        yield jobs
    replies.close()


@contextlib.contextmanager
def asking(url: str) -> Iterator[CeleryClassifyQueue]:
    queue = CeleryClassifyQueue(lambda: make_app(url))
    yield queue
    queue.close()


def is_answered(queue: CeleryClassifyQueue) -> bool:
    with contextlib.suppress(QueueUnavailable):
        return queue.classify(queue_pb2.ClassifyBatch(pixels=bytes(784)), 2).model_version == "v1"
    return False


@contextlib.contextmanager
def training(url: str, let_go: Path) -> Iterator[Callable[[], list[str]]]:
    """Runs a worker as a train worker's is, killed in the end; its jobs last until `let_go` is there.

    Yields what tells its jobs.
    """
    output = let_go.with_name(uuid.uuid4().hex)
    command = [sys.executable, "-c", _TRAINER, url, str(let_go)]
    with output.open("wb") as written, subprocess.Popen(command, stdout=written) as worker:
        try:
            yield lambda: output.read_text().split()
        finally:
            worker.kill()
