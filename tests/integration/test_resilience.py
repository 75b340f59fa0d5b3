"""Real processes killed and real servers stopped, and the promises that hold all the same."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from grpc import StatusCode

from digits.client.errors import RemoteError
from digits.jobs.states import is_final
from digits.v1 import digit_service_pb2
from digits.v1 import training_pb2 as pb
from tests.service import Service
from tests.small_disk import small_disk
from tests.stroke import STROKE
from tests.waiting import wait_until


def start_long_job(service: Service, recipe: str = "standard") -> str:
    """Starts a job of many micro-batches, waits until two are committed, and returns its id."""
    with service.client() as client:
        for progress in client.train(images_batch_path="tiny.npz", recipe=recipe, promotion=pb.NEVER):
            if progress.micro_batch >= 2:
                return progress.job_id
    pytest.fail("the job ended before it could be broken")


# Steady, and not all that the machine can do: a training goes on beside it.
PAUSE_SECONDS = 0.02


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


@contextmanager
def classifying(service: Service) -> Iterator[list[str]]:
    """Classifies all the while; yields what went wrong."""
    problems: list[str] = []
    answers: list[digit_service_pb2.ClassifyResponse] = []
    stop = threading.Event()

    def load() -> None:
        with service.client() as client:
            while not stop.wait(PAUSE_SECONDS):
                try:
                    answers.append(client.classify(pixels=STROKE, timeout_seconds=10))
                except RemoteError as error:
                    problems.append(str(error))

    thread = threading.Thread(target=load)
    thread.start()
    try:
        yield problems
    finally:
        stop.set()
        thread.join()
    assert answers


def test_a_killed_trainer_resumes_from_its_checkpoint_and_trains_each_image_once(
    trained_service: Service,
) -> None:
    job_id = start_long_job(trained_service)
    with trained_service.client() as client:
        interrupted = client.get_job(job_id)
        before, before_lease_id = interrupted.progress, interrupted.lease_id
        trained_service.process("train-worker").kill()
        after = [progress for progress in client.watch_job(job_id) if progress.images_trained]
        job = client.get_job(job_id)
    assert min(progress.images_trained for progress in after) >= before.images_trained
    assert job.lease_id > before_lease_id
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1), "it got further, so attempts count anew"
    assert job.progress.images_trained == job.progress.images_total == 2_048 * job.progress.epochs
    assert _scratch_folders(trained_service) == [], "the next worker removes what the killed one left"


def test_a_trainer_stopped_past_its_lease_stands_down_and_no_image_is_lost_or_trained_twice(
    trained_service: Service,
) -> None:
    stopped = trained_service.process("train-worker")
    with trained_service.client() as client:
        training = client.train(images_batch_path="slice.npz", recipe="fast", promotion=pb.NEVER)
        job_id = next(progress.job_id for progress in training if progress.images_ingested)
        stopped.suspend()
        with another_train_worker(trained_service):
            before = client.get_job(job_id).lease_id
            wait_until(lambda: client.get_job(job_id).lease_id > before, seconds=120, what="another trainer")
            stopped.resume()
            job = [client.get_job(job_id) for _ in client.watch_job(job_id)][-1]
            assert (job.state, job.progress.images_trained) == (pb.SUCCEEDED, job.progress.images_total)
            after = next(iter(client.train(images_batch_path="tiny.npz", promotion=pb.NEVER))).job_id
            assert [client.get_job(after) for _ in client.watch_job(after)][-1].state == pb.SUCCEEDED
    assert stopped.is_running(), "it trains on after it stood down"


def test_zookeeper_away_for_a_moment_after_a_jobs_first_message_costs_nothing(
    trained_service: Service,
) -> None:
    zookeeper = trained_service.process("zookeeper")
    with trained_service.client() as client:
        job_id = next(iter(client.train(images_batch_path="tiny.npz", promotion=pb.NEVER))).job_id
        stall(zookeeper, seconds=4)
        wait_until(lambda: _ended(trained_service, job_id), seconds=120, what="the job's end")
        job = client.get_job(job_id)
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1)


def test_three_stalls_of_zookeeper_that_end_each_session_cost_no_attempt(trained_service: Service) -> None:
    job_id = start_long_job(trained_service)
    zookeeper = trained_service.process("zookeeper")
    with trained_service.client() as client:
        for _ in range(3):
            before = client.get_job(job_id)
            stall(zookeeper, seconds=11)
            wait_until(lambda b=before: _goes_on(trained_service, b), seconds=120, what="another lease")
        wait_until(lambda: _ended(trained_service, job_id), seconds=120, what="the job's end")
        job = client.get_job(job_id)
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1)
    assert job.progress.images_trained == job.progress.images_total


def test_a_spark_that_died_while_idle_costs_no_attempt(trained_service: Service) -> None:
    worker = trained_service.process("train-worker")
    java = next(child for child in worker.children(recursive=True) if child.name() == "java")
    java.kill()
    with trained_service.client() as client:
        last = list(client.train(images_batch_path="tiny.npz", promotion=pb.NEVER))[-1]
        job = client.get_job(last.job_id)
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1)


def test_a_full_disk_fails_the_job_says_so_and_keeps_nothing_of_it(trained_service: Service) -> None:
    # Room for one checkpoint and a half.
    disk = small_disk(trained_service.var_dir / "store" / "checkpoints", 1_000_000)
    with disk as checkpoints, trained_service.client() as client:
        with pytest.raises(RemoteError, match="No space left"):
            list(client.train(images_batch_path="tiny.npz", recipe="standard"))
        job = client.list_jobs().jobs[0]
        assert (job.state, job.attempt_count) == (pb.FAILED, 1)
        wait_until(lambda: not _folders_of(trained_service, job.job_id), what="the end of what the job wrote")
        assert list(checkpoints.iterdir()) == []
    with trained_service.client() as client:
        last = list(client.train(images_batch_path="tiny.npz", promotion=pb.NEVER))[-1]
    assert last.state == pb.SUCCEEDED


def test_a_trainer_told_to_stop_hands_its_job_over_at_the_next_checkpoint(trained_service: Service) -> None:
    job_id = start_long_job(trained_service)
    trainer = trained_service.process("train-worker")
    with trained_service.client() as client:
        trainer.terminate()
        trainer.wait(timeout=30)
        handed_over = client.get_job(job_id)
        after = [progress for progress in client.watch_job(job_id) if progress.images_trained]
        job = client.get_job(job_id)
    assert (handed_over.state, handed_over.attempt_count) == (pb.TRAINING, 0)
    assert min(progress.images_trained for progress in after) >= handed_over.progress.images_trained > 0
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1), "being handed over is no attempt"
    assert job.progress.images_trained == job.progress.images_total == 2_048 * job.progress.epochs


def test_a_killed_executor_costs_an_attempt_and_no_image(trained_service: Service) -> None:
    job_id = start_long_job(trained_service)
    worker = trained_service.process("train-worker")
    executors = [child for child in worker.children(recursive=True) if "pyspark.worker" in _command(child)]
    max(executors, key=lambda process: process.memory_info().rss).kill()
    with trained_service.client() as client:
        job = [client.get_job(job_id) for _ in client.watch_job(job_id)][-1]
    assert job.state == pb.SUCCEEDED
    assert job.progress.images_trained == job.progress.images_total


def test_cancel_takes_effect_within_one_micro_batch(trained_service: Service) -> None:
    job_id = start_long_job(trained_service)
    with trained_service.client() as client:
        asked = client.cancel_job(job_id)
        last = list(client.watch_job(job_id))[-1]
    assert last.state == pb.CANCELLED
    assert last.micro_batch <= asked.progress.micro_batch + 1


def test_without_the_broker_the_local_model_answers_and_the_worker_takes_over_again(
    trained_service: Service,
) -> None:
    with classifying(trained_service) as problems, trained_service.client() as client:
        valkey = trained_service.process("valkey")
        valkey.suspend()
        wait_until(
            lambda: client.classify(pixels=STROKE).served_by == digit_service_pb2.CACHED_COPY,
            what="an answer of the local model",
        )
        valkey.kill()
        wait_until(
            lambda: client.classify(pixels=STROKE).served_by == digit_service_pb2.WORKER,
            seconds=60,
            what="an answer of the worker",
        )
    assert problems == []


@pytest.mark.parametrize("part", ["classify-worker", "zookeeper"])
def test_classification_goes_on_while_a_part_is_away(trained_service: Service, part: str) -> None:
    with classifying(trained_service) as problems:
        killed = trained_service.process(part)
        killed.kill()
        wait_until(trained_service.is_up_again(part, killed.pid), seconds=60, what=f"a new {part}")
    assert problems == []


def test_jobs_are_unavailable_while_zookeeper_is_away_and_come_back_with_it(trained_service: Service) -> None:
    zookeeper = trained_service.process("zookeeper")
    zookeeper.suspend()
    try:
        with trained_service.client() as client, pytest.raises(RemoteError) as away:
            client.list_jobs()
        assert away.value.code == StatusCode.UNAVAILABLE
    finally:
        zookeeper.resume()
    wait_until(lambda: _lists_jobs(trained_service), seconds=60, what="ZooKeeper's answer")


def test_a_job_submitted_without_a_train_worker_waits_for_one(trained_service: Service) -> None:
    trained_service.process("train-worker").kill()
    with trained_service.client() as client:
        states = [p.state for p in client.train(images_batch_path="tiny.npz", promotion=pb.NEVER)]
    assert states[0] == pb.QUEUED
    assert states[-1] == pb.SUCCEEDED


def test_a_second_start_finds_the_models_the_jobs_and_leaves_no_process_behind(
    trained_service: Service,
) -> None:
    job_id = start_long_job(trained_service)
    with trained_service.client() as client:
        models = [model.version for model in client.list_models().models]
        serving = client.get_model("serving").version
    before = _processes(trained_service)
    trained_service.down()
    assert [process for process in before if process.is_running()] == []
    trained_service.up()
    with trained_service.client() as client:
        assert client.classify(pixels=STROKE).model_version == serving
        last = list(client.watch_job(job_id))[-1]
        assert (last.state, last.images_trained) == (pb.SUCCEEDED, last.images_total)
        assert client.get_job(job_id).attempt_count == 1
        assert set(models) <= {model.version for model in client.list_models().models}


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


def _lists_jobs(service: Service) -> bool:
    try:
        with service.client() as client:
            return bool(client.list_jobs().jobs)
    except RemoteError:
        return False


def _processes(service: Service) -> list[psutil.Process]:
    mark = str(service.var_dir)
    found = []
    for process in psutil.process_iter():
        try:
            if any(mark in value for value in process.environ().values()):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
