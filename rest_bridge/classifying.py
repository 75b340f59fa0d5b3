"""POST /digits/classify."""

from __future__ import annotations

from flask import Blueprint, Response, request

from rest_bridge import bodies
from rest_bridge.replies import client, json_reply

blueprint = Blueprint("classify", __name__)

_FIELDS = {"image_path": bodies.text, "model_version": bodies.text, "minimum_version": bodies.text}


@blueprint.post("/digits/classify")
def classify() -> Response:
    """Answers `[5]` for a picture of a five; `?details=1` answers the whole ClassifyResponse."""
    answer = client().classify(**bodies.read(_FIELDS, path="image_path", upload="image"))
    if request.args.get("details") == "1":
        return json_reply(answer)
    return Response(f"[{answer.digit}]", mimetype="application/json")
