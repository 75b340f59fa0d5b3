"""What was uploaded and refused is held by nobody."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import psutil
import pytest
import requests

from digits.client.errors import RemoteError
from digits.v1 import digit_service_pb2, digit_service_pb2_grpc
from tests import hostile_parquet
from tests.service import Service
from tests.waiting import wait_until

UPLOADS, AT_A_TIME = 20, 4
NO_BATCH = bytes(60 << 20)
# What four at a time may leave to the allocator of a busy process; twenty that are held take 1,200 MB.
MAX_RISE = 160 << 20
MAX_RISE_OF_PARQUET = 50 << 20


def in_pieces(door: Service) -> object:
    with door.client() as client, pytest.raises(RemoteError) as refused:
        next(client.train(images_batch=io.BytesIO(NO_BATCH)))
    return refused.value.code


def in_one_message(door: Service) -> object:
    with grpc.insecure_channel(door.grpc_address) as channel, pytest.raises(grpc.RpcError) as refused:
        stub = digit_service_pb2_grpc.DigitServiceStub(channel)
        next(stub.Train(digit_service_pb2.TrainRequest(images_batch=NO_BATCH)))
    return refused.value.code()


def by_rest(door: Service) -> object:
    reply = requests.post(f"{door.rest_url}/digits/train", files={"images_batch": NO_BATCH}, timeout=60)
    return grpc.StatusCode.INVALID_ARGUMENT if reply.status_code == 400 else reply.text


@pytest.mark.parametrize("send", [in_pieces, in_one_message, by_rest])
def test_twenty_refused_uploads_leave_memory_where_it_was(
    door: Service, send: Callable[[Service], object]
) -> None:
    assert send(door) is grpc.StatusCode.INVALID_ARGUMENT
    before = memory(door)
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        ends = list(threads.map(send, [door] * UPLOADS))
    assert ends == [grpc.StatusCode.INVALID_ARGUMENT] * UPLOADS
    wait_until(lambda: memory(door) < before + MAX_RISE, seconds=30, what=f"{before} bytes again")
    assert not any(path.is_file() for path in (door.var_dir / "incoming").rglob("*"))


def test_an_upload_that_is_trained_is_held_by_nobody_while_its_stream_lives(door: Service) -> None:
    before = memory(door)
    with grpc.insecure_channel(door.grpc_address) as channel:
        stub = digit_service_pb2_grpc.DigitServiceStub(channel)
        stream = stub.Train(digit_service_pb2.TrainRequest(images_batch=a_large_batch()))
        job_id = next(stream).job_id
        wait_until(lambda: memory(door) < before + MAX_RISE, seconds=30, what=f"{before} bytes again")
        stream.cancel()
    with door.client() as client:
        client.cancel_job(job_id)


def test_a_kilobyte_of_parquet_that_unpacks_to_gigabytes_takes_nothing_of_the_server(door: Service) -> None:
    made, says = hostile_parquet.FILES["an endless row"]
    batch, before = made(), memory(door)
    with door.client() as client, pytest.raises(RemoteError, match=says) as refused:
        next(client.train(images_batch=batch))
    assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert memory(door) < before + MAX_RISE_OF_PARQUET


def memory(door: Service) -> int:
    """What the server and the bridge hold together, in bytes."""
    ports = {door.grpc_port, door.rest_port}
    listening = {
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port in ports and connection.pid
    }
    return sum(psutil.Process(pid).memory_info().rss for pid in listening)


def a_large_batch() -> bytes:
    """60 MB of a batch that can be trained on."""
    pixels = np.random.default_rng(0).integers(0, 256, (79_000, 28, 28), np.uint8)
    file = io.BytesIO()
    np.savez(file, x_train=pixels, y_train=np.arange(79_000) % 10)
    return file.getvalue()
