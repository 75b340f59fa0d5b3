"""Any server answers for any job, workers share a queue, and versions swap everywhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from grpc import StatusCode

from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.v1 import digit_service_pb2
from digits.v1 import training_pb2 as pb
from tests.front_door.conftest import FrontDoor
from tests.plain_pixels import SOME_PIXELS
from tests.processes import suspended
from tests.waiting import wait_until


def test_a_job_of_one_server_is_read_watched_and_ended_at_the_other(front_door: FrontDoor) -> None:
    request = {"images_batch_path": "tiny.npz", "recipe": "standard", "promotion": pb.NEVER}
    with front_door.direct(0) as first, front_door.direct(1) as second:
        job_id = next(first.train(**request)).job_id
        assert second.get_job(job_id).job_id == job_id
        assert job_id in [job.job_id for job in second.list_jobs().jobs]
        for progress in second.watch_job(job_id):
            if progress.micro_batch:
                break
        second.cancel_job(job_id)
        assert list(first.watch_job(job_id))[-1].state == pb.CANCELLED


def test_two_classify_workers_share_a_queue(front_door: FrontDoor) -> None:
    """Seen by their processor time: what an idle worker takes is a small part of what a busy one does."""
    workers = [front_door.service.process("classify-worker"), front_door.worker.process()]

    def seconds() -> list[float]:
        return [worker.cpu_times().user + worker.cpu_times().system for worker in workers]

    before = seconds()
    with front_door.direct(0) as first, front_door.direct(1) as second, ThreadPoolExecutor(16) as threads:

        def classify(number: int) -> int:
            return (first, second)[number % 2].classify(pixels=SOME_PIXELS).served_by

        answers = list(threads.map(classify, range(2_000)))
    spent = [after - earlier for after, earlier in zip(seconds(), before, strict=True)]
    assert set(answers) == {digit_service_pb2.WORKER}
    assert min(spent) > 0.2 * sum(spent), spent


@pytest.mark.parametrize("which", ["the supervised", "the other"])
def test_either_worker_alone_answers(front_door: FrontDoor, which: str) -> None:
    worker = front_door.worker.process()
    if which == "the other":
        worker = front_door.service.process("classify-worker")
    with suspended(worker), front_door.client() as client:
        wait_until(
            lambda: client.classify(pixels=SOME_PIXELS).served_by == digit_service_pb2.WORKER,
            what="the other worker's answer",
        )


@pytest.fixture
def back_again(front_door: FrontDoor, two_versions: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """The two versions; the first serves before and behind the test, at both servers."""
    yield two_versions
    with front_door.client() as client:
        if client.get_model("serving").version != two_versions[0]:
            client.promote_model(two_versions[0])
    with front_door.direct(0) as first, front_door.direct(1) as second:
        wait_until(answers(two_versions[0], first, second), what="the version before")


def answers(version: str, *clients: Client) -> Callable[[], bool]:
    return lambda: all(client.classify(pixels=SOME_PIXELS).model_version == version for client in clients)


def test_a_promotion_and_a_rollback_at_one_server_reach_the_other_within_five_seconds(
    front_door: FrontDoor, back_again: tuple[str, str]
) -> None:
    older, newer = back_again
    with front_door.direct(0) as first, front_door.direct(1) as second:
        first.promote_model(newer)
        wait_until(answers(newer, first, second), seconds=5, what=f"{newer} everywhere")
        assert second.rollback_model().version == older
        wait_until(answers(older, first, second), seconds=5, what=f"{older} everywhere")


def test_who_names_a_minimum_version_never_gets_an_older_one(
    front_door: FrontDoor, back_again: tuple[str, str]
) -> None:
    """Asked at both servers from the moment of the promotion on, before they may have heard of it."""
    older, newer = back_again
    with front_door.direct(0) as first, front_door.direct(1) as second, front_door.client() as any_server:
        assert first.classify(pixels=SOME_PIXELS, minimum_version=older).model_version == older
        with pytest.raises(RemoteError) as refused:
            first.classify(pixels=SOME_PIXELS, minimum_version=newer)
        assert refused.value.code == StatusCode.FAILED_PRECONDITION
        second.promote_model(newer)
        seen = {
            client.classify(pixels=SOME_PIXELS, minimum_version=newer).model_version
            for _ in range(100)
            for client in (first, second, any_server)
        }
    assert seen == {newer}


def test_versions_never_go_backwards_for_who_names_the_last_one_it_saw(
    front_door: FrontDoor, back_again: tuple[str, str]
) -> None:
    _, newer = back_again
    seen: list[str] = []
    stop = threading.Event()

    def call() -> None:
        with front_door.client() as client:
            while not stop.is_set():
                last = seen[-1] if seen else ""
                seen.append(client.classify(pixels=SOME_PIXELS, minimum_version=last).model_version)

    caller = threading.Thread(target=call)
    caller.start()
    try:
        wait_until(lambda: bool(seen), what="an answer")
        with front_door.direct(1) as second:
            second.promote_model(newer)
        wait_until(lambda: seen[-1] == newer, seconds=5, what=newer)
        count = len(seen)
        wait_until(lambda: len(seen) > count + 100 or not caller.is_alive(), what="more answers")
    finally:
        stop.set()
        caller.join()
    assert caller.is_alive() is False
    assert seen == sorted(seen, key=lambda version: int(version.removeprefix("v")))
    assert len(seen) > count + 100
