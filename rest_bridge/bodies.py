"""Reads a request's body strictly: JSON or a multipart upload, each field known, typed and given once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import request

from digits.v1 import training_pb2
from rest_bridge.problems import Refused

# The documented JSON bodies are far below 1 KB; a picture or a batch comes as a multipart upload.
MAX_JSON_BYTES = 2 << 20

FORM = "multipart/form-data"

Parser = Callable[[str, Any], Any]

_JSON_TYPES = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def read(parsers: Mapping[str, Parser], path: str, upload: str) -> dict[str, Any]:
    """Returns the body's fields by name, with exactly one of `path` (text) and `upload` (bytes).

    `parsers` holds every field that may be given as JSON or in a form. Raises Refused naming the field.
    """
    fields = _form(parsers, upload) if request.mimetype == FORM else _json(parsers)
    if path in fields and upload in fields:
        raise Refused(f'give either "{path}" or a file "{upload}", not both', upload)
    if path not in fields and upload not in fields:
        raise Refused(f'"{path}" is missing; give it as JSON, or a file "{upload}" in a form', path)
    return fields


def text(field: str, value: Any) -> str:
    """A string that is not empty and is valid Unicode."""
    if not isinstance(value, str):
        raise Refused(f'"{field}" must be a string, not {_JSON_TYPES[type(value)]}', field)
    if not value:
        raise Refused(f'"{field}" is empty', field)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise Refused(f'"{field}" holds half of a surrogate pair', field)
    return value


def seed(field: str, value: Any) -> int:
    """A whole number of 64 bits; only forms carry it as text."""
    if isinstance(value, str) and request.mimetype == FORM:
        value = _whole_number(value)
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise Refused(f'"{field}" must be a whole number of 64 bits', field)
    return value


def promotion(field: str, value: Any) -> str:
    """A name of digits.v1.Promotion."""
    names = training_pb2.Promotion.keys()[1:]
    if value not in names:
        raise Refused(f'"{field}" must be one of {", ".join(names)}', field)
    return str(value)


def page() -> dict[str, Any]:
    """The query's page_size and page_token."""
    size = _whole_number(request.args.get("page_size", "0"))
    if size is None or not 0 <= size <= 1000:
        raise Refused('"page_size" must be a whole number from 0 to 1000', "page_size")
    return {"page_size": size, "page_token": request.args.get("page_token", "")}


def _json(parsers: Mapping[str, Parser]) -> dict[str, Any]:
    request.max_content_length = MAX_JSON_BYTES
    body = request.get_data()
    if not body:
        raise Refused("there is no body; send a JSON object")
    if request.mimetype != "application/json":
        raise Refused("Content-Type must be application/json or multipart/form-data", status=415)
    document = _decoded(body)
    if not isinstance(document, dict):
        raise Refused(f"the body must be a JSON object, not {_JSON_TYPES[type(document)]}")
    return {name: _parser(parsers, name)(name, value) for name, value in document.items()}


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), object_pairs_hook=_no_twice, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Refused(f"the body is not UTF-8 at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        where = f": {error.msg} at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise Refused(f"the body is not JSON{where}") from error


def _no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Refused(f'"{twice[:100]}" is given twice', twice[:100])
    return fields


def _no_constant(name: str) -> None:
    raise Refused(f"the body is not JSON: {name} is not a JSON number")


def _form(parsers: Mapping[str, Parser], upload: str) -> dict[str, Any]:
    everything = [*request.form.items(multi=True), *request.files.items(multi=True)]
    _no_twice(everything)
    fields = {name: _parser(parsers, name)(name, value) for name, value in request.form.items()}
    for name, file in request.files.items():
        if name != upload:
            raise Refused(f'unknown file "{name[:100]}"; the file is "{upload}"', name[:100])
        fields[name] = file.read()
    return fields


def _parser(parsers: Mapping[str, Parser], name: str) -> Parser:
    if name not in parsers:
        raise Refused(f'unknown field "{name[:100]}"; allowed: {", ".join(parsers)}', name[:100])
    return parsers[name]


def _whole_number(digits: str) -> int | None:
    try:
        return int(digits)
    except ValueError:
        return None
