"""Options that commands share, and how they become settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.failure import CommandFailed

if TYPE_CHECKING:
    from digits.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON: one document, or a line for each event.")]
Server = Annotated[
    str, typer.Option("--server", metavar="ADDRESS", help="gRPC address. [env: DIGITS_SERVER_ADDRESS]")
]


def read_settings(server: str = "") -> Settings:
    """The settings of the environment, with the server's address where one was given.

    Raises CommandFailed where a variable's value will not do.
    """
    from pydantic import ValidationError

    from digits.settings import Settings

    try:
        return Settings(server_address=server) if server else Settings()
    except ValidationError as error:
        problem = error.errors()[0]
        name = "_".join(str(place) for place in problem["loc"])
        raise CommandFailed(f"DIGITS_{name.upper()}: {problem['msg']}") from error
