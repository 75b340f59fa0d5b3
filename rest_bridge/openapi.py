"""The description of the bridge's calls (OpenAPI 3.1), read from the routes, the views and their models."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.routing import Rule

from rest_bridge.bodies import Forms
from rest_bridge.operations import JSON, Operation, operation_of
from rest_bridge.problems import MEDIA_TYPE, Problem

_REFERENCE = "#/components/schemas/{model}"
_PATH_PARAMETERS = {
    "job_id": "The job.",
    "version": 'The version; reading also knows "serving".',
    "kind": "bundle, onnx or keras.",
    "name": "The file.",
}


def document(app: Flask) -> dict[str, Any]:
    """The whole description, ready for JSON."""
    paths: dict[str, Any] = {}
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(\w+)>", r"{\1}", rule.rule)
        (method,) = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        paths.setdefault(path, {})[method.lower()] = _described(rule, app.view_functions[rule.endpoint])
    return {
        "openapi": "3.1.0",
        "info": {"title": "DigitService", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": _schemas([operation_of(view) for view in app.view_functions.values()]),
            "responses": {"Problem": _content("What went wrong.", MEDIA_TYPE, Problem)},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        # If the service has tokens; {}: otherwise none is needed.
        "security": [{"token": []}, {}],
    }


def _described(rule: Rule, view: Callable[..., Any]) -> dict[str, Any]:
    operation = operation_of(view)
    described = {
        "operationId": view.__name__,
        "summary": (inspect.getdoc(view) or "").partition("\n")[0],
        "parameters": [*_path_parameters(rule), *_parameters(operation)],
        "responses": _responses(operation),
    }
    if operation.body:
        described["requestBody"] = _body(operation.body)
    if operation.json_body:
        described["requestBody"] = {"required": True, "content": {JSON: _media(operation.json_body)}}
    if operation.optional_body:
        # It may be {}, but has to be called JSON.
        described["requestBody"] = {"required": True, "content": {JSON: _media(operation.optional_body)}}
    return described


def _schemas(operations: list[Operation]) -> dict[str, Any]:
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(Problem, "serialization")]
    for operation in operations:
        if operation.body:
            models += [(operation.body.json, "validation"), (operation.body.multipart, "validation")]
        models += [(each, "validation") for each in (operation.json_body, operation.optional_body) if each]
        if operation.answer:
            models.append((operation.answer, "serialization"))
    _, definitions = models_json_schema(models, ref_template=_REFERENCE)
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


def _path_parameters(rule: Rule) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1}
    return [
        _parameter(name, "path", schema, _PATH_PARAMETERS[name]) | {"required": True}
        for name in sorted(rule.arguments)
    ]


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    described = operation.query.model_json_schema()
    query, required = described.get("properties", {}), described.get("required", [])
    return [
        *(
            _parameter(name, "query", schema, schema.pop("description")) | {"required": name in required}
            for name, schema in query.items()
        ),
        *(
            _parameter(each.name, "header", {"type": "string"}, each.description)
            for each in operation.headers
        ),
    ]


def _parameter(name: str, place: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": place, "schema": schema, "description": description}


def _responses(operation: Operation) -> dict[str, Any]:
    done = _content("Done.", operation.media, operation.answer)
    others = {status: {"description": description} for status, description in operation.responses}
    return {"200": done, **others, "default": {"$ref": "#/components/responses/Problem"}}


def _body(forms: Forms) -> dict[str, Any]:
    content = {JSON: _media(forms.json), "multipart/form-data": _media(forms.multipart)}
    return {"required": True, "content": content}


def _content(description: str, media: str, model: type[BaseModel] | None) -> dict[str, Any]:
    return {"description": description, "content": {media: _media(model)}}


def _media(model: type[BaseModel] | None) -> dict[str, Any]:
    return {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}} if model else {}
