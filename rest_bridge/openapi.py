"""The description of the bridge's calls (OpenAPI 3.1)."""

from __future__ import annotations

from typing import Any

from digits.v1 import training_pb2

JSON = "application/json"
TEXT = {"type": "string", "minLength": 1}

_TRAIN = {
    "recipe": {**TEXT, "description": '"fast" (the default) or "standard".'},
    "seed": {"type": "integer", "format": "int64", "description": "Seed of the training."},
    "request_id": {**TEXT, "maxLength": 128, "description": "Two calls with the same one are one job."},
    "promotion": {"enum": training_pb2.Promotion.keys()[1:], "description": "Whether the model may serve."},
}
_CLASSIFY = {
    "model_version": {**TEXT, "description": "Version to ask; the serving one unless given."},
    "minimum_version": {
        **TEXT,
        "description": "Oldest version that may answer; 503 where an older one serves.",
    },
}


def document() -> dict[str, Any]:
    """The whole description, ready for JSON."""
    problem = _content("What went wrong (RFC 9457); `field` names the field.", "application/problem+json")
    return {
        "openapi": "3.1.0",
        "info": {"title": "DigitService", "version": "1"},
        "paths": _training() | _classifying() | _jobs() | _models() | _probes(),
        "components": {
            "responses": {"Problem": problem},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        # Where the service has tokens; {}: else none is needed.
        "security": [{"token": []}, {}],
    }


def _training() -> dict[str, Any]:
    prefer = _parameter("Prefer", "header", {"type": "string"}, "respond-async answers 202 at once.")
    train = _operation("train", "Trains; answers True once the job has succeeded.", "text/plain", prefer)
    train["requestBody"] = _body(_TRAIN, path="images_batch_path", upload="images_batch")
    train["responses"]["202"] = _content("Accepted; Location names the job.", JSON)
    return {"/digits/train": {"post": train}}


def _classifying() -> dict[str, Any]:
    details = _parameter("details", "query", {"enum": ["1"]}, "1 answers the whole ClassifyResponse.")
    classify = _operation("classify", "Answers the digit in one picture, such as [5].", JSON, details)
    classify["requestBody"] = _body(_CLASSIFY, path="image_path", upload="image")
    return {"/digits/classify": {"post": classify}}


def _jobs() -> dict[str, Any]:
    job_id = _parameter("job_id", "path", TEXT, "The job.")
    events = _operation("watch_job", "Progress as server-sent events.", "text/event-stream", job_id)
    events["parameters"].append(_parameter("Last-Event-ID", "header", TEXT, "The newest event seen."))
    events["responses"]["204"] = {"description": "The job is final and was seen to its end."}
    return {
        "/digits/jobs": {"get": _operation("list_jobs", "Jobs, newest first.", JSON, *_page())},
        "/digits/jobs/{job_id}": {"get": _operation("get_job", "One job.", JSON, job_id)},
        "/digits/jobs/{job_id}/events": {"get": events},
        "/digits/jobs/{job_id}/cancel": {"post": _operation("cancel_job", "Stops a job.", JSON, job_id)},
    }


def _models() -> dict[str, Any]:
    version = _parameter("version", "path", TEXT, 'The version; reading also knows "serving".')
    return {
        "/digits/models": {"get": _operation("list_models", "Versions, newest first.", JSON, *_page())},
        "/digits/models/{version}": {"get": _operation("get_model", "One version.", JSON, version)},
        "/digits/models/{version}/promote": {
            "post": _operation("promote_model", "Makes a version serve.", JSON, version)
        },
        "/digits/models/rollback": {
            "post": _operation("rollback_model", "Makes the version before serve again.", JSON)
        },
    }


def _probes() -> dict[str, Any]:
    return {
        "/": {"get": _operation("index", "Where to go from here.", JSON)},
        "/healthz": {"get": _operation("healthz", "The bridge runs.", JSON)},
        "/readyz": {"get": _operation("readyz", "A classification would be answered.", JSON)},
        "/openapi.json": {"get": _operation("openapi", "This description.", JSON)},
    }


def _operation(name: str, summary: str, media: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    responses = {"200": _content("Done.", media), "default": {"$ref": "#/components/responses/Problem"}}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": responses,
    }


def _parameter(name: str, place: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "schema": schema,
        "description": description,
    }


def _page() -> list[dict[str, Any]]:
    size = {"type": "integer", "minimum": 0, "maximum": 1000}
    return [
        _parameter("page_size", "query", size, "The most to return; 0 means 50."),
        _parameter("page_token", "query", {"type": "string"}, "The answer's next_page_token."),
    ]


def _body(fields: dict[str, Any], path: str, upload: str) -> dict[str, Any]:
    named = {"type": "object", "properties": {path: TEXT, **fields}, "required": [path]}
    sent = {"type": "object", "properties": {upload: {}, **fields}, "required": [upload]}
    content = {
        JSON: {"schema": {**named, "additionalProperties": False}},
        "multipart/form-data": {"schema": sent},
    }
    return {"required": True, "content": content}


def _content(description: str, media: str) -> dict[str, Any]:
    return {"description": description, "content": {media: {}}}
