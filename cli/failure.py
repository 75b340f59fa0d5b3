"""How a command fails: one line on stderr, or one JSON document on stdout; exit code 1, no traceback.

DigitsError
└── CommandFailed   what a command could not do
"""

from __future__ import annotations

import json
import sys
from typing import NoReturn

from digits.errors import DigitsError


class CommandFailed(DigitsError):
    """What a command could not do, in one sentence; an empty one if everything has been said.

    `code` is the canonical code if the service refused it, `field` the request's field at fault if one is.
    """

    def __init__(self, message: str, code: str = "", field: str = "") -> None:
        super().__init__(message)
        self.code, self.field = code, field


def complain(message: str, code: str = "", field: str = "", **more: str) -> None:
    """Says what went wrong: a line, or with --json a document of `more` and {"error": …}."""
    if wants_json():
        known = {"code": code, "message": message, "field": field}
        error = {name: value for name, value in known.items() if value}
        print(json.dumps({**more, "error": error}), flush=True)
    else:
        print(f"digits: {message}", file=sys.stderr, flush=True)


def fail(error: DigitsError) -> NoReturn:
    """Says what went wrong and ends the process."""
    if str(error):
        complain(str(error), getattr(error, "code", ""), getattr(error, "field", ""))
    sys.exit(1)


def wants_json() -> bool:
    """Whether the command line asks for JSON, also if it is wrong otherwise and so is not parsed."""
    return "--json" in sys.argv[1:]
