"""What a caller reads when a model refuses its request: a sentence for each of pydantic's kinds of error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from werkzeug.datastructures import FileStorage

from rest_bridge import slips
from rest_bridge.fields import MAX_INT64
from rest_bridge.problems import BadRequest

_SENTENCES = {
    "missing": "is missing",
    "base64": "must be base64",
    "string_type": "must be a string, not {found}",
    "string_too_short": "is empty",
    "string_too_long": "must have at most {max_length} characters",
    "string_unicode": "holds half of a surrogate pair",
    "one_of": "must be one of {names}",
}

_TYPES: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
    FileStorage: "a file",
}


def refusal(model: type[BaseModel], error: ValidationError) -> BadRequest:
    """The first thing that was wrong, with the field's name and what is allowed."""
    first = error.errors(include_url=False)[0]
    if first["type"] in ("no_file", "two_files"):
        return _not_one_file(first["type"], **first["ctx"])
    # A name that is not valid Unicode has no place in the model; it is itself what was found.
    field = shown(str(first["loc"][0] if first["loc"] else first["input"]))
    return BadRequest(_sentence(model, first, field), field)


def unknown_parameter(model: type[BaseModel], name: str) -> BadRequest:
    """A part of the query that the call does not know, and those that it knows."""
    field = shown(name)
    return BadRequest(f'unknown parameter "{field}" after "?"; {_listed(model.model_fields)}', field)


def shown(name: str) -> str:
    """A caller's own name for a field as answers repeat it: at most 100 characters of valid Unicode."""
    return name[:100].encode(errors="replace").decode()


def type_name(value: object) -> str:
    """What a decoded value is, in JSON's words."""
    return _TYPES[type(value)]


def _not_one_file(kind: str, path: str, upload: str) -> BadRequest:
    if kind == "two_files":
        return BadRequest(f'give either "{path}" or a file "{upload}", not both', upload)
    return BadRequest(f'"{path}" is missing; give it as JSON, or a file "{upload}" in a form', path)


def _sentence(model: type[BaseModel], error: ErrorDetails, field: str) -> str:
    allowed: dict[str, Any] = model.model_json_schema()["properties"]
    if allowed.get(field, {}).get("type") == "integer":
        return f'"{field}" must be a whole number {_range(allowed[field])}'
    if error["type"] in ("bool_type", "bool_parsing"):
        return f'"{field}" must be true or false'
    if error["type"] in _SENTENCES:
        found = type_name(error["input"])
        return f'"{field}" {_SENTENCES[error["type"]].format(found=found, **error.get("ctx", {}))}'
    return _unknown(model, field, error["input"])


def _range(limits: dict[str, Any]) -> str:
    if limits["maximum"] == MAX_INT64:
        return "of 64 bits"
    return f"from {limits['minimum']} to {limits['maximum']}"


def _unknown(model: type[BaseModel], field: str, value: object) -> str:
    allowed: dict[str, Any] = model.model_json_schema()["properties"]
    uploads = [name for name, limits in allowed.items() if limits.get("format") == "binary"]
    if slip := slips.of_name(field, model, value):
        return slip
    if isinstance(value, FileStorage):
        return f'unknown file "{field}"; the file is "{uploads[0]}"'
    return f'unknown field "{field}"; {_listed(name for name in allowed if name not in uploads)}'


def _listed(names: Iterable[str]) -> str:
    found = ", ".join(names)
    return f"allowed: {found}" if found else "there are none"
