"""The task queue: Celery over any of its brokers. Tasks are sent by name; workers/ runs them."""

from __future__ import annotations

import base64
from collections.abc import Callable

from celery import Celery
from kombu.entity import Queue

from digits.adapters.reply_queue import AWAY, ReplyQueue
from digits.errors import QueueUnavailable
from digits.v1 import queue_pb2

TRAIN = "digits.train"
CLASSIFY = "digits.classify"


def make_app(broker_url: str) -> Celery:
    """The Celery application that callers and workers share."""
    app = Celery("digits", broker=broker_url)
    app.conf.update(
        task_serializer="json",
        task_ignore_result=True,
        accept_content=["json"],
        task_queues=[
            Queue("train", routing_key="train"),  # type: ignore[no-untyped-call]
            # A caller does not wait for a batch to be delivered twice, so nothing keeps track of deliveries.
            # Besides the time, that saves a worker from an ack that fails with its broker: kombu then hangs.
            Queue("classify", routing_key="classify", no_ack=True),  # type: ignore[no-untyped-call]
        ],
        task_routes={TRAIN: {"queue": "train"}, CLASSIFY: {"queue": "classify"}},
        # The job record, not the message, is the truth: a lost message is sent again by the reconciler.
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=2.0,
        broker_transport_options={
            "socket_connect_timeout": 2.0,
            # Longer than the second for which a worker waits on an empty queue.
            "socket_timeout": 5.0,
            "max_retries": 1,
            "interval_start": 0,
        },
    )
    return app


class CeleryTrainQueue:
    """Sends job ids to train workers."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def enqueue(self, job_id: str) -> None:
        """See TrainQueue."""
        try:
            self._app.send_task(TRAIN, args=[job_id], ignore_result=True, retry=False)
        except AWAY as error:
            raise QueueUnavailable("the task queue does not answer") from error


class CeleryClassifyQueue:
    """Sends batches to classify workers and waits for their answers. One thread at a time.

    Answers come by a queue of its own: docs/decisions/a-standing-reply-queue.md.
    """

    def __init__(self, make: Callable[[], Celery]) -> None:
        self._make = make
        self._replies: ReplyQueue | None = None

    def classify(
        self, batch: queue_pb2.ClassifyBatch, timeout_seconds: float
    ) -> queue_pb2.ClassifyBatchResult:
        """See ClassifyQueue."""
        body = base64.b64encode(batch.SerializeToString()).decode("ascii")
        try:
            if self._replies is None:
                self._replies = ReplyQueue(self._make())
            answer = self._replies.ask(CLASSIFY, body, timeout_seconds)
        except AWAY as error:
            self._start_over()
            raise QueueUnavailable("the task queue does not answer") from error
        if answer is None:
            raise QueueUnavailable(f"no classify worker answered in {timeout_seconds:g} s")
        return queue_pb2.ClassifyBatchResult.FromString(answer)

    def _start_over(self) -> None:
        """The next batch connects anew."""
        if self._replies is not None:
            self._replies.abandon()
            self._replies = None
