"""Servers killed and everything restarted behind the front door; what callers saw is asserted."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from digits.client.resume import follow
from digits.v1 import training_pb2 as pb
from tests.front_door.conftest import FrontDoor
from tests.front_door.load import (
    by_rest,
    by_rest_with_retries,
    classifying,
    with_grpcs_defaults,
    with_retries,
    without_retries,
)
from tests.waiting import wait_until


@pytest.fixture
def whole(front_door: FrontDoor) -> Iterator[FrontDoor]:
    """Everything runs again behind the test."""
    yield front_door
    for replica in (*front_door.servers, *front_door.bridges, front_door.worker):
        if not replica.runs():
            replica.start()


def test_a_killed_server_loses_no_classification(whole: FrontDoor) -> None:
    """Not of a caller that tries again, and not of one that does not: nginx does."""
    callers = [with_retries, with_retries, without_retries, without_retries, by_rest]
    with classifying(whole, *callers) as load:
        for server in whole.servers:
            server.end(signal.SIGKILL)
            load.goes_on()
            server.start()
            load.goes_on()
    assert load.failures == []


def test_a_killed_bridge_loses_no_classification(whole: FrontDoor) -> None:
    with classifying(whole, by_rest, by_rest) as load:
        for bridge in whole.bridges:
            bridge.end(signal.SIGKILL)
            load.goes_on()
            bridge.start()
            load.goes_on()
    assert load.failures == []


def test_a_killed_classify_worker_loses_no_classification(whole: FrontDoor) -> None:
    with classifying(whole, with_retries, without_retries, by_rest) as load:
        whole.worker.end(signal.SIGKILL)
        load.goes_on()
    assert load.failures == []


def test_a_train_stream_of_a_killed_server_goes_on_at_the_other(whole: FrontDoor) -> None:
    """Each server is killed in turn, so that no stream is missed, whichever of them it hangs on."""
    logged = len(whole.nginx.calls())
    seen: list[list[pb.TrainProgress]] = [[], []]

    def caller(progress: list[pb.TrainProgress]) -> None:
        request = {"images_batch_path": "tiny.npz", "recipe": "standard", "promotion": pb.NEVER}
        with whole.client() as client:
            progress.extend(follow(client, client.train(request_id="killed", **request)))

    callers = [threading.Thread(target=caller, args=(progress,)) for progress in seen]
    for each in callers:
        each.start()
    wait_until(
        lambda: all(progress and progress[-1].micro_batch > 0 for progress in seen),
        seconds=120,
        what="two micro-batches",
    )
    for server in whole.servers:
        server.end(signal.SIGKILL)
        server.start()
    for each in callers:
        each.join()
    ends = [progress[-1] for progress in seen]
    assert [(end.state, end.images_trained) for end in ends] == 2 * [(pb.SUCCEEDED, ends[0].images_total)]
    assert len({end.job_id for end in ends}) == 1
    paths = [call["path"] for call in whole.nginx.calls()[logged:]]
    assert paths.count("/digits.v1.DigitService/Train") == 2
    assert paths.count("/digits.v1.JobService/WatchJob") >= 2


def test_a_rolling_restart_of_everything_loses_no_classification(whole: FrontDoor) -> None:
    callers = [with_retries, with_retries, with_retries, by_rest, by_rest]
    with classifying(whole, *callers) as load:
        for replica in (*whole.servers, *whole.bridges, whole.worker):
            assert replica.end() == 0
            replica.start()
            load.goes_on()
        supervised = whole.service.process("classify-worker")
        supervised.terminate()
        again = whole.service.is_up_again("classify-worker", supervised.pid)
        wait_until(again, seconds=60, what="a new classify worker")
    assert load.failures == []


def test_a_server_that_is_taken_out_first_is_restarted_unnoticed_by_callers_that_ask_once(
    whole: FrontDoor,
) -> None:
    """The way of docs/nginx.md for callers that do not try again themselves."""
    with classifying(whole, with_grpcs_defaults, with_grpcs_defaults) as load:
        for server in whole.servers:
            listed = f"server {server.settings.server} "
            whole.nginx.replace("upstreams.conf", listed, f"{listed}down ")
            whole.nginx.reload()
            load.goes_on()
            assert server.end() == 0
            server.start()
            whole.nginx.replace("upstreams.conf", f"{listed}down ", listed)
            whole.nginx.reload()
            load.goes_on()
    assert load.failures == []


def test_a_reload_of_nginx_loses_no_classification(whole: FrontDoor) -> None:
    """Its old workers close their connections, and a call may be on its way to them."""
    callers = [with_retries, with_grpcs_defaults, with_grpcs_defaults, by_rest_with_retries]
    with classifying(whole, *callers) as load:
        for _ in range(5):
            whole.nginx.reload()
            load.goes_on()
    assert load.failures == []


def test_a_reload_of_nginx_does_not_cut_a_stream(whole: FrontDoor) -> None:
    with whole.client() as client:
        stream = client.train(images_batch_path="tiny.npz", promotion=pb.NEVER)
        next(stream)
        whole.nginx.reload()
        assert list(stream)[-1].state == pb.SUCCEEDED
