"""Who answers while a store or ZooKeeper hangs: only those who ask for what is there wait."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import grpc
import pytest
from grpc import StatusCode

from benchmarks.cold_versions import slow_reads
from benchmarks.versions import copies_of_what_serves
from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.v1 import digit_service_pb2, digit_service_pb2_grpc
from tests.plain_pixels import SOME_PIXELS as PICTURE
from tests.processes import suspended
from tests.service import Service
from tests.waiting import wait_until


@pytest.fixture
def serving(outage_service: Service) -> Iterator[str]:
    """The version that serves, again at the end of the test."""
    with outage_service.kept_serving() as version:
        yield version


def test_plain_calls_are_answered_by_the_worker_while_reads_of_old_versions_never_return(
    outage_service: Service, serving: str
) -> None:
    versions = copies_of_what_serves(outage_service.settings(), 4)
    with slow_reads(outage_service.settings(), versions, None), outage_service.client() as client:
        codes: list[StatusCode] = []
        asking = [
            threading.Thread(target=lambda v=v: codes.append(code_of_asking(outage_service, v)))
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
    outage_service: Service, serving: str
) -> None:
    (other,) = copies_of_what_serves(outage_service.settings(), 1)
    with slow_reads(outage_service.settings(), [other], None), outage_service.client() as client:
        with pytest.raises(RemoteError) as away:
            client.promote_model(other)
        assert away.value.code == StatusCode.UNAVAILABLE
        assert code_of_asking(outage_service, other) == StatusCode.UNAVAILABLE
        server = outage_service.process("server")
        server.terminate()
        server.wait(timeout=5)
    wait_until(lambda: outage_service.health("") == "SERVING", what="the next server")


def test_calls_that_wait_for_zookeeper_do_not_keep_pictures_waiting(
    outage_service: Service, serving: str
) -> None:
    picture = (outage_service.data_dir / "test" / "data" / "n5.png").read_bytes()
    zookeeper = outage_service.process("zookeeper")
    with outage_service.client() as client, suspended(zookeeper):
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
    wait_until(lambda: list_models(outage_service.client()), seconds=60, what="ZooKeeper's answer")


def test_files_that_hang_do_not_keep_pictures_and_lists_waiting(
    outage_service: Service, serving: str
) -> None:
    picture = (outage_service.data_dir / "test" / "data" / "n5.png").read_bytes()
    versions = copies_of_what_serves(outage_service.settings(), 2)
    with slow_reads(outage_service.settings(), versions, None), outage_service.client() as client:
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
