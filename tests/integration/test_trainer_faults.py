"""A trainer that is killed, stopped, cut off or told to stop: no image is lost or trained twice."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from digits.client.errors import RemoteError
from digits.jobs.states import is_final
from digits.v1 import training_pb2 as pb
from tests.integration.long_job import start_long_job
from tests.service import Service
from tests.small_disk import small_disk
from tests.waiting import wait_until


@contextmanager
def another_train_worker(service: Service) -> Iterator[None]:
    """Runs a second train worker beside the service's own."""
    environment = service.process("train-worker").environ()
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
    process.suspend()
    try:
        time.sleep(seconds)
    finally:
        process.resume()


def test_a_killed_trainer_resumes_from_its_checkpoint_and_trains_each_image_once(
    breakable_service: Service,
) -> None:
    job_id = start_long_job(breakable_service)
    with breakable_service.client() as client:
        interrupted = client.get_job(job_id)
        before, before_lease_id = interrupted.progress, interrupted.lease_id
        breakable_service.process("train-worker").kill()
        after = [progress for progress in client.watch_job(job_id) if progress.images_trained]
        job = client.get_job(job_id)
    assert min(progress.images_trained for progress in after) >= before.images_trained
    assert job.lease_id > before_lease_id
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1), "it got further, so attempts count anew"
    assert job.progress.images_trained == job.progress.images_total == 2_048 * job.progress.epochs
    assert _scratch_folders(breakable_service) == [], "the next worker removes what the killed one left"


def test_a_trainer_stopped_past_its_lease_stands_down_and_no_image_is_lost_or_trained_twice(
    breakable_service: Service,
) -> None:
    stopped = breakable_service.process("train-worker")
    with breakable_service.client() as client:
        training = client.train(images_batch_path="slice.npz", recipe="fast", promotion=pb.NEVER)
        job_id = next(progress.job_id for progress in training if progress.images_ingested)
        stopped.suspend()
        with another_train_worker(breakable_service):
            before = client.get_job(job_id).lease_id
            wait_until(lambda: client.get_job(job_id).lease_id > before, seconds=120, what="another trainer")
            stopped.resume()
            job = [client.get_job(job_id) for _ in client.watch_job(job_id)][-1]
            assert (job.state, job.progress.images_trained) == (pb.SUCCEEDED, job.progress.images_total)
            after = next(iter(client.train(images_batch_path="tiny.npz", promotion=pb.NEVER))).job_id
            assert [client.get_job(after) for _ in client.watch_job(after)][-1].state == pb.SUCCEEDED
    assert stopped.is_running(), "it trains on after it stood down"


def test_zookeeper_away_for_a_moment_after_a_jobs_first_message_costs_nothing(
    breakable_service: Service,
) -> None:
    zookeeper = breakable_service.process("zookeeper")
    with breakable_service.client() as client:
        job_id = next(iter(client.train(images_batch_path="tiny.npz", promotion=pb.NEVER))).job_id
        stall(zookeeper, seconds=4)
        wait_until(lambda: _ended(breakable_service, job_id), seconds=120, what="the job's end")
        job = client.get_job(job_id)
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1)


def test_three_stalls_of_zookeeper_that_end_each_session_cost_no_attempt(breakable_service: Service) -> None:
    job_id = start_long_job(breakable_service)
    zookeeper = breakable_service.process("zookeeper")
    with breakable_service.client() as client:
        for _ in range(3):
            before = client.get_job(job_id)
            stall(zookeeper, seconds=11)
            wait_until(lambda b=before: _goes_on(breakable_service, b), seconds=120, what="another lease")
        wait_until(lambda: _ended(breakable_service, job_id), seconds=120, what="the job's end")
        job = client.get_job(job_id)
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1)
    assert job.progress.images_trained == job.progress.images_total


def test_a_spark_that_died_while_idle_costs_no_attempt(breakable_service: Service) -> None:
    worker = breakable_service.process("train-worker")
    java = next(child for child in worker.children(recursive=True) if child.name() == "java")
    java.kill()
    with breakable_service.client() as client:
        last = list(client.train(images_batch_path="tiny.npz", promotion=pb.NEVER))[-1]
        job = client.get_job(last.job_id)
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1)


def test_a_full_disk_fails_the_job_says_so_and_keeps_nothing_of_it(breakable_service: Service) -> None:
    # Room for one checkpoint and a half.
    disk = small_disk(breakable_service.var_dir / "store" / "checkpoints", 1_000_000)
    with disk as checkpoints, breakable_service.client() as client:
        with pytest.raises(RemoteError, match="No space left"):
            list(client.train(images_batch_path="tiny.npz", recipe="standard"))
        job = client.list_jobs().jobs[0]
        assert (job.state, job.attempt_count) == (pb.FAILED, 1)
        wait_until(
            lambda: not _folders_of(breakable_service, job.job_id), what="the end of what the job wrote"
        )
        assert list(checkpoints.iterdir()) == []
    with breakable_service.client() as client:
        last = list(client.train(images_batch_path="tiny.npz", promotion=pb.NEVER))[-1]
    assert last.state == pb.SUCCEEDED


def test_a_trainer_told_to_stop_hands_its_job_over_at_the_next_checkpoint(breakable_service: Service) -> None:
    job_id = start_long_job(breakable_service)
    trainer = breakable_service.process("train-worker")
    with breakable_service.client() as client:
        trainer.terminate()
        trainer.wait(timeout=30)
        handed_over = client.get_job(job_id)
        after = [progress for progress in client.watch_job(job_id) if progress.images_trained]
        job = client.get_job(job_id)
    assert (handed_over.state, handed_over.attempt_count) == (pb.TRAINING, 0)
    assert min(progress.images_trained for progress in after) >= handed_over.progress.images_trained > 0
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1), "being handed over is no attempt"
    assert job.progress.images_trained == job.progress.images_total == 2_048 * job.progress.epochs


def test_a_killed_executor_costs_no_image(breakable_service: Service) -> None:
    job_id = start_long_job(breakable_service)
    worker = breakable_service.process("train-worker")
    executors = [child for child in worker.children(recursive=True) if "pyspark.worker" in _command(child)]
    max(executors, key=lambda process: process.memory_info().rss).kill()
    with breakable_service.client() as client:
        job = [client.get_job(job_id) for _ in client.watch_job(job_id)][-1]
    assert job.state == pb.SUCCEEDED
    assert job.progress.images_trained == job.progress.images_total


def test_cancel_takes_effect_within_one_micro_batch(breakable_service: Service) -> None:
    job_id = start_long_job(breakable_service)
    with breakable_service.client() as client:
        asked = client.cancel_job(job_id)
        last = list(client.watch_job(job_id))[-1]
    assert last.state == pb.CANCELLED
    assert last.micro_batch <= asked.progress.micro_batch + 1


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


def _scratch_folders(service: Service) -> list[Path]:
    """What Spark's epochs left."""
    return list((service.var_dir / "spark" / "epochs").glob("*"))


def _folders_of(service: Service, job_id: str) -> list[Path]:
    return [path for path in service.var_dir.rglob(f"*{job_id}*") if path.is_dir()]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
