"""`digits token`: makes a bearer token and adds its line to the tokens file."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.failure import CommandFailed
from cli.options import path_of, read_settings, seconds_of

if TYPE_CHECKING:
    from digits.security.tokens import Role


def token(
    name: Annotated[str, typer.Argument(help="Whom it is for; limits count by this name.")],
    roles: Annotated[list[str], typer.Argument(metavar="ROLE...", help="classify, train, admin.")],
    lifetime: Annotated[
        str, typer.Option("--for", metavar="TIME", help="How long it holds: 12h, 90d; for ever by default.")
    ] = "",
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", parser=path_of, help="The tokens file. [env: DIGITS_TOKENS_FILE]"),
    ] = None,
) -> None:
    """Make a bearer token: print it once, and add what the service must know of it to the tokens file."""
    from digits.security.tokens import Principal, append, line, new_token

    path = file or read_settings().tokens_file
    if path is None:
        raise CommandFailed("which file? give --file, or set DIGITS_TOKENS_FILE")
    made = new_token()
    seconds = seconds_of(lifetime, "--for")
    expires = math.inf if seconds is None else time.time() + seconds
    row = line(Principal(name, _roles(roles), expires), made)
    try:
        append(path, row)
    except OSError as error:
        raise CommandFailed(f"{path}: {error.strerror}") from error
    print(made)


def _roles(names: list[str]) -> frozenset[Role]:
    from digits.security.tokens import Role

    unknown = set(names) - set(Role)
    if unknown:
        raise CommandFailed(f"no role {min(unknown)!r}: there are {', '.join(Role)}")
    return frozenset(map(Role, names))
