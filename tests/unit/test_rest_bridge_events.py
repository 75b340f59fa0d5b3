"""A job's progress as server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from digits import errors
from digits.client.client import Client
from digits.settings import Settings
from digits.v1.training_pb2 import TrainProgress
from rest_bridge.app import create_app
from rest_bridge.events import event_id
from tests.unit.recorded_service import RecordedService, recorded_service

EVENTS = "/digits/jobs/j1/events"


@pytest.fixture
def service() -> Iterator[RecordedService]:
    with recorded_service() as running:
        yield running


@pytest.fixture
def web(service: RecordedService) -> Iterator[FlaskClient]:
    with Client(service.address, timeout_seconds=5) as client:
        yield create_app(Settings(), client).test_client()


def progress(state: str, seconds: int = 0, **fields: object) -> TrainProgress:
    message = TrainProgress(job_id="j1", state=state, **fields)
    message.heartbeat_time.FromSeconds(seconds)
    return message


QUEUED, TRAINING, SUCCEEDED = progress("QUEUED"), progress("TRAINING", 1), progress("SUCCEEDED", 3)


def events(text: str) -> list[dict[str, str]]:
    """Each event's fields; comments are left out."""
    blocks = [block.splitlines() for block in text.split("\n\n") if block]
    return [dict(line.split(": ", 1) for line in block if not line.startswith(":")) for block in blocks]


def test_each_snapshot_is_an_event_with_an_id(web: FlaskClient, service: RecordedService) -> None:
    service.answers["WatchJob"] = [QUEUED, TRAINING, SUCCEEDED]
    reply = web.get(EVENTS)
    assert (reply.mimetype, reply.headers["Cache-Control"]) == ("text/event-stream", "no-store")
    retry, *sent = events(reply.text)
    assert int(retry["retry"]) > 0
    assert [json.loads(event["data"])["state"] for event in sent] == ["QUEUED", "TRAINING", "SUCCEEDED"]
    assert [event["id"] for event in sent] == [event_id(p) for p in (QUEUED, TRAINING, SUCCEEDED)]
    assert {event["event"] for event in sent} == {"progress"}


def test_a_repeated_snapshot_is_a_heartbeat(web: FlaskClient, service: RecordedService) -> None:
    service.answers["WatchJob"] = [TRAINING, progress("TRAINING", 2), SUCCEEDED]
    text = web.get(EVENTS).text
    assert text.count("event: progress") == 2
    assert text.count(": heartbeat\n\n") == 1


def test_a_resumed_stream_does_not_repeat_what_was_seen(web: FlaskClient, service: RecordedService) -> None:
    service.answers["WatchJob"] = [TRAINING, SUCCEEDED]
    text = web.get(EVENTS, headers={"Last-Event-ID": event_id(TRAINING)}).text
    assert [event["id"] for event in events(text) if "id" in event] == [event_id(SUCCEEDED)]


def test_a_resumed_stream_starts_with_the_newest_snapshot(web: FlaskClient, service: RecordedService) -> None:
    service.answers["WatchJob"] = [TRAINING, SUCCEEDED]
    text = web.get(EVENTS, headers={"Last-Event-ID": event_id(QUEUED)}).text
    assert text.count("event: progress") == 2


def test_a_job_seen_to_its_end_has_no_more_to_say(web: FlaskClient, service: RecordedService) -> None:
    service.answers["WatchJob"] = [SUCCEEDED]
    assert web.get(EVENTS, headers={"Last-Event-ID": event_id(SUCCEEDED)}).status_code == 204


def test_a_failed_job_ends_with_its_failed_snapshot(web: FlaskClient, service: RecordedService) -> None:
    failed = progress("FAILED", error={"code": 3, "message": "holds no x_train"})
    service.answers["WatchJob"] = [TRAINING, failed, errors.InvalidInput("images_batch", "holds no x_train")]
    last = events(web.get(EVENTS).text)[-1]
    assert json.loads(last["data"])["error"]["message"] == "holds no x_train"


def test_a_line_lost_in_the_middle_is_told(web: FlaskClient, service: RecordedService) -> None:
    service.answers["WatchJob"] = [TRAINING, errors.CoordinatorUnavailable("ZooKeeper does not answer")]
    last = events(web.get(EVENTS).text)[-1]
    assert last["event"] == "problem"
    assert json.loads(last["data"])["status"] == 503


def test_an_unknown_job_is_a_problem_not_a_stream(web: FlaskClient, service: RecordedService) -> None:
    service.answers["WatchJob"] = errors.NotFound("job", "j1")
    reply = web.get(EVENTS)
    assert (reply.status_code, reply.mimetype) == (404, "application/problem+json")
