"""Options that commands share, and how they become settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.failure import CommandFailed

if TYPE_CHECKING:
    from digits.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON: one document, or a line for each event.")]
Server = Annotated[
    str, typer.Option("--server", metavar="ADDRESS", help="gRPC address. [env: DIGITS_SERVER_ADDRESS]")
]

OlderThan = Annotated[
    str, typer.Option("--older-than", metavar="AGE", help="Remove what is older: 90m, 12h, 30d.")
]
Keep = Annotated[
    int | None, typer.Option("--keep", min=0, metavar="N", help="Keep the newest N, remove the others.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")]

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_of(age: str, option: str = "--older-than") -> float | None:
    """An option's age such as 30d in seconds, None for none; raises CommandFailed."""
    number, unit = age[:-1], age[-1:]
    if not age:
        return None
    if not (number.isascii() and number.isdigit() and unit in _UNIT_SECONDS):
        raise CommandFailed(f"{option}: a number and one of s, m, h, d, such as 30d, not {age!r}")
    return float(int(number) * _UNIT_SECONDS[unit])


def path_of(text: str) -> Path:
    """A path as it was typed; an empty one would be the folder that the command runs in."""
    if not text:
        raise typer.BadParameter("is empty; name a file")
    return Path(text)


def read_settings(server: str = "") -> Settings:
    """The settings of the environment, with the server's address if one was given.

    Raises CommandFailed if a variable's value is invalid.
    """
    from pydantic import ValidationError

    from digits.settings import Settings

    try:
        return Settings(server_address=server) if server else Settings()
    except ValidationError as error:
        problem = error.errors()[0]
        name = "_".join(str(place) for place in problem["loc"])
        raise CommandFailed(f"DIGITS_{name.upper()}: {problem['msg']}") from error
