"""What the queue does, over a real broker and a real worker's thread."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import numpy as np
import pytest
import redis
from amqp.exceptions import NotFound, ResourceLocked
from celery import Celery
from celery.contrib.testing.worker import start_worker
from kombu import Connection

from digits.adapters.celery_queue import (
    CeleryTrainQueue,
    make_app,
    register_train_task,
)
from digits.adapters.memory import MemoryTrainQueue
from digits.errors import QueueUnavailable
from digits.ports import TrainQueue
from digits.v1 import queue_pb2
from tests.brokers import Broker, broker_of
from tests.ports import free_port
from tests.queue_workers import AS_IT_WAS, answering, asking, is_answered, training
from tests.waiting import wait_until


@pytest.fixture(params=["valkey", "rabbitmq"])
def url(request: pytest.FixtureRequest) -> str:
    """Address of each broker."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def app(url: str) -> Celery:
    return make_app(url)


@pytest.fixture
def worker(url: str) -> Iterator[list[str]]:
    """A worker that notes the jobs it gets."""
    with answering(make_app(url)) as jobs:
        yield jobs


def test_a_batch_comes_back_answered(url: str, worker: list[str]) -> None:
    pixels = np.arange(3, dtype=np.uint8).repeat(784)
    with asking(url) as queue:
        answer = queue.classify(queue_pb2.ClassifyBatch(pixels=pixels.tobytes()), 10)
    assert np.frombuffer(answer.probabilities, "<f4").tolist() == [0, 1, 2]
    assert answer.model_version == "v1"


def test_a_batch_is_not_acknowledged_to_a_broker_that_keeps_no_track_of_it(tmp_path: Path) -> None:
    # Its own: what another test's worker has yet to acknowledge would count.
    broker = broker_of("valkey", tmp_path)
    with (
        broker.run(),
        answering(make_app(broker.url)),
        asking(broker.url) as queue,
        redis.Redis.from_url(broker.url) as server,
    ):
        server.config_resetstat()
        # What a worker does after its answer is done before its next one.
        for _ in range(2):
            queue.classify(queue_pb2.ClassifyBatch(pixels=bytes(784)), 10)
        commands = server.info("commandstats")
    assert commands["cmdstat_lpush"]["calls"] == 4
    assert "cmdstat_hdel" not in commands


def test_a_batch_takes_little_room_at_its_broker(valkey: str) -> None:
    pictures = np.zeros((40, 784), np.uint8)
    # As much ink as in a digit of MNIST, which has some 150 pixels of it.
    pictures[:, 300:450] = np.random.default_rng(0).integers(0, 256, (40, 150))
    with asking(valkey) as queue, redis.Redis.from_url(valkey) as server:
        with pytest.raises(QueueUnavailable):
            queue.classify(queue_pb2.ClassifyBatch(pixels=pictures.tobytes()), 0.1)
        (task,) = server.lrange("classify", 0, -1)
        server.delete("classify")
    assert len(task) < pictures.nbytes / 2


def test_an_enqueued_job_reaches_a_worker(app: Celery, worker: list[str]) -> None:
    CeleryTrainQueue(app).enqueue("job-1")
    wait_until(lambda: worker == ["job-1"])


def test_a_batch_that_nobody_takes_is_given_up_in_time(url: str) -> None:
    with asking(url) as queue, pytest.raises(QueueUnavailable, match="no classify worker"):
        queue.classify(queue_pb2.ClassifyBatch(), 0.2)


def test_batches_that_nobody_takes_do_not_pile_up(broker: Broker) -> None:
    with broker.run(), asking(broker.url) as queue:
        for _ in range(5):
            with pytest.raises(QueueUnavailable, match="no classify worker"):
                queue.classify(queue_pb2.ClassifyBatch(pixels=bytes(784)), 0.1)
        with Connection(broker.url) as connection:
            found = connection.default_channel.queue_declare("classify", passive=True).message_count
        assert found <= 1
        with answering(make_app(broker.url)):
            wait_until(lambda: is_answered(queue), what="an answer")


def test_a_worker_whose_clock_is_ahead_answers(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class AnHourAhead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(hours=1)

    # The clock by which a worker tells whether a task is too old.
    monkeypatch.setattr("celery.worker.request.datetime", AnHourAhead)
    with answering(make_app(url)), asking(url) as queue:
        assert queue.classify(queue_pb2.ClassifyBatch(pixels=bytes(784)), 10).model_version == "v1"


def test_a_line_that_hears_nothing_any_more_is_replaced(url: str, worker: list[str]) -> None:
    with asking(url) as queue:
        assert is_answered(queue)
        assert queue._replies
        # As if whoever is between had forgotten this connection.
        queue._replies._consumer.cancel()
        with pytest.raises(QueueUnavailable):
            queue.classify(queue_pb2.ClassifyBatch(pixels=bytes(784)), 0.3)
        assert is_answered(queue)


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_is_away_is_said_to_be(scheme: str) -> None:
    _is_refused_soon(f"{scheme}://127.0.0.1:{free_port()}")


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_never_answers_is_given_up_in_seconds(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        _is_refused_soon(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}", within_seconds=12)


def _is_refused_soon(url: str, within_seconds: float = 3) -> None:
    started = time.monotonic()
    with pytest.raises(QueueUnavailable):
        CeleryTrainQueue(make_app(url)).enqueue("job-1")
    with asking(url) as queue, pytest.raises(QueueUnavailable):
        queue.classify(queue_pb2.ClassifyBatch(), 0.2)
    assert time.monotonic() - started < within_seconds


def test_rabbitmq_keeps_no_reply_queue_of_a_caller_that_was_killed(rabbitmq: str) -> None:
    script = (
        "import sys, signal; from digits.adapters.celery_queue import make_app; "
        "from digits.adapters.reply_queue import ReplyConsumer; "
        "print(ReplyConsumer(make_app(sys.argv[1])).name, flush=True); signal.pause()"
    )
    command = [sys.executable, "-c", script, rabbitmq]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout
        name = caller.stdout.readline().strip()
        assert _reply_queue(rabbitmq, name) is ResourceLocked
        caller.kill()
    wait_until(lambda: _reply_queue(rabbitmq, name) is NotFound, what="the end of the reply queue")


def _reply_queue(url: str, name: str) -> type[Exception] | None:
    """What RabbitMQ says to somebody else who asks for the queue."""
    with Connection(url) as connection:
        try:
            connection.default_channel.queue_declare(name, passive=True)
        except (ResourceLocked, NotFound) as error:
            return type(error)
    return None


def test_rabbitmq_keeps_the_connection_of_a_worker_with_a_long_task(
    rabbitmq: str, caplog: pytest.LogCaptureFixture
) -> None:
    app, running_for, done = make_app(rabbitmq), 4.0, threading.Event()
    # RabbitMQ closes a connection that was silent for two of them.
    app.conf.broker_heartbeat = 1

    def train(job_id: str) -> None:
        threading.Event().wait(running_for)
        done.set()

    register_train_task(app, train)
    with start_worker(app, pool="threads", queues=["train"], **AS_IT_WAS):
        CeleryTrainQueue(app).enqueue("long")
        assert done.wait(30)
    assert "onnection" not in " ".join(record.getMessage() for record in caplog.records)


def test_a_busy_worker_holds_no_job_that_another_could_start(broker: Broker, tmp_path: Path) -> None:
    let_go = tmp_path / "let go"
    with broker.run(), training(broker.url, let_go) as busy:
        queue = CeleryTrainQueue(make_app(broker.url))
        queue.enqueue("first")
        wait_until(lambda: busy() == ["first"])
        queue.enqueue("second")
        # It would have come to the busy worker by now, if it did.
        queue.enqueue("third")
        with training(broker.url, let_go) as idle:
            wait_until(lambda: idle() == ["second"])
            let_go.touch()
            wait_until(lambda: sorted(busy() + idle()) == ["first", "second", "third"])


def test_rabbitmq_sends_the_job_of_a_killed_worker_again(rabbitmq: str, tmp_path: Path) -> None:
    CeleryTrainQueue(make_app(rabbitmq)).enqueue("job-1")
    with training(rabbitmq, tmp_path / "never") as jobs:
        wait_until(lambda: jobs() == ["job-1"])
    with answering(make_app(rabbitmq)) as again:
        wait_until(lambda: again == ["job-1"])


def test_a_queue_in_memory_keeps_the_order() -> None:
    queue: TrainQueue = MemoryTrainQueue()
    queue.enqueue("a")
    queue.enqueue("b")
    assert queue.job_ids == ["a", "b"]
