"""Real processes killed and real servers stopped, and the promises that hold all the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from grpc import StatusCode

from digits.client.errors import RemoteError
from digits.v1 import digit_service_pb2
from digits.v1 import training_pb2 as pb
from tests.service import Service
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
def classifying(service: Service) -> Iterator[list[str]]:
    """Classifies all the while; yields what went wrong."""
    problems: list[str] = []
    answers: list[digit_service_pb2.ClassifyResponse] = []
    stop = threading.Event()

    def load() -> None:
        with service.client() as client:
            while not stop.wait(PAUSE_SECONDS):
                try:
                    answers.append(client.classify(pixels=bytes(784), timeout_seconds=10))
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
        before = client.get_job(job_id).progress
        trained_service.process("train-worker").kill()
        after = [progress for progress in client.watch_job(job_id) if progress.images_trained]
        job = client.get_job(job_id)
    assert min(progress.images_trained for progress in after) >= before.images_trained
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 2)
    assert job.progress.images_trained == job.progress.images_total == 2_048 * job.progress.epochs


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


def test_without_the_broker_the_own_copy_answers_and_the_worker_takes_over_again(
    trained_service: Service,
) -> None:
    with classifying(trained_service) as problems, trained_service.client() as client:
        valkey = trained_service.process("valkey")
        valkey.suspend()
        wait_until(
            lambda: client.classify(pixels=bytes(784)).served_by == digit_service_pb2.CACHED_COPY,
            what="an answer of the local model",
        )
        valkey.kill()
        wait_until(
            lambda: client.classify(pixels=bytes(784)).served_by == digit_service_pb2.WORKER,
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
        assert client.classify(pixels=bytes(784)).model_version == serving
        last = list(client.watch_job(job_id))[-1]
        assert (last.state, last.images_trained) == (pb.SUCCEEDED, last.images_total)
        assert client.get_job(job_id).attempt_count == 1
        assert set(models) <= {model.version for model in client.list_models().models}


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
