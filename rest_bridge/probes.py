"""How the bridge and the service are: for probes, for a person, and what can be called."""

from __future__ import annotations

from typing import Literal

from flask import Blueprint, Response, current_app, jsonify
from pydantic import BaseModel

from rest_bridge.openapi import document
from rest_bridge.operations import Operation
from rest_bridge.problems import Problem, response_of
from rest_bridge.replies import client, json_reply

blueprint = Blueprint("probes", __name__)


class Status(BaseModel):
    """What a probe reads."""

    status: Literal["ok", "SERVING"]


@blueprint.get("/healthz")
@Operation(answer=Status)
def healthz() -> Response:
    """The bridge runs."""
    return jsonify(Status(status="ok").model_dump())


@blueprint.get("/readyz")
@Operation(answer=Status)
def readyz() -> Response:
    """200 once a classification would be answered, 503 until then."""
    if client().serving():
        return jsonify(Status(status="SERVING").model_dump())
    return response_of(Problem(status=503, detail="no model serves yet; train one", retry_after_seconds=1))


@blueprint.get("/digits/token")
@Operation(answer=Status)
def token() -> Response:
    """200 if the caller's token is known, or none is needed: asked before a large body is taken in."""
    return jsonify(Status(status="ok").model_dump())


@blueprint.get("/digits/status")
def get_status() -> Response:
    """How each part of the service is, what waits, and the workers that live."""
    return json_reply(client().status())


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """This description."""
    return jsonify(document(current_app))
