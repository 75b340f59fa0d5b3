"""Real processes killed and real servers stopped, and the promises that hold all the same."""

from __future__ import annotations

import psutil
import pytest
from grpc import StatusCode

from digits.client.errors import RemoteError
from digits.v1 import digit_service_pb2
from digits.v1 import training_pb2 as pb
from tests.faults.calls import classifying
from tests.faults.long_job import start_long_job
from tests.plain_pixels import SOME_PIXELS
from tests.processes import suspended
from tests.service import Service
from tests.waiting import wait_until


def test_without_the_broker_the_local_model_answers_and_the_worker_takes_over_again(
    outage_service: Service,
) -> None:
    with classifying(outage_service) as problems, outage_service.client() as client:
        valkey = outage_service.process("valkey")
        valkey.suspend()
        wait_until(
            lambda: client.classify(pixels=SOME_PIXELS).served_by == digit_service_pb2.CACHED_COPY,
            what="an answer of the local model",
        )
        valkey.kill()
        wait_until(
            lambda: client.classify(pixels=SOME_PIXELS).served_by == digit_service_pb2.WORKER,
            seconds=60,
            what="an answer of the worker",
        )
    assert problems == []


@pytest.mark.parametrize("part", ["classify-worker", "zookeeper"])
def test_classification_goes_on_while_a_part_is_away(outage_service: Service, part: str) -> None:
    with classifying(outage_service) as problems:
        killed = outage_service.process(part)
        killed.kill()
        wait_until(outage_service.is_up_again(part, killed.pid), seconds=60, what=f"a new {part}")
    assert problems == []


def test_jobs_are_unavailable_while_zookeeper_is_away_and_come_back_with_it(outage_service: Service) -> None:
    zookeeper = outage_service.process("zookeeper")
    with suspended(zookeeper), outage_service.client() as client, pytest.raises(RemoteError) as away:
        client.list_jobs()
    assert away.value.code == StatusCode.UNAVAILABLE
    wait_until(lambda: _lists_jobs(outage_service), seconds=60, what="ZooKeeper's answer")


def test_a_job_submitted_without_a_train_worker_waits_for_one(outage_service: Service) -> None:
    outage_service.process("train-worker").kill()
    with outage_service.client() as client:
        states = [p.state for p in client.train(images_batch_path="tiny.npz", promotion=pb.NEVER)]
    assert states[0] == pb.QUEUED
    assert states[-1] == pb.SUCCEEDED


def test_a_second_start_finds_the_models_the_jobs_and_leaves_no_process_behind(
    outage_service: Service,
) -> None:
    job_id = start_long_job(outage_service)
    with outage_service.client() as client:
        models = [model.version for model in client.list_models().models]
        serving = client.get_model("serving").version
    before = _processes(outage_service)
    outage_service.down()
    assert [process for process in before if process.is_running()] == []
    outage_service.up()
    with outage_service.client() as client:
        assert client.classify(pixels=SOME_PIXELS).model_version == serving
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
