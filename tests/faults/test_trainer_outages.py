"""A trainer that is stopped past its lease or cut off from ZooKeeper: no image is lost or trained twice."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from digits.client.errors import RemoteError
from digits.jobs.states import is_final
from digits.v1 import training_pb2 as pb
from tests.faults.long_job import start_long_job
from tests.processes import suspended
from tests.service import Service
from tests.waiting import wait_until


@contextmanager
def another_train_worker(service: Service) -> Iterator[None]:
    """Runs a second train worker beside the service's own."""
    # On another port for its metrics.
    environment = service.process("train-worker").environ() | {"DIGITS_METRICS_PORT": "0"}
    log = service.var_dir / "logs" / "another-train-worker.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "workers", "train"]
        worker = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        try:
            yield
        finally:
            worker.terminate()
            worker.wait(timeout=60)


def stall(process: psutil.Process, seconds: float) -> None:
    """Has a process do nothing for that long, which is the fault itself and no wait for something."""
    with suspended(process):
        time.sleep(seconds)


def test_a_trainer_stopped_past_its_lease_stands_down_and_no_image_is_lost_or_trained_twice(
    outage_service: Service,
) -> None:
    stopped = outage_service.process("train-worker")
    with outage_service.client() as client:
        training = client.train(images_batch_path="slice.npz", recipe="fast", promotion=pb.NEVER)
        job_id = next(progress.job_id for progress in training if progress.images_ingested)
        with another_train_worker(outage_service):
            with suspended(stopped):
                before = client.get_job(job_id).lease_id
                wait_until(
                    lambda: client.get_job(job_id).lease_id > before, seconds=120, what="another trainer"
                )
            job = [client.get_job(job_id) for _ in client.watch_job(job_id)][-1]
            assert (job.state, job.progress.images_trained) == (pb.SUCCEEDED, job.progress.images_total)
            after = next(iter(client.train(images_batch_path="tiny.npz", promotion=pb.NEVER))).job_id
            assert [client.get_job(after) for _ in client.watch_job(after)][-1].state == pb.SUCCEEDED
    assert stopped.is_running(), "it trains on after it stood down"


def test_zookeeper_away_for_a_moment_after_a_jobs_first_message_costs_nothing(
    outage_service: Service,
) -> None:
    zookeeper = outage_service.process("zookeeper")
    with outage_service.client() as client:
        job_id = next(iter(client.train(images_batch_path="tiny.npz", promotion=pb.NEVER))).job_id
        stall(zookeeper, seconds=4)
        wait_until(lambda: _ended(outage_service, job_id), seconds=120, what="the job's end")
        job = client.get_job(job_id)
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1)


def test_three_stalls_of_zookeeper_that_end_each_session_cost_no_attempt(outage_service: Service) -> None:
    job_id = start_long_job(outage_service)
    zookeeper = outage_service.process("zookeeper")
    with outage_service.client() as client:
        for _ in range(3):
            before = client.get_job(job_id)
            stall(zookeeper, seconds=11)
            wait_until(lambda b=before: _goes_on(outage_service, b), seconds=120, what="another lease")
        wait_until(lambda: _ended(outage_service, job_id), seconds=120, what="the job's end")
        job = client.get_job(job_id)
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1)
    assert job.progress.images_trained == job.progress.images_total


def _ended(service: Service, job_id: str) -> bool:
    job = _job(service, job_id)
    return job is not None and is_final(job)


def _goes_on(service: Service, before: pb.Job) -> bool:
    """Whether the job ended, or has trained a micro-batch under another lease."""
    job = _job(service, before.job_id)
    if job is None or is_final(job):
        return job is not None
    return job.lease_id > before.lease_id and job.progress.micro_batch > before.progress.micro_batch


def _job(service: Service, job_id: str) -> pb.Job | None:
    try:
        with service.client() as client:
            return client.get_job(job_id)
    except RemoteError:
        return None
