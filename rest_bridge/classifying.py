"""POST /digits/classify, and /digits/feedback on what came of it."""

from __future__ import annotations

from flask import Blueprint, Response

from rest_bridge import reading
from rest_bridge.bodies import CLASSIFY, Details, FeedbackBody
from rest_bridge.operations import JSON, Operation
from rest_bridge.replies import client, json_reply

blueprint = Blueprint("classify", __name__)


@blueprint.post("/digits/classify")
@Operation(body=CLASSIFY, query=Details)
def classify() -> Response:
    """Answers the digit in one picture, such as [5]; `?details=1` answers the whole ClassifyResponse."""
    whole = reading.query(Details).get("details", False)
    answer = client().classify(**reading.read(CLASSIFY))
    if whole:
        return json_reply(answer)
    return Response(f"[{answer.digit}]", mimetype=JSON)


@blueprint.post("/digits/feedback")
@Operation(json_body=FeedbackBody)
def report_label() -> Response:
    """Says what a picture shows, to learn from it and to know how right its version is."""
    return json_reply(client().report_label(**reading.read_json(FeedbackBody)))
