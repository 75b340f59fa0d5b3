"""POST /digits/train, and the jobs that it starts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain

from flask import Blueprint, Response, g, request, url_for

from digits.client.resume import follow
from digits.v1.training_pb2 import SUCCEEDED, JobState, TrainProgress
from rest_bridge import bodies, events
from rest_bridge.problems import Refused
from rest_bridge.replies import client, json_reply

blueprint = Blueprint("jobs", __name__)

_FIELDS = {
    "images_batch_path": bodies.text,
    "recipe": bodies.text,
    "seed": bodies.seed,
    "request_id": bodies.text,
    "promotion": bodies.promotion,
}


@blueprint.post("/digits/train")
def train() -> Response:
    """Answers `True` once the job has succeeded, or 202 at once where the caller prefers respond-async."""
    fields = bodies.read(_FIELDS, path="images_batch_path", upload="images_batch")
    caller = client()
    stream = follow(caller, caller.train(**fields))
    first = next(stream)
    g.job_location = url_for("jobs.job", job_id=first.job_id)
    reply = _accepted(first) if _prefers_async() else _succeeded(first, stream)
    reply.headers["Location"] = g.job_location
    return reply


@blueprint.get("/digits/jobs")
def jobs() -> Response:
    """A page of jobs, newest first."""
    return json_reply(client().list_jobs(**bodies.page()))


@blueprint.get("/digits/jobs/<job_id>")
def job(job_id: str) -> Response:
    """One job."""
    return json_reply(client().get_job(job_id))


@blueprint.post("/digits/jobs/<job_id>/cancel")
def cancel(job_id: str) -> Response:
    """Asks the job to stop."""
    return json_reply(client().cancel_job(job_id))


@blueprint.get("/digits/jobs/<job_id>/events")
def job_events(job_id: str) -> Response:
    """The job's progress as server-sent events until it is final."""
    return events.response(client().watch_job(job_id), request.headers.get("Last-Event-ID", ""))


def _prefers_async() -> bool:
    preferences = request.headers.get("Prefer", "").split(",")
    return any(preference.split(";")[0].strip().lower() == "respond-async" for preference in preferences)


def _accepted(progress: TrainProgress) -> Response:
    reply = json_reply(progress, 202)
    reply.headers["Preference-Applied"] = "respond-async"
    return reply


def _succeeded(first: TrainProgress, stream: Iterator[TrainProgress]) -> Response:
    (last,) = deque(chain([first], stream), maxlen=1)
    if last.state != SUCCEEDED:
        raise Refused(f"the job ended {JobState.Name(last.state)}", status=409)
    return Response("True", mimetype="text/plain")
