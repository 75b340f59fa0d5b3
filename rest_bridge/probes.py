"""What machines ask: whether the bridge lives, whether it can answer, and what it offers."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from rest_bridge.openapi import document
from rest_bridge.problems import Problem, response_of
from rest_bridge.replies import client

blueprint = Blueprint("probes", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The bridge runs."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> Response:
    """200 once a classification would be answered, 503 until then."""
    if client().serving():
        return jsonify(status="SERVING")
    return response_of(Problem(503, "no model serves yet; train one", retry_after_seconds=1))


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The description of every call."""
    return jsonify(document())


@blueprint.get("/")
def index() -> Response:
    """Where to go from here."""
    return jsonify(description="/openapi.json", jobs="/digits/jobs", models="/digits/models", ready="/readyz")
