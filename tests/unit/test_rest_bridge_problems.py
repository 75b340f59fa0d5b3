"""What callers of the bridge read when something is wrong."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import grpc
import pytest
from flask.testing import FlaskClient
from pydantic import BaseModel
from werkzeug.test import TestResponse

from digits import errors
from digits.client.client import Client
from digits.settings import Settings
from rest_bridge import slips
from rest_bridge.app import create_app
from rest_bridge.bodies import ClassifyBody, FeedbackBody, NoBody, RollbackBody, TrainBody
from rest_bridge.error_mapping import HTTP_OF
from rest_bridge.openapi import document
from tests.bad_json import BAD_JSON
from tests.unit.recorded_service import RecordedService, recorded_service

JSON = "application/json"
FORM = "multipart/form-data"


@pytest.fixture
def service() -> Iterator[RecordedService]:
    with recorded_service() as running:
        yield running


@pytest.fixture
def web(service: RecordedService) -> Iterator[FlaskClient]:
    with Client(service.address, timeout_seconds=5) as client:
        yield create_app(Settings(max_upload_bytes=3 << 20), client).test_client()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidInput("image", "is empty"), 400),
        (errors.RequestConflict("request_id", "came with another body"), 409),
        (errors.NotFound("model", "v9"), 404),
        (errors.NotReady("no model serves yet"), 503),
        (errors.Overloaded("too many wait", 2.5), 429),
        (errors.DeadlinePassed("time ran out"), 504),
        (errors.Cancelled("cancelled"), 409),
        (errors.StoreUnavailable("the store does not answer"), 503),
        (errors.Corrupt("the bundle is damaged"), 500),
        (errors.StaleWrite("somebody else wrote first"), 409),
    ],
)
def test_each_error_of_the_tree_has_its_http_status(
    web: FlaskClient, service: RecordedService, error: errors.DigitsError, status: int
) -> None:
    # Not Classify, which the client sends again for seconds.
    service.answers["GetJob"] = error
    reply = web.get("/digits/jobs/j1")
    assert (reply.status_code, reply.mimetype) == (status, "application/problem+json")
    assert (reply.json["status"], reply.json["detail"]) == (status, str(error))
    assert reply.json.get("field", "") == getattr(error, "field", "")


def test_every_canonical_code_but_ok_has_an_http_status() -> None:
    assert set(HTTP_OF) == set(grpc.StatusCode) - {grpc.StatusCode.OK}


def test_a_full_queue_says_when_to_come_again_in_whole_seconds(
    web: FlaskClient, service: RecordedService
) -> None:
    service.answers["Classify"] = errors.Overloaded("too many wait", 3)
    reply = web.post("/digits/classify", json={"image_path": "a.png"})
    assert reply.headers["Retry-After"] == "3"


def test_nothing_to_roll_back_to_is_a_conflict(web: FlaskClient, service: RecordedService) -> None:
    service.answers["RollbackModel"] = errors.NotReady("nothing to roll back to")
    assert web.post("/digits/models/rollback", json={}).status_code == 409


def test_a_crash_in_the_server_stays_in_the_server(web: FlaskClient, service: RecordedService) -> None:
    def crash(request: object, context: object) -> None:
        raise RuntimeError("secret")

    service.answers["GetJob"] = crash
    reply = web.get("/digits/jobs/j1")
    assert reply.status_code == 500
    assert b"secret" not in reply.data


def test_a_crash_in_the_bridge_is_logged_and_told_to_nobody(
    web: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(job_id: str) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(web.application.extensions["digits"], "get_job", crash)
    with caplog.at_level(logging.ERROR):
        reply = web.get("/digits/jobs/j1")
    assert (reply.status_code, reply.mimetype) == (500, "application/problem+json")
    assert b"secret" not in reply.data
    assert "RuntimeError: secret" in caplog.text


@pytest.mark.parametrize("name", BAD_JSON)
def test_bad_json_is_refused_before_the_server_hears_of_it(
    web: FlaskClient, service: RecordedService, name: str
) -> None:
    body, field, problem = BAD_JSON[name]
    reply = web.post("/digits/classify", data=body, content_type=JSON)
    assert (reply.status_code, reply.mimetype) == (400, "application/problem+json")
    assert problem in reply.json["detail"]
    assert reply.json.get("field") == field
    assert service.requests == []


@pytest.mark.parametrize("body", [b"", b"nope", b"[]", b"{label: 5}", b'{"label": 5,}'])
@pytest.mark.parametrize(
    ("path", "example"),
    [
        ("train", '{"images_batch_path": "mnist.npz"}'),
        ("classify", '{"image_path": "test/data/n5.png"}'),
        ("feedback", '{"label": 5, "prediction_id": "4f1c09d2a7b8e653"}'),
        ("models/rollback", '{"from_version": "v3"}'),
        ("models/v1/promote", "{}"),
        ("jobs/j1/cancel", "{}"),
    ],
)
def test_a_body_that_is_no_object_is_answered_by_an_example_of_the_call_itself(
    web: FlaskClient, path: str, example: str, body: bytes
) -> None:
    if not body and path.startswith(("models", "jobs")):
        body = b" "
    reply = web.post(f"/digits/{path}", data=body, content_type=JSON)
    assert reply.status_code == 400
    assert example in reply.json["detail"].replace('\\"', '"')


@pytest.mark.parametrize("model", [TrainBody, ClassifyBody, FeedbackBody, RollbackBody, NoBody])
def test_an_example_is_a_body_itself(model: type[BaseModel]) -> None:
    model.model_validate_json(slips.example(model))


def test_a_call_without_a_form_is_told_to_send_json_alone(web: FlaskClient) -> None:
    for content_type in ("text/plain", FORM):
        reply = web.post("/digits/feedback", data=b'{"label": 5}', content_type=content_type)
        assert (reply.status_code, reply.json["detail"]) == (415, "Content-Type must be application/json")


@pytest.mark.parametrize(
    ("path", "content_type", "way_out"),
    [
        ("train", "multipart/form-data; boundary=b", "send its images_batch_path"),
        ("classify", "multipart/form-data; boundary=b", "save it smaller, as PNG or JPEG"),
        ("train", JSON, "send a file as a form"),
        ("classify", JSON, "send a file as a form"),
        ("feedback", JSON, "bytes are allowed"),
        ("models/rollback", JSON, "bytes are allowed"),
    ],
)
def test_a_body_over_the_limit_is_shown_the_way_that_its_call_has(
    web: FlaskClient, path: str, content_type: str, way_out: str
) -> None:
    reply = web.post(f"/digits/{path}", data=b"x" * (4 << 20), content_type=content_type)
    assert reply.status_code == 413
    assert reply.json["detail"].endswith(way_out)


def calls() -> list[tuple[str, str, list[str]]]:
    """Path, method and parameters of each call that the description names, but probes and the page."""
    with Client("unix:nobody") as client:
        paths = document(create_app(Settings(), client))["paths"]
    return [
        (path, method, [each["name"] for each in call["parameters"] if each["in"] == "query"])
        for path, methods in paths.items()
        for method, call in methods.items()
        if path not in ("/", "/page/{name}", "/healthz", "/readyz")
    ]


@pytest.mark.parametrize(("path", "method", "known"), calls())
def test_an_unknown_parameter_is_refused_with_the_names_of_those_that_there_are(
    web: FlaskClient, service: RecordedService, path: str, method: str, known: list[str]
) -> None:
    reply = web.open(path, method=method.upper(), query_string={"page_sise": "5"})
    allowed = f"allowed: {', '.join(known)}" if known else "there are none"
    assert (reply.status_code, reply.mimetype) == (400, "application/problem+json")
    assert reply.json["field"] == "page_sise"
    assert reply.json["detail"] == f'unknown parameter "page_sise" after "?"; {allowed}'
    assert service.requests == []


@pytest.mark.parametrize("path", ["/?from=a-mail", "/page/main.js?v=2", "/healthz?balancer", "/readyz?x=1"])
def test_addresses_that_others_lengthen_are_answered(web: FlaskClient, path: str) -> None:
    assert web.get(path).status_code in (200, 503)


@pytest.mark.parametrize(
    ("query", "field", "problem"),
    [
        ("/digits/jobs?page_size=1&page_size=2", "page_size", "twice"),
        ("/digits/models/compare?first_version=v1", "second_version", "missing"),
    ],
)
def test_a_parameter_is_there_once(web: FlaskClient, query: str, field: str, problem: str) -> None:
    reply = web.get(query)
    assert (reply.status_code, reply.json["field"]) == (400, field)
    assert problem in reply.json["detail"]


@pytest.mark.parametrize("value", ["yes please", "2", ""])
def test_details_are_asked_for_or_not(web: FlaskClient, service: RecordedService, value: str) -> None:
    reply = web.post(f"/digits/classify?details={value}", json={"image_path": "a.png"})
    assert (reply.status_code, reply.json["detail"]) == (400, '"details" must be true or false')
    assert service.requests == []


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("seed", "5", "whole number"),
        ("seed", 1.5, "whole number"),
        ("seed", True, "whole number"),
        ("seed", 2**63, "64 bits"),
        ("promotion", "SOMETIMES", "one of IF_BETTER, ALWAYS, NEVER"),
        ("promotion", 1, "one of"),
        ("promotion", ["NEVER"], "one of"),
        ("orientation", "SIDEWAYS", "one of AS_IS, TRANSPOSED"),
        ("recipe", "", "is empty"),
        ("request_id", 5, "must be a string"),
        ("request_id", "x" * 129, "at most 128 characters"),
    ],
)
def test_each_option_of_train_is_checked(
    web: FlaskClient, service: RecordedService, field: str, value: object, problem: str
) -> None:
    reply = web.post("/digits/train", json={"images_batch_path": "t.npz", field: value})
    assert (reply.status_code, reply.json["field"]) == (400, field)
    assert problem in reply.json["detail"]
    assert service.requests == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "image/png"])
def test_a_body_of_another_content_type_is_415(web: FlaskClient, content_type: str) -> None:
    reply = web.post("/digits/classify", data=b'{"image_path": "a.png"}', content_type=content_type)
    assert (reply.status_code, reply.mimetype) == (415, "application/problem+json")


@pytest.mark.parametrize(
    ("data", "field", "problem"),
    [
        ({"picture": (io.BytesIO(b"png"), "a.png")}, "picture", "unknown file"),
        ({"image": (io.BytesIO(b"png"), "a.png"), "image_path": "a.png"}, "image", "not both"),
        ({"image": "n5.png"}, "image", "curl -F image=@FILE"),
        ({"model_version": "v1"}, "image_path", "missing"),
        ({"image_path": ["a.png", "b.png"]}, "image_path", "twice"),
        ({"image_path": (io.BytesIO(b"png"), "a.png")}, "image_path", "must be a string, not a file"),
    ],
)
def test_a_bad_form_is_refused(web: FlaskClient, data: dict[str, object], field: str, problem: str) -> None:
    reply = web.post("/digits/classify", data=data, content_type=FORM)
    assert (reply.status_code, reply.json["field"]) == (400, field)
    assert problem in reply.json["detail"]


@pytest.mark.parametrize("seed", ["seven", "1.0", "", "9" * 19])
def test_a_seed_in_a_form_is_a_whole_number_too(
    web: FlaskClient, service: RecordedService, seed: str
) -> None:
    reply = web.post("/digits/train", data={"images_batch_path": "t.npz", "seed": seed}, content_type=FORM)
    assert (reply.status_code, reply.json["field"]) == (400, "seed")
    assert reply.json["detail"] == '"seed" must be a whole number of 64 bits'
    assert service.requests == []


def test_a_form_without_its_boundary_is_refused(web: FlaskClient) -> None:
    reply = web.post("/digits/classify", data=b"x", content_type=FORM)
    assert (reply.status_code, "has no boundary" in reply.json["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("content_type", "limit"), [(JSON, 2 << 20), ("multipart/form-data; boundary=b", 3 << 20)]
)
def test_a_body_over_the_limit_is_413(web: FlaskClient, content_type: str, limit: int) -> None:
    reply = web.post("/digits/classify", data=b"x" * (limit + 1), content_type=content_type)
    assert f"at most {limit:,} bytes" in reply.json["detail"]
    assert (reply.status_code, reply.mimetype) == (413, "application/problem+json")


def chunked(web: FlaskClient, path: str, body: bytes, content_type: str) -> TestResponse:
    """Posts a body as gunicorn hands on a chunked one: without a length, to its end."""
    return web.post(
        path,
        data=body,
        content_type=content_type,
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )


@pytest.mark.parametrize(
    ("path", "body", "limit"),
    [
        ("/digits/classify", b'{"image_path": "a.png"}', 2 << 20),
        ("/digits/models/rollback", b'{"from_version": "v1"}', 2 << 20),
        ("/digits/classify", b"--b\r\n", 3 << 20),
    ],
)
def test_a_chunked_body_over_the_limit_is_413_and_not_cut(
    web: FlaskClient, service: RecordedService, path: str, body: bytes, limit: int
) -> None:
    content_type = JSON if body.startswith(b"{") else "multipart/form-data; boundary=b"
    reply = chunked(web, path, body.ljust(limit + 1), content_type)
    assert (reply.status_code, reply.mimetype) == (413, "application/problem+json")
    assert f"at most {limit:,} bytes" in reply.json["detail"]
    assert service.requests == []


def test_a_chunked_body_of_just_the_limit_is_read_whole(web: FlaskClient, service: RecordedService) -> None:
    body = b'{"image_path": "a.png"}'.ljust(2 << 20)
    assert chunked(web, "/digits/classify", body, JSON).data == b"[5]"


@pytest.mark.parametrize("size", ["-1", "1001", "ten", "1.5", "1.0"])
def test_a_bad_page_size_is_refused(web: FlaskClient, size: str) -> None:
    reply = web.get(f"/digits/jobs?page_size={size}")
    assert (reply.status_code, reply.json["field"]) == (400, "page_size")
    assert reply.json["detail"] == '"page_size" must be a whole number from 0 to 1000'


@pytest.mark.parametrize("path", ["/digits", "/digits/jobs/", "/digits/jobs/a/b", "/digits/models/v1/x"])
def test_an_unknown_route_is_a_problem(web: FlaskClient, path: str) -> None:
    reply = web.get(path)
    assert (reply.status_code, reply.mimetype) == (404, "application/problem+json")
    assert reply.json["detail"] == "there is no such address here; /openapi.json lists them"


def test_a_wrong_method_is_a_problem_that_names_the_right_ones(web: FlaskClient) -> None:
    reply = web.get("/digits/train")
    assert (reply.status_code, reply.mimetype) == (405, "application/problem+json")
    assert reply.headers["Allow"] == "OPTIONS, POST"
    assert reply.json["detail"] == "this address takes OPTIONS, POST"


def test_a_doubled_slash_is_sent_to_the_right_place(web: FlaskClient) -> None:
    reply = web.get("/digits//jobs")
    assert reply.status_code == 308
    assert reply.headers["Location"].endswith("/digits/jobs")
