"""A job that takes longer than RabbitMQ waits for its acknowledgement."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from digits.adapters.celery_queue import CeleryTrainQueue, make_app
from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.jobs.jobs import Jobs, new_job
from digits.v1 import training_pb2
from tests.conftest import require_rabbitmq
from tests.ports import free_port
from tests.servers import rabbitmq_server, rabbitmq_url
from tests.waiting import wait_until


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
