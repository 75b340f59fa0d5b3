"""How a command fails: one line on stderr, exit code 1, no traceback.

DigitsError
└── CommandFailed   what a command could not do
"""

from __future__ import annotations

import sys
from typing import NoReturn

from digits.errors import DigitsError


class CommandFailed(DigitsError):
    """What a command could not do, in one sentence; an empty one if everything has been said."""


def complain(message: str) -> None:
    """Writes the line that says what went wrong."""
    print(f"digits: {message}", file=sys.stderr, flush=True)


def fail(error: DigitsError) -> NoReturn:
    """Says what went wrong and ends the process."""
    if str(error):
        complain(str(error))
    sys.exit(1)
