"""Messages, bodies and headers that are not what they should be, or too many: refused, and nothing is lost.

Every row is followed by a good request to the same service.
"""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from digits.client.client import Client
from digits.inference import inference_pb2, inference_pb2_grpc
from tests.integration.refusals import INVALID, assert_no_trace, assert_problem, assert_refused, post, refused
from tests.plain_pixels import SOME_PIXELS
from tests.service import Service

pytestmark = pytest.mark.usefixtures("unharmed")


def test_bytes_that_are_no_message_are_refused(trained_service: Service) -> None:
    with grpc.insecure_channel(trained_service.grpc_address) as channel:
        classify = channel.unary_unary("/digits.v1.DigitService/Classify")
        with pytest.raises(grpc.RpcError) as raised:
            classify(b"\xff\xff\xff", timeout=30)
    assert raised.value.code() is INVALID
    assert_no_trace(raised.value.details())


def test_an_upload_over_the_limit_is_refused_with_its_setting_and_the_way_out(client: Client) -> None:
    error = refused(client.train, images_batch=bytes(65 << 20))
    assert_refused(error, INVALID, "images_batch", "DIGITS_MAX_UPLOAD_BYTES): put the file below")


def test_a_message_over_the_limit_is_refused(client: Client) -> None:
    error = refused(client.classify, image=bytes(65 << 20))
    assert_refused(error, grpc.StatusCode.RESOURCE_EXHAUSTED, "", "larger than max")


@pytest.mark.parametrize(
    ("content_type", "megabytes"), [("application/json", 3), ("multipart/form-data; boundary=b", 65)]
)
def test_a_body_over_the_limit_is_refused(
    trained_service: Service, content_type: str, megabytes: int
) -> None:
    headers = {"Content-Type": content_type}
    reply = post(trained_service, "classify", data=bytes(megabytes << 20), headers=headers)
    assert_problem(reply, 413, None, "at most")


EMPTY_PARTS = {
    "DigitService/ClassifyStream": b"\x0a\x00",
    "DigitService/TrainUpload": b"\x0a\x00\x12\x00",
    "GRPCInferenceService/ModelInfer": b"\x2a\x00",
}


@pytest.mark.parametrize("method", EMPTY_PARTS)
def test_a_message_of_empty_parts_takes_no_more_than_its_bytes(trained_service: Service, method: str) -> None:
    package = "digits.v1" if method.startswith("Digit") else "inference"
    peak = peak_bytes(trained_service)
    with grpc.insecure_channel(
        trained_service.grpc_address,
        options=[("grpc.max_send_message_length", -1)],
        compression=grpc.Compression.Gzip,
    ) as channel:
        ask = channel.stream_stream(f"/{package}.{method}")
        with pytest.raises(grpc.RpcError) as refused:
            list(ask(iter([(EMPTY_PARTS[method] * (30 << 20))[: 60 << 20]])))
    assert refused.value.code() is INVALID
    # 60 MB as they come, and put together from their pieces; parsed they took 3 GB.
    assert peak_bytes(trained_service) - peak < 300e6


@pytest.mark.parametrize("messages", [[], [b"\xff\xff"]])
def test_a_train_without_a_request_is_refused(trained_service: Service, messages: list[bytes]) -> None:
    with grpc.insecure_channel(trained_service.grpc_address) as channel:
        train = channel.stream_stream("/digits.v1.DigitService/Train")
        with pytest.raises(grpc.RpcError) as refused:
            list(train(iter(messages)))
    assert refused.value.code() is INVALID


def test_bulk_by_the_inference_protocol_leaves_room_for_single_callers(
    trained_service: Service, client: Client
) -> None:
    tensor = inference_pb2.ModelInferRequest.InferInputTensor(
        name="pixels", datatype="UINT8", shape=[1024, 784]
    )
    request = inference_pb2.ModelInferRequest(
        model_name="digits", inputs=[tensor], raw_input_contents=[SOME_PIXELS * 1024]
    )
    with grpc.insecure_channel(trained_service.grpc_address) as channel, ThreadPoolExecutor(8) as threads:
        ask = inference_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer
        asked = [threads.submit(ask, request, timeout=60) for _ in range(32)]
        for _ in range(20):
            client.classify(pixels=SOME_PIXELS)
        assert all(each.result().outputs for each in asked)


def peak_bytes(service: Service) -> int:
    """The most that the server has held so far."""
    status = Path(f"/proc/{service.process('server').pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


@pytest.mark.parametrize("chunks", [b"zz\r\n", b"-5\r\n", b"0x5\r\n", b"5\r\n123"])
def test_a_body_that_is_not_what_http_allows_is_refused(trained_service: Service, chunks: bytes) -> None:
    head = b"POST /digits/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", trained_service.rest_port), timeout=30) as line:
        line.sendall(head + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunks)
        line.shutdown(socket.SHUT_WR)
        with line.makefile("rb") as answer:
            assert answer.readline().startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("authorization", ["Bearer \xff", "Bearer a\tb"])
def test_a_token_that_is_no_text_is_refused(trained_service: Service, authorization: str) -> None:
    reply = post(
        trained_service,
        "classify",
        json={"image_path": "test/data/n5.png"},
        headers={"Authorization": authorization},
    )
    assert_problem(reply, 401, None, "a token is of printable ASCII")
