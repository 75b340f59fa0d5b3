"""POST /digits/train, and the jobs that it starts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain

from flask import Blueprint, Response, g, request, url_for

from digits.client.resume import follow
from digits.reports import report
from digits.v1.training_pb2 import SUCCEEDED, JobState, TrainProgress
from rest_bridge import events, reading
from rest_bridge.bodies import TRAIN, NoBody, Page
from rest_bridge.operations import Header, Operation
from rest_bridge.problems import Problem, response_of
from rest_bridge.replies import client, json_reply

blueprint = Blueprint("jobs", __name__)

_PREFER = Header("Prefer", "respond-async answers 202 at once.")
# It has no script, and fetches nothing.
_REPORT_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
    "Cache-Control": "no-store",
}
_LAST_EVENT_ID = Header("Last-Event-ID", "The newest event seen.")


@blueprint.post("/digits/train")
@Operation(
    media="text/plain", body=TRAIN, headers=(_PREFER,), responses=(("202", "Location names the job."),)
)
def train() -> Response:
    """Trains; answers True once the job has succeeded, or 202 at once if the caller prefers respond-async."""
    caller = client()
    stream = follow(caller, caller.train(**reading.read(TRAIN)))
    first = next(stream)
    g.job_location = url_for("jobs.get_job", job_id=first.job_id)
    reply = _accepted(first) if _prefers_async() else _succeeded(first, stream)
    reply.headers["Location"] = g.job_location
    return reply


@blueprint.get("/digits/batches")
def list_batches() -> Response:
    """What below the data folder can be trained on, by its names."""
    return json_reply(client().list_batches())


@blueprint.get("/digits/jobs")
@Operation(query=Page)
def list_jobs() -> Response:
    """A page of jobs, newest first."""
    return json_reply(client().list_jobs(**reading.query(Page)))


@blueprint.get("/digits/jobs/<job_id>")
def get_job(job_id: str) -> Response:
    """One job."""
    return json_reply(client().get_job(job_id))


@blueprint.get("/digits/jobs/<job_id>/report")
@Operation(media="text/html")
def report_job(job_id: str) -> Response:
    """The job as one HTML file to keep and to send: its course in charts, its end, what its model misread."""
    job = client().get_job(job_id)
    named = {"Content-Disposition": f'inline; filename="{report.file_name(job)}"'}
    return Response(report.html(job), mimetype="text/html", headers={**_REPORT_HEADERS, **named})


@blueprint.post("/digits/jobs/<job_id>/cancel")
@Operation(optional_body=NoBody)
def cancel_job(job_id: str) -> Response:
    """Asks the job to stop."""
    reading.read_optional(NoBody)
    return json_reply(client().cancel_job(job_id))


@blueprint.get("/digits/jobs/<job_id>/events")
@Operation(
    media="text/event-stream",
    headers=(_LAST_EVENT_ID,),
    responses=(("204", "The job is final and was seen to its end."),),
)
def watch_job(job_id: str) -> Response:
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
        ended = f"the job ended {JobState.Name(last.state)}"
        return response_of(Problem(status=409, detail=ended, instance=g.job_location))
    return Response("True", mimetype="text/plain")
