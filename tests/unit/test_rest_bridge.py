"""The bridge's calls against a real gRPC server in this process."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from flask.testing import FlaskClient
from grpc_health.v1 import health_pb2

from digits import errors
from digits.client.client import Client
from digits.settings import Settings
from digits.v1 import digit_service_pb2 as pb
from digits.v1.training_pb2 import Job, TrainProgress
from rest_bridge.app import create_app
from rest_bridge.openapi import document
from tests.unit.recorded_service import RecordedService, recorded_service


@pytest.fixture
def service() -> Iterator[RecordedService]:
    with recorded_service() as running:
        running.answers["Train"] = [progress("QUEUED"), progress("SUCCEEDED")]
        yield running


@pytest.fixture
def web(service: RecordedService) -> Iterator[FlaskClient]:
    with Client(service.address, timeout_seconds=5) as client:
        yield create_app(Settings(), client).test_client()


def progress(state: str, **fields: object) -> TrainProgress:
    return TrainProgress(job_id="j1", state=state, **fields)


def test_the_documented_train_call_answers_true(web: FlaskClient, service: RecordedService) -> None:
    reply = web.post("/digits/train", json={"images_batch_path": "mnist.npz"})
    assert (reply.status_code, reply.data, reply.mimetype) == (200, b"True", "text/plain")
    assert reply.headers["Location"] == "/digits/jobs/j1"
    assert service.requests == [pb.TrainRequest(images_batch_path="mnist.npz")]


def test_the_documented_classify_call_answers_the_digit_in_brackets(
    web: FlaskClient, service: RecordedService
) -> None:
    reply = web.post("/digits/classify", json={"image_path": "test/data/n5.png"})
    assert (reply.status_code, reply.data, reply.mimetype) == (200, b"[5]", "application/json")
    assert service.requests == [pb.ClassifyRequest(image_path="test/data/n5.png")]


def test_classify_tells_all_it_knows_when_asked_for_details(web: FlaskClient) -> None:
    reply = web.post("/digits/classify?details=1", json={"image_path": "a.png", "model_version": "v1"})
    assert reply.json == {
        "digit": 5,
        "confidence": 0.9,
        "probabilities": [],
        "model_version": "v1",
        "served_by": "WORKER",
        "not_a_digit": 0.25,
        "prediction_id": "p1",
    }


def test_a_preview_is_what_the_network_saw_and_where_it_came_from(
    web: FlaskClient, service: RecordedService
) -> None:
    box = pb.Box(left=4, top=3, width=2, height=1)
    service.answers["Classify"] = pb.ClassifyResponse(digit=5, preview=pb.Preview(pixels=b"28", box=box))
    for how in (
        {"json": {"image_path": "a.png", "preview": True}},
        {"data": {"image": (io.BytesIO(b"png"), "a.png"), "preview": "true"}},
    ):
        reply = web.post("/digits/classify?details=1", **how)
        assert reply.json["preview"] == {
            "pixels": "Mjg=",
            "box": {"left": 4, "top": 3, "width": 2, "height": 1},
        }
    assert [request.preview for request in service.requests] == [True, True]


def test_a_preview_is_asked_for_with_true_or_not_at_all(web: FlaskClient) -> None:
    reply = web.post("/digits/classify", json={"image_path": "a.png", "preview": 1})
    assert (reply.status_code, reply.json["detail"]) == (400, '"preview" must be true or false')


def test_a_picture_may_be_uploaded(web: FlaskClient, service: RecordedService) -> None:
    reply = web.post("/digits/classify", data={"image": (io.BytesIO(b"png"), "n5.png")})
    assert reply.data == b"[5]"
    assert service.requests == [pb.ClassifyRequest(image=b"png")]


def test_a_batch_may_be_uploaded_with_every_option(web: FlaskClient, service: RecordedService) -> None:
    options = {"recipe": "fast", "seed": "-7", "request_id": "r1", "promotion": "NEVER"}
    options["orientation"] = "TRANSPOSED"
    upload = {"images_batch": (io.BytesIO(b"npz"), "tiny.npz")}
    assert web.post("/digits/train", data={**options, **upload}).data == b"True"
    assert service.requests == [
        pb.TrainRequest(
            images_batch=b"npz",
            recipe="fast",
            seed=-7,
            request_id="r1",
            promotion="NEVER",
            orientation="TRANSPOSED",
        )
    ]


def test_what_was_accepted_of_a_batch_is_in_the_answer_and_in_the_job(
    web: FlaskClient, service: RecordedService
) -> None:
    noted = progress("QUEUED", notes=["white paper inverted"])
    service.answers["Train"] = [noted, progress("SUCCEEDED")]
    service.answers["GetJob"] = Job(job_id="j1", progress=noted)
    prefer = {"Prefer": "respond-async"}
    reply = web.post("/digits/train", json={"images_batch_path": "t.npz"}, headers=prefer)
    assert reply.json["notes"] == ["white paper inverted"]
    assert web.get("/digits/jobs/j1").json["progress"]["notes"] == ["white paper inverted"]


@pytest.mark.parametrize("prefer", ["respond-async", "wait=1, Respond-Async; foo"])
def test_train_answers_at_once_when_the_caller_prefers_it(
    web: FlaskClient, service: RecordedService, prefer: str
) -> None:
    def never_ends(request: object, context: grpc.ServicerContext) -> Iterator[TrainProgress]:
        yield progress("QUEUED")
        while context.is_active():
            yield progress("QUEUED")

    service.answers["Train"] = never_ends
    reply = web.post("/digits/train", json={"images_batch_path": "t.npz"}, headers={"Prefer": prefer})
    assert (reply.status_code, reply.headers["Location"]) == (202, "/digits/jobs/j1")
    assert reply.headers["Preference-Applied"] == "respond-async"
    assert reply.json["state"] == "QUEUED"


def test_a_failed_job_is_a_problem_that_names_the_job(web: FlaskClient, service: RecordedService) -> None:
    failure = errors.InvalidInput("images_batch_path", "holds no x_train")
    service.answers["Train"] = [progress("QUEUED"), progress("FAILED"), failure]
    reply = web.post("/digits/train", json={"images_batch_path": "t.npz"})
    assert (reply.status_code, reply.mimetype) == (400, "application/problem+json")
    assert reply.json["instance"] == reply.headers["Location"] == "/digits/jobs/j1"
    assert reply.json["field"] == "images_batch_path"


def test_a_cancelled_job_is_a_conflict(web: FlaskClient, service: RecordedService) -> None:
    service.answers["Train"] = [progress("QUEUED"), progress("CANCELLED")]
    reply = web.post("/digits/train", json={"images_batch_path": "t.npz"})
    assert (reply.status_code, reply.json["detail"]) == (409, "the job ended CANCELLED")


def test_a_training_whose_server_stops_is_followed_at_another(
    web: FlaskClient, service: RecordedService
) -> None:
    service.answers["Train"] = [progress("QUEUED"), errors.Stopping("this server stops")]
    service.answers["WatchJob"] = [progress("TRAINING"), progress("SUCCEEDED")]
    reply = web.post("/digits/train", json={"images_batch_path": "t.npz"})
    assert (reply.text, reply.headers["Location"]) == ("True", "/digits/jobs/j1")
    assert service.requests[-1].job_id == "j1"


def test_jobs_are_listed_shown_and_cancelled(web: FlaskClient, service: RecordedService) -> None:
    assert web.get("/digits/jobs?page_size=2&page_token=x").json["jobs"][0]["job_id"] == "j1"
    assert web.get("/digits/jobs/j1").json["state"] == "TRAINING"
    assert web.post("/digits/jobs/j1/cancel", json={}).json["cancel_requested"] is True
    assert (service.requests[0].page_size, service.requests[0].page_token) == (2, "x")


def test_a_jobs_report_is_a_page_that_may_run_and_fetch_nothing(
    web: FlaskClient, service: RecordedService
) -> None:
    service.answers["GetJob"] = Job(job_id="j1", progress=progress("TRAINING", notes=["<script>"]))
    reply = web.get("/digits/jobs/j1/report")
    assert (reply.status_code, reply.mimetype) == (200, "text/html")
    policy = reply.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "sandbox"} < set(policy)
    assert not any(part.startswith("script-src") for part in policy)
    assert "<li>&lt;script&gt;</li>" in reply.text
    service.answers["GetJob"] = errors.NotFound("job", "j9")
    assert web.get("/digits/jobs/j9/report").status_code == 404


def test_models_are_listed_shown_promoted_and_rolled_back(web: FlaskClient, service: RecordedService) -> None:
    assert web.get("/digits/models").json["models"][0]["version"] == "v1"
    assert web.get("/digits/models/serving").json["version"] == "v1"
    assert web.post("/digits/models/v1/promote", json={}).json["state"] == "SERVING"
    assert web.post("/digits/models/rollback", json={}).json["version"] == "v0"
    assert [service.requests[1].version, service.requests[2].version] == ["serving", "v1"]


def test_a_rollback_may_name_the_version_that_it_comes_from(
    web: FlaskClient, service: RecordedService
) -> None:
    assert web.post("/digits/models/rollback", json={"from_version": "v1"}).json["version"] == "v0"
    assert service.requests[0].from_version == "v1"
    for wrong in ({"from_version": 1}, {"from": "v1"}):
        refused = web.post("/digits/models/rollback", json=wrong)
        assert (refused.status_code, refused.json["field"]) == (400, next(iter(wrong)))
    assert len(service.requests) == 1


def test_the_history_of_what_served_is_listed(web: FlaskClient, service: RecordedService) -> None:
    (change,) = web.get("/digits/models/history?page_size=3&page_token=2").json["changes"]
    assert (change["version"], change["reason"], change["caller"]) == ("v1", "GATE", "ann")
    assert (service.requests[0].page_size, service.requests[0].page_token) == (3, "2")


def test_the_bridge_is_healthy_whatever_the_server_says(web: FlaskClient) -> None:
    assert web.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("status", "code"),
    [(health_pb2.HealthCheckResponse.SERVING, 200), (health_pb2.HealthCheckResponse.NOT_SERVING, 503)],
)
def test_ready_means_that_the_server_serves(
    web: FlaskClient, service: RecordedService, status: int, code: int
) -> None:
    service.health.set("", status)
    assert web.get("/readyz").status_code == code


def test_a_bridge_without_a_server_is_not_ready_and_gives_no_address_away(tmp_path: object) -> None:
    with Client(f"unix:{tmp_path}/nobody", timeout_seconds=5) as client:
        reply = create_app(Settings(), client).test_client().get("/readyz")
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "1")
    assert reply.json["detail"] == "the digit service does not answer; try again"


def test_the_description_names_every_route_and_no_other(web: FlaskClient) -> None:
    described = {
        (path.replace("{", "<").replace("}", ">"), method.upper())
        for path, operations in document(web.application)["paths"].items()
        for method in operations
    }
    routes = {
        (rule.rule, method)
        for rule in web.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == routes
    assert web.get("/openapi.json").json == document(web.application)


def test_a_body_is_checked_by_the_limits_that_its_description_names(web: FlaskClient) -> None:
    body = web.get("/openapi.json").json["components"]["schemas"]["TrainBody"]
    assert (body["required"], body["additionalProperties"]) == (["images_batch_path"], False)
    limits = body["properties"]
    beyond = {
        "request_id": "x" * (limits["request_id"]["maxLength"] + 1),
        "seed": limits["seed"]["maximum"] + 1,
    }
    for field, value in beyond.items():
        reply = web.post("/digits/train", json={"images_batch_path": "tiny.npz", field: value})
        assert (reply.status_code, reply.json["field"]) == (400, field)
    reply = web.post("/digits/train", json={"colour": 1})
    assert set(reply.json["detail"].partition("allowed: ")[2].split(", ")) == set(limits)


def test_a_problem_has_the_fields_that_its_description_names(web: FlaskClient) -> None:
    problem = web.get("/openapi.json").json["components"]["schemas"]["Problem"]
    said = web.post("/digits/train", json={}).json
    assert set(problem["required"]) <= set(said) <= set(problem["properties"])


def test_batches_to_choose_from_and_how_the_service_is_are_told(web: FlaskClient) -> None:
    assert web.get("/digits/batches").json["batches"] == [
        {"path": "tiny.npz", "total_bytes": "2000", "folder": False}
    ]
    (part,) = web.get("/digits/status").json["parts"]
    assert (part["name"], part["ok"], part["detail"]) == ("store", True, "answers")


def test_two_versions_are_compared_by_their_names(web: FlaskClient, service: RecordedService) -> None:
    reply = web.get("/digits/models/compare?first_version=v1&second_version=v2")
    assert (reply.json["image_count"], reply.json["difference_count"]) == ("10", "1")
    assert (service.requests[0].first_version, service.requests[0].second_version) == ("v1", "v2")
    for query, field in (
        ("first_version=v1", "second_version"),
        ("first_version=&second_version=v2", "first_version"),
    ):
        refused = web.get(f"/digits/models/compare?{query}")
        assert (refused.status_code, refused.json["field"]) == (400, field)
        assert field in refused.json["detail"]


def test_a_label_names_its_answer_or_gives_the_pixels(web: FlaskClient, service: RecordedService) -> None:
    reply = web.post("/digits/feedback", json={"prediction_id": "p1", "label": 0})
    assert (reply.json["model_version"], reply.json["live_accuracy"]["label_count"]) == ("v1", "4")
    web.post("/digits/feedback", json={"pixels": "AAEC", "label": 9})
    by_id, by_pixels = service.requests
    assert (by_id.prediction_id, by_id.label, by_id.HasField("label")) == ("p1", 0, True)
    assert (by_pixels.pixels, by_pixels.label) == (b"\0\1\2", 9)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"prediction_id": "p1"}, "label"),
        ({"prediction_id": "p1", "label": 10}, "label"),
        ({"prediction_id": "p1", "label": "5"}, "label"),
        ({"pixels": "not base64!", "label": 5}, "pixels"),
        ({"pixels": 5, "label": 5}, "pixels"),
        ({"prediction_id": "p1", "label": 5, "who": "me"}, "who"),
    ],
)
def test_a_label_that_is_none_is_refused_by_its_field(
    web: FlaskClient, body: dict[str, object], field: str
) -> None:
    reply = web.post("/digits/feedback", json=body)
    assert (reply.status_code, reply.json["field"]) == (400, field)
    assert field in reply.json["detail"]


def test_a_large_upload_is_on_disk_in_the_state_folder_while_it_is_handed_on(
    service: RecordedService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "memory, in a container"))
    batch = bytes(range(256)) * 8000
    with Client(service.address) as client:
        web = create_app(Settings(var_dir=tmp_path / "var"), client).test_client()
        head = b'--b\r\nContent-Disposition: form-data; name="images_batch"; filename="large.npz"\r\n\r\n'
        body, kind = head + batch + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"
        assert web.post("/digits/train", data=body, content_type=kind).data == b"True"
    assert service.requests == [pb.TrainRequest(images_batch=batch)]
    assert [path.name for path in (tmp_path / "var").rglob("*")] == ["incoming", "bridge-5000"]
