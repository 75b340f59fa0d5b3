"""What people send in a wrong way, by its look, and how it is sent."""

from __future__ import annotations

import json
import re

from pydantic import BaseModel
from werkzeug.datastructures import FileStorage

# cmd.exe and PowerShell hand single quotes on, or take the double ones out.
_WINDOWS = re.compile(rb"""\s*('|\{\s*'|\{\s*\\?\w+\s*:)""")

# The fields of other systems' predict calls.
_FOREIGN = frozenset({"instances", "inputs", "signature_name"})


def example(model: type[BaseModel]) -> str:
    """What a body may be, as JSON."""
    return json.dumps(model.model_json_schema()["examples"][0])


def of_body(body: bytes, model: type[BaseModel]) -> str:
    """What is peculiar about a body that is no JSON, or nothing."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff") or body[1:2] == b"\0" or body[:1] == b"\0":
        return "the body is UTF-16, as PowerShell writes files; send it as UTF-8"
    if _WINDOWS.match(body):
        quoted = example(model).replace('"', r"\"")
        return f'a Windows shell keeps single quotes and drops double ones: -d "{quoted}"'
    return ""


def of_name(field: str, model: type[BaseModel], value: object) -> str:
    """How to send what was sent as `field`, if that is no field."""
    upload = getattr(model, "upload_field", "")
    if field in _FOREIGN:
        how = f"a file as a form, curl -F {upload}=@FILE, or its path, " if upload else ""
        return f'"{field}" is not a field here; send {how}{example(model)}'
    if field != upload or isinstance(value, FileStorage):
        return ""
    return (
        f'"{field}" is a file and not text: send it as a form, with @ before its name, curl -F {field}=@FILE'
    )


NO_BOUNDARY = "the form's Content-Type has no boundary; leave that header out, and curl -F sets it"
