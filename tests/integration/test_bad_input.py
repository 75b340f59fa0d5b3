"""Bad input gets a clear error over gRPC and over REST, and changes nothing: each case is one row.

Every row is followed by a good request to the same service.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import requests

from digits.client.client import Client
from digits.v1 import digit_service_pb2
from tests.bad_json import BAD_JSON
from tests.integration import batches, pictures
from tests.integration.refusals import (
    INVALID,
    MISSING,
    assert_no_trace,
    assert_problem,
    assert_refused,
    post,
    refused,
)
from tests.service import Service

pytestmark = pytest.mark.usefixtures("unharmed")

HTTP = {INVALID: 400, MISSING: 404, grpc.StatusCode.ALREADY_EXISTS: 409}
FIVE = "test/data/n5.png"
PICTURE = (Path(__file__).parents[2] / "data" / FIVE).read_bytes()


CALLS = {"image_path": "classify", "images_batch_path": "train"}

# path → (code, what the answer says); the names below are made by `odd_files`.
BAD_PATHS = {
    "absolute": ("/etc/passwd", INVALID, "relative"),
    "parent": ("../pyproject.toml", INVALID, '".."'),
    "parent in the middle": ("test/../../secret.npz", INVALID, '".."'),
    "symlink out": ("odd/out", INVALID, "out of the data folder"),
    "symlink to a device": ("odd/zero", INVALID, "out of the data folder"),
    "symlink to itself": ("odd/loop", INVALID, "usable path"),
    "NUL": ("test/data\0/n5.png", INVALID, "NUL"),
    "missing": ("nobody.npz", MISSING, "nobody.npz"),
    "below a file": ("tiny.npz/x_train", MISSING, "tiny.npz/x_train"),
    "unreadable": ("odd/unreadable", INVALID, "not readable"),
    "pipe": ("odd/pipe", INVALID, "not a regular file"),
    "very long": ("a/" * 5000, INVALID, "too long"),
    "1 MB": ("a" * (1 << 20), INVALID, "too long"),
    "very long name": ("a" * 1000, INVALID, "too long"),
    "empty": ("", INVALID, "is empty"),
}


@pytest.fixture
def odd_files(trained_service: Service, tmp_path: Path) -> Iterator[None]:
    folder = trained_service.data_dir / "odd"
    folder.mkdir(exist_ok=True)
    secret = tmp_path / "secret"
    secret.write_bytes(PICTURE)
    unreadable = folder / "unreadable"
    unreadable.write_bytes(secret.read_bytes())
    unreadable.chmod(0)
    for name, target in {"out": secret, "zero": Path("/dev/zero"), "loop": folder / "loop"}.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe")
    yield
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


@pytest.mark.usefixtures("odd_files")
@pytest.mark.parametrize("field", CALLS)
@pytest.mark.parametrize("name", BAD_PATHS)
def test_a_bad_path_is_refused(trained_service: Service, client: Client, name: str, field: str) -> None:
    path, code, says = BAD_PATHS[name]
    named = "" if code is MISSING else field
    assert_refused(refused(getattr(client, CALLS[field]), **{field: path}), code, named, says)
    reply = post(trained_service, CALLS[field], json={field: path})
    assert_problem(reply, HTTP[code], named or None, says)


@pytest.mark.usefixtures("odd_files")
def test_a_folder_is_no_picture_and_only_a_batch_where_it_holds_one(
    trained_service: Service, client: Client
) -> None:
    assert_refused(refused(client.classify, image_path="test/data"), INVALID, "image_path", "is a folder")
    reply = post(trained_service, "classify", json={"image_path": "test/data"})
    assert_problem(reply, 400, "image_path", "is a folder")
    says = "no .npz, .csv or .parquet files"
    assert_refused(refused(client.train, images_batch_path="test"), INVALID, "images_batch_path", says)
    reply = post(trained_service, "train", json={"images_batch_path": "test"})
    assert_problem(reply, 400, "images_batch_path", says)


BAD_PICTURES = pictures.not_a_digit(PICTURE)


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_a_file_that_shows_no_digit_is_refused(trained_service: Service, client: Client, name: str) -> None:
    data, says = BAD_PICTURES[name]
    assert_refused(refused(client.classify, image=data), INVALID, "image", says)
    assert_problem(post(trained_service, "classify", files={"image": data}), 400, "image", says)


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_a_path_to_a_file_that_shows_no_digit_is_refused(
    trained_service: Service, client: Client, name: str
) -> None:
    data, says = BAD_PICTURES[name]
    path = f"{uuid.uuid4()}.png"
    (trained_service.data_dir / path).write_bytes(data)
    assert_refused(refused(client.classify, image_path=path), INVALID, "image_path", says)
    reply = post(trained_service, "classify", json={"image_path": path})
    assert_problem(reply, 400, "image_path", says)


GOOD_PICTURES = pictures.as_people_make_them(PICTURE)


@pytest.mark.parametrize("name", GOOD_PICTURES)
def test_an_unusual_picture_of_a_five_is_a_five(trained_service: Service, client: Client, name: str) -> None:
    assert client.classify(image=GOOD_PICTURES[name]).digit == 5
    reply = post(trained_service, "classify", files={"image": GOOD_PICTURES[name]})
    assert reply.content == b"[5]"


BAD_BATCHES = batches.unusable()


@pytest.mark.parametrize("name", BAD_BATCHES)
def test_an_unusable_batch_is_refused(trained_service: Service, client: Client, name: str) -> None:
    data, says = BAD_BATCHES[name]
    assert_refused(refused(client.train, images_batch=data), INVALID, "images_batch", says)
    assert_problem(post(trained_service, "train", files={"images_batch": data}), 400, "images_batch", says)
    path = f"{uuid.uuid4()}.npz"
    (trained_service.data_dir / path).write_bytes(data)
    assert_refused(refused(client.train, images_batch_path=path), INVALID, "images_batch_path", says)


@pytest.mark.parametrize("name", BAD_JSON)
def test_bad_json_is_refused(trained_service: Service, name: str) -> None:
    body, field, says = BAD_JSON[name]
    reply = post(trained_service, "classify", data=body, headers={"Content-Type": "application/json"})
    assert_problem(reply, 400, field, says)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_json_may_begin_with_a_byte_order_mark(trained_service: Service, encoding: str) -> None:
    body = f'{{"image_path": "{FIVE}"}}'.encode(encoding)
    reply = post(trained_service, "classify", data=body, headers={"Content-Type": "application/json"})
    assert reply.content == b"[5]"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "image/png"])
def test_another_content_type_is_refused(trained_service: Service, content_type: str) -> None:
    reply = post(trained_service, "classify", data=b"{}", headers={"Content-Type": content_type})
    assert_problem(reply, 415, None, "application/json")


BAD_OPTIONS = {
    "unknown recipe": ({"recipe": "slow"}, "recipe", "fast"),
    "recipe of 1 MB": ({"recipe": "x" * (1 << 20)}, "recipe", "fast"),
    "long request_id": ({"request_id": "x" * 129}, "request_id", "128"),
    "unprintable request_id": ({"request_id": "a\nb"}, "request_id", "printable"),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_a_bad_option_of_train_is_refused(trained_service: Service, client: Client, name: str) -> None:
    options, field, says = BAD_OPTIONS[name]
    request = {"images_batch_path": "tiny.npz", **options}
    assert_refused(refused(client.train, **request), INVALID, field, says)
    assert_problem(post(trained_service, "train", json=request), 400, field, says)


def test_an_unknown_promotion_is_refused(trained_service: Service, client: Client) -> None:
    error = refused(client.train, images_batch_path="tiny.npz", promotion=99)
    assert_refused(error, INVALID, "promotion", "IF_BETTER")
    reply = post(trained_service, "train", json={"images_batch_path": "tiny.npz", "promotion": "SOMETIMES"})
    assert_problem(reply, 400, "promotion", "IF_BETTER")


@pytest.mark.parametrize("size", [0, 783, 785, 100_000])
def test_pixels_of_another_size_are_refused(client: Client, size: int) -> None:
    assert_refused(refused(client.classify, pixels=bytes(size)), INVALID, "pixels", "784")


@pytest.mark.parametrize(("call", "field"), [("classify", "picture"), ("train", "batch")])
def test_an_empty_request_is_refused(client: Client, call: str, field: str) -> None:
    assert_refused(refused(getattr(client, call)), INVALID, field, "give one of")


@pytest.mark.parametrize(
    ("call", "path", "upload"),
    [("classify", "image_path", "image"), ("train", "images_batch_path", "images_batch")],
)
def test_both_of_a_choice_are_refused_where_the_transport_can_say_both(
    trained_service: Service, call: str, path: str, upload: str
) -> None:
    reply = post(trained_service, call, data={path: "tiny.npz"}, files={upload: b"data"})
    assert_problem(reply, 400, upload, "not both")


def test_of_both_in_a_message_the_last_counts_as_protobuf_says(
    trained_service: Service, client: Client
) -> None:
    five = digit_service_pb2.ClassifyRequest(image_path=FIVE).SerializeToString()
    nothing = digit_service_pb2.ClassifyRequest(image_path="nobody.png", pixels=b"").SerializeToString()
    with grpc.insecure_channel(trained_service.grpc_address) as channel:
        classify = channel.unary_unary(
            "/digits.v1.DigitService/Classify",
            response_deserializer=digit_service_pb2.ClassifyResponse.FromString,
        )
        assert classify(nothing + five, timeout=30).digit == 5


def test_an_expired_deadline_is_told(client: Client) -> None:
    error = refused(client.classify, image_path=FIVE, timeout_seconds=1e-6)
    assert_refused(error, grpc.StatusCode.DEADLINE_EXCEEDED, "", "")


@pytest.mark.parametrize("version", ["v999999", "v0", "../serving", "x" * (1 << 20)])
def test_an_unknown_version_is_not_found(trained_service: Service, client: Client, version: str) -> None:
    error = refused(client.classify, image_path=FIVE, model_version=version)
    assert_refused(error, MISSING, "", "no model version")
    reply = post(trained_service, "classify", json={"image_path": FIVE, "model_version": version})
    assert_problem(reply, 404, None, "no model version")


def test_an_unknown_version_is_neither_shown_nor_promoted(trained_service: Service, client: Client) -> None:
    models = f"{trained_service.rest_url}/digits/models/v999999"
    for call in (client.get_model, client.promote_model):
        assert_refused(refused(call, version="v999999"), MISSING, "", "v999999")
    assert_problem(requests.get(models, timeout=30), 404, None, "v999999")
    assert_problem(requests.post(f"{models}/promote", json={}, timeout=30), 404, None, "v999999")


@pytest.mark.parametrize("job_id", ["nobody", "..", "a b", "%00", "x" * 3000])
def test_an_unknown_job_is_not_found(trained_service: Service, client: Client, job_id: str) -> None:
    for call in (client.get_job, client.cancel_job, client.watch_job):
        assert_refused(refused(call, job_id=job_id), MISSING, "", "no job")
    jobs = f"{trained_service.rest_url}/digits/jobs/{requests.utils.quote(job_id)}"
    for reply in (requests.get(jobs, timeout=30), requests.get(f"{jobs}/events", timeout=30)):
        assert (reply.status_code, reply.headers["Content-Type"]) == (404, "application/problem+json")


def test_an_unknown_route_and_a_wrong_method_are_problems(trained_service: Service) -> None:
    assert_problem(requests.get(f"{trained_service.rest_url}/digits", timeout=30), 404, None, "")
    reply = requests.get(f"{trained_service.rest_url}/digits/train", timeout=30)
    assert_problem(reply, 405, None, "")


class TestAcceptedJobs:
    """Bad input that is only seen once a job was accepted."""

    @pytest.fixture(autouse=True)
    def unharmed(self) -> None:
        """Here a job is started on purpose."""

    def test_the_same_request_id_with_another_body_is_refused(
        self, trained_service: Service, client: Client
    ) -> None:
        request = {"images_batch_path": "tiny.npz", "request_id": str(uuid.uuid4()), "promotion": "NEVER"}
        job_id = next(client.train(**request)).job_id
        error = refused(client.train, **request, seed=2)
        assert_refused(error, grpc.StatusCode.ALREADY_EXISTS, "request_id", "another")
        assert_problem(
            post(trained_service, "train", json={**request, "seed": 2}), 409, "request_id", "another"
        )
        assert next(client.train(**request)).job_id == job_id
        client.cancel_job(job_id)
        assert [progress.state for progress in client.watch_job(job_id)][-1] in (6, 8)

    def test_images_that_turn_out_to_be_damaged_fail_their_job(
        self, trained_service: Service, client: Client
    ) -> None:
        # After the images that are looked at before a job is accepted.
        data = bytearray(batches.npz(**batches.noise(6000)))
        middle = data.index(b"x_train") + 4_500_000
        data[middle : middle + 100] = bytes(100)
        error = refused(client.train, images_batch=bytes(data))
        assert (error.code, error.field) == (INVALID, "images_batch")
        assert "cannot be read" in error.message
        assert_no_trace(error.message)
        assert client.list_jobs(page_size=1).jobs[0].state == 7
        assert client.classify(image_path=FIVE).digit == 5
