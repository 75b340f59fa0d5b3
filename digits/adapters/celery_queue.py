"""The task queue: Celery over any of its brokers. Tasks are sent by name; workers/ runs them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from celery import Celery, Task
from kombu.entity import Queue

from digits.adapters import broker_connection
from digits.adapters.reply_queue import AWAY, ReplyConsumer, ReplyPublisher, abandon
from digits.compression import compress, decompress
from digits.errors import QueueUnavailable
from digits.settings import Settings
from digits.v1 import queue_pb2

TRAIN = "digits.train"
CLASSIFY = "digits.classify"
_CLASSIFY_QUEUE = "classify"

_CONFIRM_SECONDS = 5.0
_MAX_BATCH_BYTES = 64 * 1024 * 1024
_MAX_TRAINING_SECONDS = 7 * 24 * 3600


def make_app(broker_url: str, tls: Mapping[str, Any] | None = None) -> Celery:
    """The Celery application that callers and workers share; `tls` is its `broker_use_ssl`."""
    app = Celery("digits", broker=broker_url)
    app.conf.update(
        broker_use_ssl=dict(tls) if tls else False,
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
        # A train worker keeps its message until its job is done, and gets no other: register_train_task.
        worker_prefetch_multiplier=1,
        # A training goes on without its broker; what the record says of it holds.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # A RabbitMQ whose patience with a message is over closes the channel. The worker opens another and
        # stays warm; without this it ended after its job.
        broker_channel_error_retry=True,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        # A worker waits for its broker for as long as it takes; by default it gives up after 100 attempts.
        broker_connection_max_retries=None,
        broker_connection_timeout=2.0,
        # RabbitMQ: each side misses the other after 20 s. Beating every second also wakes the worker's loop,
        # which otherwise hears a SIGTERM up to 10 s late.
        broker_heartbeat=10,
        broker_heartbeat_checkrate=10,
        broker_transport_options={
            "socket_connect_timeout": 2.0,
            # Longer than the second for which a worker waits on an empty queue.
            "socket_timeout": 5.0,
            # Redis and Valkey send again what was not acknowledged for so long: longer than any training.
            # A worker that died is missed within seconds by the reconciler, who sends the job again.
            "visibility_timeout": _MAX_TRAINING_SECONDS,
            "max_retries": 1,
            "interval_start": 0,
        },
    )
    return app


def app_of(settings: Settings) -> Celery:
    """The application on the broker that the settings name, with what they say of its security."""
    return make_app(broker_connection.address(settings), broker_connection.tls(settings))


def register_train_task(app: Celery, run: Callable[[str], None]) -> None:
    """Has this worker run the train queue's jobs, each acknowledged when it is done.

    docs/decisions/train-messages-are-acknowledged-late.md
    """
    request = "digits.adapters.late_acknowledgement:LateAcknowledgedRequest"
    app.task(run, name=TRAIN, acks_late=True, ignore_result=True, shared=False, Request=request)


def register_classify_task(app: Celery, replies: ReplyPublisher, answer: Callable[[bytes], bytes]) -> None:
    """Has this worker answer the classify queue's batches: a ClassifyBatch in, a ClassifyBatchResult out."""

    def classify(task: Task, body: str) -> None:
        replies.send(task.request, answer(_unpacked(body)))

    request = "digits.adapters.unacknowledged:UnacknowledgedRequest"
    app.task(classify, name=CLASSIFY, bind=True, ignore_result=True, shared=False, Request=request)


class CeleryTrainQueue:
    """Sends job ids to train workers."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def enqueue(self, job_id: str) -> None:
        """See TrainQueue. RabbitMQ confirms that the message is on disk.

        Jobs are rare: each is sent over a connection of its own, so never over one that the broker forgot.
        """
        connection = self._app.connection_for_write(transport_options={"confirm_publish": True})
        try:
            self._app.send_task(
                TRAIN,
                args=[job_id],
                ignore_result=True,
                retry=False,
                producer=self._app.amqp.Producer(connection, auto_declare=False),
                confirm_timeout=_CONFIRM_SECONDS,
            )
            connection.close()
        except AWAY as error:
            abandon(connection)
            raise QueueUnavailable("the task queue does not answer") from error


class CeleryClassifyQueue:
    """Sends batches to classify workers and waits for their answers. One thread at a time.

    Answers come by a queue of its own: docs/decisions/a-standing-reply-queue.md.
    """

    def __init__(self, make: Callable[[], Celery]) -> None:
        self._make = make
        self._replies: ReplyConsumer | None = None
        self._unanswered = False

    def classify(
        self, batch: queue_pb2.ClassifyBatch, timeout_seconds: float
    ) -> queue_pb2.ClassifyBatchResult:
        """See ClassifyQueue.

        A line that brought no answer is replaced: it may be one that hears nothing any more. After that
        nothing is sent while what was sent before still lies there.
        """
        body = _packed(batch.SerializeToString())
        try:
            if self._replies is None:
                self._replies = ReplyConsumer(self._make())
            if self._unanswered and (waiting := self._replies.count_waiting(_CLASSIFY_QUEUE)):
                raise QueueUnavailable(f"no classify worker takes the {waiting} batches that wait")
            answer = self._replies.ask(CLASSIFY, body, timeout_seconds)
        except AWAY as error:
            self.close()
            raise QueueUnavailable("the task queue does not answer") from error
        self._unanswered = answer is None
        if answer is None:
            self.close()
            raise QueueUnavailable(f"no classify worker answered in {timeout_seconds:g} s")
        return queue_pb2.ClassifyBatchResult.FromString(answer)

    def close(self) -> None:
        """Leaves; the next batch connects anew."""
        if self._replies is not None:
            self._replies.abandon()
            self._replies = None


def _packed(batch: bytes) -> str:
    """A batch as text for a task's JSON, which Celery and kombu each write and read: it had better be short.

    40 pictures take 8 KB in place of 42, and come back 0.9 ms (of 8.7) earlier.
    """
    return base64.b64encode(compress(batch)).decode("ascii")


def _unpacked(body: str) -> bytes:
    return decompress(base64.b64decode(body), _MAX_BATCH_BYTES)
