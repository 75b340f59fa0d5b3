"""Reads a request strictly: JSON or a multipart form, each key once, every value as its model allows."""

from __future__ import annotations

import json
from typing import Any

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from rest_bridge import slips
from rest_bridge.bodies import Forms, Query
from rest_bridge.problems import BadRequest
from rest_bridge.refusals import refusal, shown, type_name, unknown_parameter

# The documented JSON bodies are far below 1 KB; a picture or a batch comes as a multipart upload.
MAX_JSON_BYTES = 2 << 20

FORM = "multipart/form-data"


def read(forms: Forms) -> dict[str, Any]:
    """The fields that were given, by name, an upload as its bytes; raises BadRequest naming the field."""
    if request.mimetype == FORM:
        if not request.mimetype_params.get("boundary"):
            raise BadRequest(slips.NO_BOUNDARY)
        # All that a form says is text.
        return _checked(forms.multipart, _form(), strict=False)
    return _checked(forms.json, _json(forms.json, "application/json or multipart/form-data"), strict=True)


def read_json(model: type[BaseModel]) -> dict[str, Any]:
    """The fields of a JSON body, by name; raises BadRequest naming the field."""
    return _checked(model, _json(model), strict=True)


def read_optional(model: type[BaseModel]) -> dict[str, Any]:
    """The fields of a JSON body that may be empty, by name; raises BadRequest naming the field.

    It has to be called JSON also if it is empty: a page of somebody else's can send us a form, but no JSON.
    """
    if request.mimetype != "application/json":
        wanted = '-H "Content-Type: application/json"'
        raise BadRequest(f"Content-Type must be application/json: curl -X POST {wanted} …", status=415)
    return _checked(model, _json(model), strict=True) if _body(MAX_JSON_BYTES) else {}


def query(model: type[Query]) -> dict[str, Any]:
    """What the address says after "?", by name; raises BadRequest naming the field."""
    return _checked(model, _each_once([*request.args.items(multi=True)]), strict=False)


def check_parameters(model: type[Query]) -> None:
    """Raises BadRequest for a part of the query that the call does not know."""
    for name in request.args:
        if name not in model.model_fields:
            raise unknown_parameter(model, name)


def _checked(model: type[BaseModel], fields: dict[str, Any], strict: bool) -> dict[str, Any]:
    try:
        checked = model.model_validate(fields, strict=strict)
    except ValidationError as error:
        raise refusal(model, error) from error
    return {name: getattr(checked, name) for name in checked.model_fields_set}


def _json(model: type[BaseModel], media: str = "application/json") -> dict[str, Any]:
    body, such_as = _body(MAX_JSON_BYTES), f"such as {slips.example(model)}"
    if not body:
        raise BadRequest(f"there is no body; send a JSON object, {such_as}")
    if request.mimetype != "application/json":
        raise BadRequest(f"Content-Type must be {media}", status=415)
    document = _decoded(body, model)
    if not isinstance(document, dict):
        raise BadRequest(f"the body must be a JSON object, {such_as}, not {type_name(document)}")
    return document


def _body(limit: int) -> bytes:
    """The whole body; raises RequestEntityTooLarge, also for a chunked one, which is cut off at the limit."""
    request.max_content_length = limit + 1
    body = request.get_data()
    request.max_content_length = limit
    if len(body) > limit:
        raise RequestEntityTooLarge
    return body


def _form() -> dict[str, Any]:
    return _each_once([*request.form.items(multi=True), *request.files.items(multi=True)])


def _decoded(body: bytes, model: type[BaseModel]) -> Any:
    try:
        return json.loads(body.decode("utf-8-sig"), object_pairs_hook=_each_once, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise BadRequest(
            slips.of_body(body, model) or f"the body is not UTF-8 at byte {error.start}"
        ) from error
    except (ValueError, RecursionError) as error:
        if slip := slips.of_body(body, model):
            raise BadRequest(f"the body is not JSON: {slip}") from error
        place = f": {error.msg} at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadRequest(f"the body is not JSON{place}; send {slips.example(model)}") from error


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = shown(next(name for name in names if names.count(name) > 1))
        raise BadRequest(f'"{twice}" is given twice', twice)
    return fields


def _no_constant(name: str) -> None:
    raise BadRequest(f"the body is not JSON: {name} is not a JSON number")
