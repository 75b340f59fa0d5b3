"""The Python client against a real gRPC server in this process."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2

import digits.client
from digits import errors
from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.v1 import digit_service_pb2 as pb
from digits.v1 import training_pb2
from tests.plain_pixels import SOME_PIXELS
from tests.unit.recorded_service import RecordedService, recorded_service


@pytest.fixture
def service() -> Iterator[RecordedService]:
    with recorded_service() as running:
        yield running


@pytest.fixture
def client(service: RecordedService) -> Iterator[Client]:
    with Client(service.address, timeout_seconds=5) as made:
        yield made


def progress(state: str, **fields: object) -> training_pb2.TrainProgress:
    return training_pb2.TrainProgress(job_id="j1", state=state, **fields)


def test_classify_sends_the_one_picture_it_was_given(client: Client, service: RecordedService) -> None:
    assert client.classify(pixels=SOME_PIXELS, model_version="v1").digit == 5
    assert service.requests == [pb.ClassifyRequest(pixels=SOME_PIXELS, model_version="v1")]


def test_an_empty_picture_is_sent_as_an_empty_picture(client: Client, service: RecordedService) -> None:
    client.classify(image=b"")
    assert service.requests[0].WhichOneof("picture") == "image"


def test_train_yields_progress_until_the_job_is_final(client: Client, service: RecordedService) -> None:
    service.answers["Train"] = [progress("QUEUED"), progress("TRAINING"), progress("SUCCEEDED")]
    states = [p.state for p in client.train(images_batch_path="tiny.npz", recipe="fast", promotion="NEVER")]
    assert states == [1, 3, 6]
    assert service.requests == [
        pb.TrainRequest(images_batch_path="tiny.npz", recipe="fast", promotion="NEVER")
    ]


def test_train_starts_the_job_before_the_first_progress_is_read(
    client: Client, service: RecordedService
) -> None:
    called = threading.Event()

    def train(request: object, context: grpc.ServicerContext) -> list[training_pb2.TrainProgress]:
        called.set()
        return []

    service.answers["Train"] = train
    stream = client.train(images_batch=b"npz")
    assert called.wait(5)
    assert list(stream) == []


def test_a_failed_job_ends_its_stream_with_the_jobs_error(client: Client, service: RecordedService) -> None:
    failure = errors.InvalidInput("images_batch_path", "is not a zip")
    service.answers["Train"] = [progress("QUEUED"), progress("FAILED"), failure]
    stream = client.train(images_batch_path="text.npz")
    assert [next(stream).state, next(stream).state] == [1, 7]
    with pytest.raises(RemoteError, match="is not a zip") as raised:
        next(stream)
    assert (raised.value.code, raised.value.field) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "images_batch_path",
    )


def test_leaving_a_stream_tells_the_server(client: Client, service: RecordedService) -> None:
    left = threading.Event()

    def train(request: object, context: grpc.ServicerContext) -> Iterator[training_pb2.TrainProgress]:
        context.add_callback(left.set)
        yield progress("QUEUED")
        left.wait(5)

    service.answers["WatchJob"] = train
    stream = client.watch_job("j1")
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert left.wait(5)


def test_the_jobs_answers_come_as_they_are(client: Client) -> None:
    assert client.get_job("j1").state == training_pb2.TRAINING
    assert [job.job_id for job in client.list_jobs(page_size=3).jobs] == ["j1"]
    assert client.cancel_job("j1").cancel_requested


def test_the_models_answers_come_as_they_are(client: Client, service: RecordedService) -> None:
    assert [model.version for model in client.list_models().models] == ["v1"]
    assert client.get_model("serving").version == "v1"
    assert client.promote_model("v1").version == "v1"
    assert client.rollback_model("v1").version == "v0"
    assert [change.caller for change in client.list_serving_history(3, "2").changes] == ["ann"]
    assert service.requests[1].version == "serving"
    assert service.requests[3].from_version == "v1"
    assert (service.requests[4].page_size, service.requests[4].page_token) == (3, "2")


def test_classify_stream_answers_batches_in_order(client: Client, service: RecordedService) -> None:
    def echo(requests: Iterator[pb.ClassifyStreamRequest], context: grpc.ServicerContext) -> Iterator[object]:
        for request in requests:
            digits = [pb.ClassifyResponse(digit=len(one.pixels)) for one in request.requests]
            yield pb.ClassifyStreamResponse(responses=digits)

    service.answers["ClassifyStream"] = echo
    one, two = pb.ClassifyRequest(pixels=b"1"), pb.ClassifyRequest(pixels=b"22")
    answers = client.classify_stream([[one, two], [two]])
    assert [[answer.digit for answer in batch] for batch in answers] == [[1, 2], [2]]


def test_a_refusal_says_when_to_come_again(client: Client, service: RecordedService) -> None:
    service.answers["Classify"] = errors.Overloaded("too many pictures wait", retry_after_seconds=3)
    with pytest.raises(RemoteError) as raised:
        client.classify(pixels=SOME_PIXELS)
    assert (raised.value.code, raised.value.retry_after_seconds) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        3.0,
    )


def test_an_error_without_details_is_still_an_error(client: Client, service: RecordedService) -> None:
    service.answers["GetJob"] = errors.NotFound("job", "j9")
    with pytest.raises(RemoteError) as raised:
        client.get_job("j9")
    assert (raised.value.message, raised.value.field) == ("no job 'j9'", "")


def test_classify_is_asked_again_when_the_server_was_away(client: Client, service: RecordedService) -> None:
    def away_once(request: object, context: grpc.ServicerContext) -> pb.ClassifyResponse:
        if len(service.requests) < 2:
            context.abort(grpc.StatusCode.UNAVAILABLE, "restarting")
        return pb.ClassifyResponse(digit=7)

    service.answers["Classify"] = away_once
    assert client.classify(pixels=SOME_PIXELS).digit == 7
    assert len(service.requests) == 2


def test_a_call_ends_at_its_deadline_and_says_so_in_our_words(
    client: Client, service: RecordedService
) -> None:
    released = threading.Event()

    def slow(request: object, context: grpc.ServicerContext) -> pb.ClassifyResponse:
        released.wait(5)
        return pb.ClassifyResponse()

    service.answers["Classify"] = slow
    with pytest.raises(RemoteError) as raised:
        client.classify(pixels=SOME_PIXELS, timeout_seconds=0.05)
    released.set()
    assert raised.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert str(raised.value) == "the server did not answer in time"


@pytest.mark.parametrize(
    ("status", "serving"),
    [(health_pb2.HealthCheckResponse.SERVING, True), (health_pb2.HealthCheckResponse.NOT_SERVING, False)],
)
def test_serving_repeats_what_health_says(
    client: Client, service: RecordedService, status: int, serving: bool
) -> None:
    service.health.set("", status)
    assert client.serving() is serving


def test_a_server_that_is_not_there_is_unavailable(tmp_path: object) -> None:
    with Client(f"unix:{tmp_path}/nobody", timeout_seconds=5) as client, pytest.raises(RemoteError) as raised:
        client.serving()
    assert raised.value.code is grpc.StatusCode.UNAVAILABLE


def test_making_a_client_opens_nothing() -> None:
    before = threading.active_count()
    clients = [Client("127.0.0.1:1") for _ in range(8)]
    assert threading.active_count() == before, clients


@pytest.mark.parametrize(
    ("limits", "age", "count"),
    [
        ({}, None, None),
        ({"max_age_seconds": 0}, 0, None),
        ({"max_age_seconds": 90.5, "max_count": 0}, 90.5, 0),
    ],
)
def test_what_is_pruned_is_named_and_limits_that_are_not_given_are_the_services(
    client: Client, service: RecordedService, limits: dict[str, float], age: float | None, count: int | None
) -> None:
    assert client.prune_jobs(**limits, dry_run=True) == ["j1"]  # type: ignore[arg-type]
    assert client.prune_models(**limits, dry_run=True) == ["v1"]  # type: ignore[arg-type]
    for request in service.requests:
        asked = request.max_age.ToTimedelta().total_seconds() if request.HasField("max_age") else None
        assert (asked, request.max_count if request.HasField("max_count") else None) == (age, count)
        assert request.dry_run


def test_a_version_is_pinned_and_let_go_again(client: Client, service: RecordedService) -> None:
    assert client.pin_model("v1").pinned
    client.pin_model("v1", pinned=False)
    assert [(request.version, request.pinned) for request in service.requests] == [
        ("v1", True),
        ("v1", False),
    ]


def test_programs_outside_the_repository_import_the_client_as_documented() -> None:
    assert (digits.client.Client, digits.client.RemoteError) == (Client, RemoteError)


def test_a_message_that_is_too_large_is_said_with_its_setting_and_another_way(
    client: Client, service: RecordedService
) -> None:
    with pytest.raises(RemoteError, match=r"larger than max.*DIGITS_MAX_REQUEST_BYTES.*by TrainUpload"):
        client.classify(image=bytes(5 << 20))


def test_an_open_file_is_sent_in_pieces(client: Client, service: RecordedService) -> None:
    file = io.BytesIO(bytes(range(256)) * 4000)
    service.answers["Train"] = [progress("SUCCEEDED")]
    assert [p.state for p in client.train(images_batch=file, seed=3)] == [training_pb2.SUCCEEDED]
    assert service.requests == [pb.TrainRequest(images_batch=file.getvalue(), seed=3)]
