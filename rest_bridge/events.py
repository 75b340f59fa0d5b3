"""A job's progress as server-sent events (the WHATWG's event-stream format)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from flask import Response

from digits.client.errors import RemoteError
from digits.final_states import FINAL
from digits.v1.training_pb2 import TrainProgress
from rest_bridge.error_mapping import problem_of
from rest_bridge.replies import json_text

_RETRY_MILLISECONDS = 1000


def response(stream: Iterator[TrainProgress], last_event_id: str) -> Response:
    """Streams each new snapshot once; 204, which ends a browser's reconnecting, if none will come.

    An event's id names its snapshot, so that a resumed stream starts with what the caller has not seen.
    """
    first = next(stream)
    if first.state in FINAL and event_id(first) == last_event_id:
        return Response(status=204)
    body = _events(first, stream, last_event_id)
    return Response(body, mimetype="text/event-stream", headers={"Cache-Control": "no-store"})


def event_id(progress: TrainProgress) -> str:
    """Names what the snapshot says, whenever it was sent: 16 hexadecimal digits."""
    snapshot = TrainProgress()
    snapshot.CopyFrom(progress)
    snapshot.ClearField("heartbeat_time")
    return hashlib.sha256(snapshot.SerializeToString(deterministic=True)).hexdigest()[:16]


def _events(first: TrainProgress, stream: Iterator[TrainProgress], seen: str) -> Iterator[str]:
    yield f"retry: {_RETRY_MILLISECONDS}\n\n"
    progress = first
    try:
        while True:
            name = event_id(progress)
            yield _event(name, progress) if name != seen else ": heartbeat\n\n"
            seen = name
            progress = next(stream)
    except StopIteration:
        return
    except RemoteError as error:
        if progress.state not in FINAL:
            yield f"event: problem\ndata: {_problem(error)}\n\n"


def _event(name: str, progress: TrainProgress) -> str:
    return f"id: {name}\nevent: progress\ndata: {json_text(progress)}\n\n"


def _problem(error: RemoteError) -> str:
    return json.dumps(problem_of(error).model_dump())
