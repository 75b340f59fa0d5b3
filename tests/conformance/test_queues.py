"""What the queue does, over a real broker and a real worker's thread."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
from amqp.exceptions import NotFound, ResourceLocked
from celery import Celery
from celery.app.task import Context
from celery.contrib.testing.worker import start_worker
from kombu import Connection

from digits.adapters.celery_queue import (
    CeleryClassifyQueue,
    CeleryTrainQueue,
    make_app,
    register_classify_task,
    register_train_task,
)
from digits.adapters.memory import MemoryTrainQueue
from digits.adapters.reply_queue import ReplyPublisher
from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.errors import QueueUnavailable
from digits.jobs.jobs import Jobs, new_job
from digits.ports import TrainQueue
from digits.v1 import queue_pb2, training_pb2
from tests.conformance.conftest import require_rabbitmq
from tests.ports import free_port
from tests.servers import rabbitmq_server, rabbitmq_url, valkey_server
from tests.waiting import wait_until

# Celery would set the level of the root logger to "error", for every test that comes later in this process.
AS_IT_WAS: Mapping[str, Any] = {"loglevel": "warning", "perform_ping_check": False}


@dataclass(frozen=True)
class Broker:
    """Where it is, and how it runs for a while."""

    url: str
    run: Callable[[], AbstractContextManager[None]]


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
    with _answering(make_app(url)) as jobs:
        yield jobs


@contextlib.contextmanager
def _answering(app: Celery, pool: str = "solo") -> Iterator[list[str]]:
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
def _asking(url: str) -> Iterator[CeleryClassifyQueue]:
    queue = CeleryClassifyQueue(lambda: make_app(url))
    yield queue
    queue.close()


@pytest.fixture(params=["valkey", "rabbitmq"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Broker:
    """A broker of the test's own, to be started and stopped."""
    port = free_port()
    if request.param == "rabbitmq":
        require_rabbitmq()
        return Broker(rabbitmq_url(port), lambda: rabbitmq_server(tmp_path / "rabbitmq", port))
    return Broker(f"redis://127.0.0.1:{port}", lambda: valkey_server(tmp_path / "valkey", port))


def test_a_batch_comes_back_answered(url: str, worker: list[str]) -> None:
    pixels = np.arange(3, dtype=np.uint8).repeat(784)
    with _asking(url) as queue:
        answer = queue.classify(queue_pb2.ClassifyBatch(pixels=pixels.tobytes()), 10)
    assert np.frombuffer(answer.probabilities, "<f4").tolist() == [0, 1, 2]
    assert answer.model_version == "v1"


def test_a_batch_is_not_acknowledged_to_a_broker_that_keeps_no_track_of_it(valkey: str) -> None:
    with _answering(make_app(valkey)), _asking(valkey) as queue, redis.Redis.from_url(valkey) as server:
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
    with _asking(valkey) as queue, redis.Redis.from_url(valkey) as server:
        with pytest.raises(QueueUnavailable):
            queue.classify(queue_pb2.ClassifyBatch(pixels=pictures.tobytes()), 0.1)
        (task,) = server.lrange("classify", 0, -1)
        server.delete("classify")
    assert len(task) < pictures.nbytes / 2


def test_an_enqueued_job_reaches_a_worker(app: Celery, worker: list[str]) -> None:
    CeleryTrainQueue(app).enqueue("job-1")
    wait_until(lambda: worker == ["job-1"])


def test_a_batch_that_nobody_takes_is_given_up_in_time(url: str) -> None:
    with _asking(url) as queue, pytest.raises(QueueUnavailable, match="no classify worker"):
        queue.classify(queue_pb2.ClassifyBatch(), 0.2)


def test_batches_that_nobody_takes_do_not_pile_up(broker: Broker) -> None:
    with broker.run(), _asking(broker.url) as queue:
        for _ in range(5):
            with pytest.raises(QueueUnavailable, match="no classify worker"):
                queue.classify(queue_pb2.ClassifyBatch(pixels=bytes(784)), 0.1)
        with Connection(broker.url) as connection:
            found = connection.default_channel.queue_declare("classify", passive=True).message_count
        assert found <= 1
        with _answering(make_app(broker.url)):
            wait_until(lambda: _is_answered(queue), what="an answer")


def test_a_worker_whose_clock_is_ahead_answers(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class AnHourAhead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(hours=1)

    # The clock by which a worker tells whether a task is too old.
    monkeypatch.setattr("celery.worker.request.datetime", AnHourAhead)
    with _answering(make_app(url)), _asking(url) as queue:
        assert queue.classify(queue_pb2.ClassifyBatch(pixels=bytes(784)), 10).model_version == "v1"


def test_a_line_that_hears_nothing_any_more_is_replaced(url: str, worker: list[str]) -> None:
    with _asking(url) as queue:
        assert _is_answered(queue)
        assert queue._replies
        # As if whoever is between had forgotten this connection.
        queue._replies._consumer.cancel()
        with pytest.raises(QueueUnavailable):
            queue.classify(queue_pb2.ClassifyBatch(pixels=bytes(784)), 0.3)
        assert _is_answered(queue)


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
    with _asking(url) as queue, pytest.raises(QueueUnavailable):
        queue.classify(queue_pb2.ClassifyBatch(), 0.2)
    assert time.monotonic() - started < within_seconds


def test_the_answers_come_back_with_the_broker(broker: Broker) -> None:
    with _asking(broker.url) as queue:
        for _ in range(2):
            with pytest.raises(QueueUnavailable, match="does not answer"):
                queue.classify(queue_pb2.ClassifyBatch(), 0.2)
            with broker.run(), _answering(make_app(broker.url)):
                answer = queue.classify(queue_pb2.ClassifyBatch(pixels=bytes(784)), 10)
                assert answer.model_version == "v1"


def test_an_enqueued_job_outlives_its_broker(broker: Broker) -> None:
    with broker.run():
        CeleryTrainQueue(make_app(broker.url)).enqueue("job-1")
    with broker.run(), _answering(make_app(broker.url)) as jobs:
        wait_until(lambda: jobs == ["job-1"])


def test_a_worker_goes_on_when_its_broker_is_back(broker: Broker) -> None:
    with contextlib.ExitStack() as stack:
        with broker.run():
            jobs = stack.enter_context(_answering(make_app(broker.url), pool="threads"))
            CeleryTrainQueue(make_app(broker.url)).enqueue("before")
            wait_until(lambda: jobs == ["before"])
        stack.enter_context(broker.run())
        CeleryTrainQueue(make_app(broker.url)).enqueue("after")
        wait_until(lambda: jobs == ["before", "after"], seconds=60)
        with _asking(broker.url) as queue:
            wait_until(lambda: _answers(queue), what="an answer")
        stack.pop_all().close()


def test_a_workers_answers_go_out_again_once_their_broker_is_back(broker: Broker) -> None:
    app = make_app(broker.url)
    with contextlib.closing(ReplyPublisher(app)) as replies:
        for _ in range(2):
            replies.send(Context(id="1", reply_to="answers"), b"to nobody")
            with broker.run(), app.connection_for_read() as connection:
                answers = connection.SimpleQueue("answers", no_ack=True)
                replies.send(Context(id="2", reply_to="answers"), b"an answer")
                assert answers.get(timeout=10).body == b"an answer"
                answers.close()


def _answers(queue: CeleryClassifyQueue) -> bool:
    try:
        return bool(queue.classify(queue_pb2.ClassifyBatch(pixels=bytes(784)), 2).model_version)
    except QueueUnavailable:
        return False


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
def _training(url: str, let_go: Path) -> Iterator[Callable[[], list[str]]]:
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


def test_a_busy_worker_holds_no_job_that_another_could_start(broker: Broker, tmp_path: Path) -> None:
    let_go = tmp_path / "let go"
    with broker.run(), _training(broker.url, let_go) as busy:
        queue = CeleryTrainQueue(make_app(broker.url))
        queue.enqueue("first")
        wait_until(lambda: busy() == ["first"])
        queue.enqueue("second")
        # It would have come to the busy worker by now, if it did.
        queue.enqueue("third")
        with _training(broker.url, let_go) as idle:
            wait_until(lambda: idle() == ["second"])
            let_go.touch()
            wait_until(lambda: sorted(busy() + idle()) == ["first", "second", "third"])


def test_a_job_that_outlives_its_broker_does_not_keep_its_worker(broker: Broker, tmp_path: Path) -> None:
    let_go = tmp_path / "let go"
    with contextlib.ExitStack() as stack:
        with broker.run():
            jobs = stack.enter_context(_training(broker.url, let_go))
            CeleryTrainQueue(make_app(broker.url)).enqueue("long")
            wait_until(lambda: jobs() == ["long"])
        with broker.run():
            let_go.touch()
            CeleryTrainQueue(make_app(broker.url)).enqueue("next")
            # The broker may send the first again, of whose end it did not hear: the job's record does.
            wait_until(lambda: "next" in jobs(), seconds=60)
            assert set(jobs()) == {"long", "next"}


def test_a_worker_whose_job_ended_while_the_broker_was_away_takes_the_next(
    broker: Broker, tmp_path: Path
) -> None:
    let_go = tmp_path / "let go"
    with contextlib.ExitStack() as stack:
        with broker.run():
            jobs = stack.enter_context(_training(broker.url, let_go))
            CeleryTrainQueue(make_app(broker.url)).enqueue("long")
            wait_until(lambda: jobs() == ["long"])
        let_go.touch()
        wait_until(Path(f"{let_go}: long").exists)
        with broker.run():
            for job in ("next", "after"):
                CeleryTrainQueue(make_app(broker.url)).enqueue(job)
                # The broker may send the first again, of whose end it did not hear: the job's record does.
                wait_until(lambda job=job: job in jobs(), seconds=60, what=f"the job {job}")


def test_a_job_that_outlasts_rabbitmqs_patience_runs_once_and_its_worker_goes_on(
    zookeeper: str, tmp_path: Path
) -> None:
    require_rabbitmq()
    # Half an hour by default, looked at once a minute.
    impatient = "[{rabbit, [{consumer_timeout, 2000}, {channel_tick_interval, 500}]}].\n"
    (tmp_path / "advanced.config").write_text(impatient)
    port = free_port()
    with rabbitmq_server(tmp_path, port), _trainers(rabbitmq_url(port), zookeeper, tmp_path) as trainers:
        job = trainers.submit()
        wait_until(lambda: any(trainers.said("runs", job)))
        busy = trainers.said("runs", job).index(True)
        wait_until(lambda: trainers.said("leaves", job)[1 - busy], what="the message at the other worker")
        trainers.jobs.cancel(job)
        wait_until(lambda: trainers.jobs.unfinished() == [])
        assert (trainers.jobs.get(job).attempt_count, sum(trainers.said("runs", job))) == (1, 1)
        # Each worker runs one of them.
        for after in (trainers.submit(), trainers.submit()):
            wait_until(lambda job=after: any(trainers.said("runs", job)), what="the next job")
        for after in trainers.jobs.unfinished():
            trainers.jobs.cancel(after.job_id)
        wait_until(lambda: trainers.jobs.unfinished() == [])


@dataclass(frozen=True)
class Trainers:
    """Two workers that hold leases, and what they wrote."""

    jobs: Jobs
    outputs: list[Path]

    def submit(self) -> str:
        """A new job's id."""
        job = new_job(training_pb2.TrainSpec())
        self.jobs.add(job)
        return job.job_id

    def said(self, what: str, job_id: str) -> list[bool]:
        """Whether each of them did that to a job."""
        return [f"{what} {job_id}\n" in output.read_text() for output in self.outputs]


@contextlib.contextmanager
def _trainers(broker_url: str, zookeeper: str, folder: Path) -> Iterator[Trainers]:
    """Two of leaseholder.py, as processes of their own."""
    coordinator_url = f"zookeeper://{zookeeper}/{uuid.uuid4().hex}"
    outputs = [folder / "one", folder / "other"]
    with contextlib.ExitStack() as stack:
        coordinator = ZooKeeperCoordinator(coordinator_url, session_seconds=4)
        stack.callback(coordinator.close)
        for output in outputs:
            written = stack.enter_context(output.open("wb"))
            errors = stack.enter_context(Path(f"{output}.log").open("wb"))
            command = [sys.executable, "-m", "tests.conformance.leaseholder", broker_url, coordinator_url]
            worker = subprocess.Popen(command, stdout=written, stderr=errors)
            stack.callback(worker.wait)
            stack.callback(worker.kill)
        yield Trainers(Jobs(coordinator, CeleryTrainQueue(make_app(broker_url))), outputs)


def test_rabbitmq_sends_the_job_of_a_killed_worker_again(rabbitmq: str, tmp_path: Path) -> None:
    CeleryTrainQueue(make_app(rabbitmq)).enqueue("job-1")
    with _training(rabbitmq, tmp_path / "never") as jobs:
        wait_until(lambda: jobs() == ["job-1"])
    with _answering(make_app(rabbitmq)) as again:
        wait_until(lambda: again == ["job-1"])


def _is_answered(queue: CeleryClassifyQueue) -> bool:
    with contextlib.suppress(QueueUnavailable):
        return queue.classify(queue_pb2.ClassifyBatch(pixels=bytes(784)), 2).model_version == "v1"
    return False


def test_a_queue_in_memory_keeps_the_order() -> None:
    queue: TrainQueue = MemoryTrainQueue()
    queue.enqueue("a")
    queue.enqueue("b")
    assert queue.job_ids == ["a", "b"]
