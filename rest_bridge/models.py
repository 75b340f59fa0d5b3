"""GET and POST below /digits/models."""

from __future__ import annotations

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

from rest_bridge import reading
from rest_bridge.bodies import NoBody, Page, Pair, RollbackBody
from rest_bridge.operations import Operation
from rest_bridge.replies import client, json_reply

blueprint = Blueprint("models", __name__)

_KINDS = ("bundle", "onnx", "keras")


@blueprint.get("/digits/models")
@Operation(query=Page)
def list_models() -> Response:
    """A page of versions, newest first."""
    return json_reply(client().list_models(**reading.query(Page)))


@blueprint.get("/digits/models/<version>")
def get_model(version: str) -> Response:
    """One version; "serving" is the one that serves."""
    return json_reply(client().get_model(version))


@blueprint.get("/digits/models/<version>/<kind>")
@Operation(media="application/octet-stream")
def export_model(version: str, kind: str) -> Response:
    """A version as a file: bundle, onnx or keras."""
    if kind not in _KINDS:
        raise NotFound
    answer = client().export_model(version, kind.upper())
    named = {
        "Content-Disposition": f'attachment; filename="{answer.file_name}"',
        "ETag": f'"{answer.sha256}"',
    }
    return Response(answer.data, mimetype="application/octet-stream", headers=named)


@blueprint.post("/digits/models/<version>/promote")
@Operation(optional_body=NoBody)
def promote_model(version: str) -> Response:
    """Makes a version serve."""
    reading.read_optional(NoBody)
    return json_reply(client().promote_model(version))


@blueprint.post("/digits/models/rollback")
@Operation(optional_body=RollbackBody)
def rollback_model() -> Response:
    """Makes the version serve that served before."""
    return json_reply(client().rollback_model(**reading.read_optional(RollbackBody)))


@blueprint.get("/digits/models/compare")
@Operation(query=Pair)
def compare_models() -> Response:
    """How two versions read the reference set, and the pictures on which they differ."""
    return json_reply(client().compare_models(**reading.query(Pair)))


@blueprint.get("/digits/models/history")
@Operation(query=Page)
def list_serving_history() -> Response:
    """A page of the moves of the serving version, newest first."""
    return json_reply(client().list_serving_history(**reading.query(Page)))
