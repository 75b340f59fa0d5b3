"""The task queue: Celery over any of its brokers. Tasks are sent by name; workers/ runs them."""

from __future__ import annotations

import base64
from collections.abc import Callable

import celery.exceptions
import kombu.exceptions
from celery import Celery
from kombu.entity import Queue

from digits.errors import QueueUnavailable
from digits.v1 import queue_pb2

TRAIN = "digits.train"
CLASSIFY = "digits.classify"

_AWAY = (kombu.exceptions.OperationalError, celery.exceptions.CeleryError, ConnectionError, OSError)


def make_app(broker_url: str, result_url: str) -> Celery:
    """The Celery application that callers and workers share."""
    app = Celery("digits", broker=broker_url, backend=result_url)
    app.conf.update(
        task_serializer="json",
        result_serializer="json",
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
        result_expires=60,
        # A caller decides what to do without an answer; waiting for a lost backend is not it.
        result_backend_transport_options={"retry_policy": {"max_retries": 1, "interval_start": 0}},
        redis_socket_connect_timeout=2.0,
        redis_socket_timeout=5.0,
        redis_retry_on_timeout=True,
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
        except _AWAY as error:
            raise QueueUnavailable("the task queue does not answer") from error


class CeleryClassifyQueue:
    """Sends batches to classify workers and waits. One thread at a time: Celery's results want that."""

    def __init__(self, make: Callable[[], Celery]) -> None:
        self._make = make
        self._app = make()

    def classify(
        self, batch: queue_pb2.ClassifyBatch, timeout_seconds: float
    ) -> queue_pb2.ClassifyBatchResult:
        """See ClassifyQueue."""
        body = base64.b64encode(batch.SerializeToString()).decode("ascii")
        try:
            result = self._app.send_task(CLASSIFY, args=[body], expires=timeout_seconds, retry=False)
            answer = result.get(timeout=timeout_seconds, disable_sync_subtasks=False)
        except celery.exceptions.TimeoutError as error:
            result.forget()
            raise QueueUnavailable(f"no classify worker answered in {timeout_seconds:g} s") from error
        except (*_AWAY, RuntimeError) as error:
            self._start_over()
            raise QueueUnavailable("the task queue does not answer") from error
        return queue_pb2.ClassifyBatchResult.FromString(base64.b64decode(answer))

    def _start_over(self) -> None:
        """Takes a new application: once its result backend is lost, Celery asks for just that."""
        self._app.close()
        self._app = self._make()
