"""A broker that goes away and comes back, under its callers and its workers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from celery.app.task import Context

from digits.adapters.celery_queue import CeleryTrainQueue, make_app
from digits.adapters.reply_queue import ReplyPublisher
from digits.errors import QueueUnavailable
from digits.v1 import queue_pb2
from tests.brokers import Broker
from tests.queue_workers import answering, asking, is_answered, training
from tests.waiting import wait_until


def test_the_answers_come_back_with_the_broker(broker: Broker) -> None:
    with asking(broker.url) as queue:
        for _ in range(2):
            with pytest.raises(QueueUnavailable, match="does not answer"):
                queue.classify(queue_pb2.ClassifyBatch(), 0.2)
            with broker.run(), answering(make_app(broker.url)):
                answer = queue.classify(queue_pb2.ClassifyBatch(pixels=bytes(784)), 10)
                assert answer.model_version == "v1"


def test_an_enqueued_job_outlives_its_broker(broker: Broker) -> None:
    with broker.run():
        CeleryTrainQueue(make_app(broker.url)).enqueue("job-1")
    with broker.run(), answering(make_app(broker.url)) as jobs:
        wait_until(lambda: jobs == ["job-1"])


def test_a_worker_goes_on_when_its_broker_is_back(broker: Broker) -> None:
    with contextlib.ExitStack() as stack:
        with broker.run():
            jobs = stack.enter_context(answering(make_app(broker.url), pool="threads"))
            CeleryTrainQueue(make_app(broker.url)).enqueue("before")
            wait_until(lambda: jobs == ["before"])
        stack.enter_context(broker.run())
        CeleryTrainQueue(make_app(broker.url)).enqueue("after")
        wait_until(lambda: jobs == ["before", "after"], seconds=60)
        with asking(broker.url) as queue:
            wait_until(lambda: is_answered(queue), what="an answer")
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


def busy_as_its_broker_goes(
    broker: Broker, let_go: Path, stack: contextlib.ExitStack
) -> Callable[[], list[str]]:
    """A worker with a long job whose broker has just gone away; what tells its jobs."""
    with broker.run():
        jobs = stack.enter_context(training(broker.url, let_go))
        CeleryTrainQueue(make_app(broker.url)).enqueue("long")
        wait_until(lambda: jobs() == ["long"])
    return jobs


def test_a_job_that_outlives_its_broker_does_not_keep_its_worker(broker: Broker, tmp_path: Path) -> None:
    let_go = tmp_path / "let go"
    with contextlib.ExitStack() as stack:
        jobs = busy_as_its_broker_goes(broker, let_go, stack)
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
        jobs = busy_as_its_broker_goes(broker, let_go, stack)
        let_go.touch()
        wait_until(Path(f"{let_go}: long").exists)
        with broker.run():
            for job in ("next", "after"):
                CeleryTrainQueue(make_app(broker.url)).enqueue(job)
                # The broker may send the first again, of whose end it did not hear: the job's record does.
                wait_until(lambda job=job: job in jobs(), seconds=60, what=f"the job {job}")
