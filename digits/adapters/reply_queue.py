"""Answers to tasks, over any of Celery's brokers: each caller hears one queue, for as long as it lives."""

from __future__ import annotations

import contextlib
import logging
import time
import uuid

import amqp.exceptions
import celery.exceptions
import kombu.exceptions
import redis.exceptions
from celery import Celery
from celery.app.task import Context
from kombu.connection import Connection
from kombu.entity import TRANSIENT_DELIVERY_MODE, Queue
from kombu.message import Message
from kombu.messaging import Producer

logger = logging.getLogger(__name__)

# What Celery and kombu raise, and what the clients of the brokers raise through them.
AWAY = (
    kombu.exceptions.KombuError,
    celery.exceptions.CeleryError,
    OSError,
    amqp.exceptions.AMQPError,
    redis.exceptions.RedisError,
)


class ReplyConsumer:
    """Asks workers over one pair of connections, and hears their answers on a queue of its own."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self.name = f"classify-reply-{uuid.uuid4().hex}"
        # Nobody would send the heartbeats of a connection that is idle between calls.
        self._sending, self._hearing = (
            app.connection_for_write(heartbeat=0),
            app.connection_for_read(heartbeat=0),
        )
        self._producer = app.amqp.Producer(self._sending, auto_declare=False)
        queue = Queue(self.name, exclusive=True, auto_delete=True, durable=False)  # type: ignore[no-untyped-call]
        self._answer: bytes | None = None
        self._awaited = ""
        self._consumer = self._hearing.Consumer([queue], on_message=self._hear, no_ack=True)
        self._consumer.consume()

    def ask(self, task: str, body: str, timeout_seconds: float) -> bytes | None:
        """Sends the task and returns the reply, None if it is late; raises one of AWAY."""
        deadline = time.monotonic() + timeout_seconds
        self._awaited, self._answer = uuid.uuid4().hex, None
        self._app.send_task(
            task,
            args=[body],
            argsrepr=task,  # Celery would write down the body's first kilobyte once more, for its logs.
            task_id=self._awaited,
            reply_to=self.name,
            # Not `expires`: Celery makes it a time of day, and a worker whose clock is ahead drops every
            # task.
            expiration=timeout_seconds,
            delivery_mode=TRANSIENT_DELIVERY_MODE,
            ignore_result=True,
            retry=False,
            producer=self._producer,
        )
        while self._answer is None and (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                self._hearing.drain_events(timeout=left)
        return self._answer

    def count_waiting(self, queue: str) -> int:
        """How many tasks lie in a queue; raises one of AWAY."""
        # A question about a queue that nobody declared yet costs its channel.
        with self._sending.channel() as channel, contextlib.suppress(amqp.exceptions.ChannelError):
            return int(channel.queue_declare(queue, passive=True).message_count)
        return 0

    def abandon(self) -> None:
        """Closes both connections without asking the broker, which may be away."""
        abandon(self._sending)
        abandon(self._hearing)

    def _hear(self, message: Message) -> None:
        """Keeps the awaited answer; one that comes too late is dropped."""
        if message.properties.get("correlation_id") == self._awaited:
            self._answer = message.body


class ReplyPublisher:
    """A worker's side: sends answers to the queues that its callers hear."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._connection: Connection | None = None
        self._producer: Producer | None = None

    def send(self, request: Context, answer: bytes) -> None:
        """Answers a task's request; logs what cannot be sent, since the caller asks elsewhere by then."""
        try:
            self._connected().publish(  # type: ignore[no-untyped-call]
                answer,
                exchange="",
                routing_key=request.reply_to,
                correlation_id=request.id,
                content_type="application/x-protobuf",
                content_encoding="binary",
                delivery_mode="transient",
                retry=True,
                retry_policy={"max_retries": 1, "interval_start": 0},
            )
        except AWAY as error:
            logger.warning("an answer was not delivered: %s", error)
            self.close()

    def close(self) -> None:
        """Leaves; a later answer connects anew, since the producer of a closed connection sends no more."""
        if self._connection is not None:
            abandon(self._connection)
        self._connection = self._producer = None

    def _connected(self) -> Producer:
        if self._producer is None:
            self._connection = self._app.connection_for_write(heartbeat=0)
            self._producer = self._app.amqp.Producer(self._connection, auto_declare=False)
        return self._producer


def abandon(connection: Connection) -> None:
    """Closes a connection without asking the broker, which may be away."""
    with contextlib.suppress(*AWAY):
        connection.collect(socket_timeout=0.1)  # type: ignore[no-untyped-call]
