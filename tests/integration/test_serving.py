"""Who answers, on the embedded service: cold and damaged versions, a store that hangs, promotions."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import psutil
import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc

from benchmarks.cold_versions import slow_reads
from benchmarks.versions import copies_of_what_serves
from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.v1 import digit_service_pb2, digit_service_pb2_grpc, models_pb2
from tests.plain_pixels import SOME_PIXELS
from tests.processes import suspended
from tests.service import Service
from tests.waiting import wait_until

PICTURE = SOME_PIXELS


@pytest.fixture
def serving(trained_service: Service) -> Iterator[str]:
    """The version that serves, again at the end of the test."""
    with trained_service.client() as client:
        version = client.get_model("serving").version
    yield version
    # Of a server that was restarted meanwhile, an older client may not have heard yet.
    with trained_service.client() as client:
        client.promote_model(version)
    wait_until(trained_service.worker_serves(version), what=f"{version} in the worker")


def bundle_of(service: Service, version: str) -> Path:
    return service.var_dir / "store" / "models" / f"{version}.bundle"


def test_the_first_answer_after_a_promotion_is_the_promoted_versions(
    trained_service: Service, serving: str
) -> None:
    (other,) = copies_of_what_serves(trained_service.settings(), 1)
    with trained_service.client() as client:
        for version in [other, serving] * 15:
            client.promote_model(version)
            assert client.classify(pixels=PICTURE).model_version == version


def test_a_rollback_that_is_repeated_changes_nothing_and_the_history_says_who_did_what(
    trained_service: Service, serving: str
) -> None:
    (other,) = copies_of_what_serves(trained_service.settings(), 1)
    with trained_service.client() as client:
        client.promote_model(other)
        for _ in range(2):
            assert client.rollback_model(other).version == serving
        newest, before = client.list_serving_history(page_size=2).changes
    reasons = models_pb2.ServingChange
    assert (newest.previous_version, newest.version, newest.reason) == (other, serving, reasons.ROLLBACK)
    assert (before.previous_version, before.version, before.reason) == (serving, other, reasons.PROMOTE)
    assert newest.caller == "ipv4:127.0.0.1"
    history = trained_service.command("models", "history")
    assert f"{other}" in history.stdout.splitlines()[1]
    assert "rollback" in history.stdout.splitlines()[1]


def test_a_damaged_version_is_not_promoted(trained_service: Service, serving: str) -> None:
    (other,) = copies_of_what_serves(trained_service.settings(), 1)
    path = bundle_of(trained_service, other)
    path.write_bytes(path.read_bytes()[:-1])
    with trained_service.client() as client:
        with pytest.raises(RemoteError, match=f"{other} cannot serve") as refused:
            client.promote_model(other)
        assert refused.value.code == StatusCode.FAILED_PRECONDITION
        assert client.get_model("serving").version == serving


def test_plain_calls_are_answered_by_the_worker_while_reads_of_old_versions_never_return(
    trained_service: Service, serving: str
) -> None:
    versions = copies_of_what_serves(trained_service.settings(), 4)
    with slow_reads(trained_service.settings(), versions, None), trained_service.client() as client:
        codes: list[StatusCode] = []
        asking = [
            threading.Thread(target=lambda v=v: codes.append(code_of_asking(trained_service, v)))
            for v in versions
            for _ in range(5)
        ]
        for thread in asking:
            thread.start()
        while any(thread.is_alive() for thread in asking):
            answer = client.classify(pixels=PICTURE, timeout_seconds=1)
            assert answer.served_by == digit_service_pb2.WORKER
            assert client.classify(pixels=PICTURE, model_version=serving).model_version == serving
        assert set(codes) == {StatusCode.UNAVAILABLE}


def code_of_asking(service: Service, version: str) -> StatusCode:
    """What a classification by name ends with; unlike our client, this one does not try again."""
    with grpc.insecure_channel(service.grpc_address, [("grpc.enable_retries", 0)]) as channel:
        request = digit_service_pb2.ClassifyRequest(pixels=PICTURE, model_version=version)
        try:
            digit_service_pb2_grpc.DigitServiceStub(channel).Classify(request, timeout=60)
        except grpc.RpcError as error:
            return StatusCode(error.code().value)
    return StatusCode.OK


def test_a_server_with_reads_that_never_return_ends_when_it_is_told_to(
    trained_service: Service, serving: str
) -> None:
    (other,) = copies_of_what_serves(trained_service.settings(), 1)
    with slow_reads(trained_service.settings(), [other], None), trained_service.client() as client:
        with pytest.raises(RemoteError) as away:
            client.promote_model(other)
        assert away.value.code == StatusCode.UNAVAILABLE
        assert code_of_asking(trained_service, other) == StatusCode.UNAVAILABLE
        server = trained_service.process("server")
        server.terminate()
        server.wait(timeout=5)
    wait_until(lambda: health(trained_service, "") == "SERVING", what="the next server")


def test_a_start_with_a_damaged_serving_version_answers_with_the_newest_that_can_be_loaded_and_says_so(
    trained_service: Service, serving: str
) -> None:
    stands_in, damaged = copies_of_what_serves(trained_service.settings(), 2)
    with trained_service.client() as client:
        client.promote_model(stands_in)
        client.promote_model(damaged)
    whole = bundle_of(trained_service, damaged).read_bytes()
    bundle_of(trained_service, damaged).write_bytes(b"damaged")
    start_with_nothing(trained_service)
    try:
        with trained_service.client() as client:
            assert client.classify(pixels=PICTURE).model_version == stands_in
        assert health(trained_service, "current-model") == "NOT_SERVING"
        status = trained_service.command("status").stdout
        assert f"{damaged} cannot be loaded" in status
        assert f"{stands_in} stands in for it" in status
    finally:
        bundle_of(trained_service, damaged).write_bytes(whole)
    wait_until(lambda: health(trained_service, "current-model") == "SERVING", what="the version of the alias")


def start_with_nothing(service: Service) -> None:
    """Ends what holds a model, and takes its disk away."""
    processes = [service.process(name) for name in ("server", "classify-worker")]
    for process in processes:
        process.suspend()
    wait_until(lambda: all(one.status() == psutil.STATUS_STOPPED for one in processes), what="a standstill")
    shutil.rmtree(service.var_dir / "cache")
    for process in processes:
        process.kill()
    for name, process in zip(("server", "classify-worker"), processes, strict=True):
        wait_until(service.is_up_again(name, process.pid), seconds=60, what=f"another {name}")
    wait_until(lambda: health(service, "") == "SERVING", what="a model")


def test_calls_that_wait_for_zookeeper_do_not_keep_pictures_waiting(
    trained_service: Service, serving: str
) -> None:
    picture = (trained_service.data_dir / "test" / "data" / "n5.png").read_bytes()
    zookeeper = trained_service.process("zookeeper")
    with trained_service.client() as client, suspended(zookeeper):
        waiting = [threading.Thread(target=list_models, args=(client,)) for _ in range(30)]
        for thread in waiting:
            thread.start()
        started = time.monotonic()
        for _ in range(5):
            assert client.classify(image=picture, timeout_seconds=2).digit == 5
        assert time.monotonic() - started < 2
        assert all(thread.is_alive() for thread in waiting)
        for thread in waiting:
            thread.join()
    wait_until(lambda: list_models(trained_service.client()), seconds=60, what="ZooKeeper's answer")


def test_files_that_hang_do_not_keep_pictures_and_lists_waiting(
    trained_service: Service, serving: str
) -> None:
    picture = (trained_service.data_dir / "test" / "data" / "n5.png").read_bytes()
    versions = copies_of_what_serves(trained_service.settings(), 2)
    with slow_reads(trained_service.settings(), versions, None), trained_service.client() as client:
        waiting = [threading.Thread(target=promote, args=(client, v)) for v in versions for _ in range(3)]
        for thread in waiting:
            thread.start()
        started = time.monotonic()
        assert client.classify(image=picture, timeout_seconds=2).digit == 5
        assert client.classify(image_path="test/data/n5.png", timeout_seconds=2).digit == 5
        assert client.list_models(page_size=1).models
        assert time.monotonic() - started < 2
        for thread in waiting:
            thread.join()


def promote(client: Client, version: str) -> None:
    with contextlib.suppress(RemoteError):
        client.promote_model(version)


def list_models(client: Client) -> bool:
    try:
        client.list_models(page_size=1)
    except RemoteError:
        return False
    return True


@pytest.mark.parametrize("thread", ["serving-model", "reconciler", "liveness"])
def test_health_shows_that_the_background_threads_live(trained_service: Service, thread: str) -> None:
    assert health(trained_service, thread) == "SERVING"


def health(service: Service, name: str) -> str:
    try:
        with grpc.insecure_channel(service.grpc_address) as channel:
            request = health_pb2.HealthCheckRequest(service=name)
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=2)
    except grpc.RpcError as error:
        return str(error)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
