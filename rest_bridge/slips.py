"""What people send in a wrong way, by its look, and how it is sent."""

from __future__ import annotations

import re

from werkzeug.datastructures import FileStorage

# cmd.exe and PowerShell hand single quotes on, or take the double ones out.
_WINDOWS = re.compile(rb"""\s*('|\{\s*'|\{\s*\\?\w+\s*:)""")

_HOW = 'send a picture as a form, curl -F image=@n5.png, or its path, {"image_path": "test/data/n5.png"}'
# The fields of other systems' predict calls.
_FOREIGN = frozenset({"instances", "inputs", "signature_name"})


def of_body(body: bytes) -> str:
    """What is peculiar about a body that is no JSON, or nothing."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff") or body[1:2] == b"\0" or body[:1] == b"\0":
        return "the body is UTF-16, as PowerShell writes files; send it as UTF-8"
    if _WINDOWS.match(body):
        return r'a Windows shell keeps single quotes and drops double ones: -d "{\"image_path\": \"n5.png\"}"'
    return ""


def of_name(field: str, upload: str, value: object) -> str:
    """How to send what was sent as `field`, if that is no field; `upload` is the name of the file, if any."""
    if field in _FOREIGN:
        return f'"{field}" is not a field here; {_HOW}'
    if field != upload or isinstance(value, FileStorage):
        return ""
    return (
        f'"{field}" is a file and not text: send it as a form, with @ before its name, curl -F {field}=@FILE'
    )


NO_BOUNDARY = "the form's Content-Type has no boundary; leave that header out, and curl -F sets it"
