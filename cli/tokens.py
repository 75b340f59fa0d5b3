"""`digits token`: makes a bearer token and adds its line to the tokens file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.failure import CommandFailed
from cli.options import read_settings

if TYPE_CHECKING:
    from digits.security.tokens import Role


def token(
    name: Annotated[str, typer.Argument(help="Whom it is for; limits count by this name.")],
    roles: Annotated[list[str], typer.Argument(metavar="ROLE...", help="classify, train, or both.")],
    file: Annotated[
        Path | None, typer.Option(help="The tokens file. [env: DIGITS_TOKENS_FILE]", dir_okay=False)
    ] = None,
) -> None:
    """Make a bearer token: print it once, and add what the service must know of it to the tokens file."""
    from digits.security.tokens import Principal, line, new_token

    path = file or read_settings().tokens_file
    if path is None:
        raise CommandFailed("which file? give --file, or set DIGITS_TOKENS_FILE")
    made = new_token()
    row = line(Principal(name, _roles(roles)), made)
    try:
        path.touch(mode=0o600)
        with path.open("a", encoding="utf-8") as rows:
            rows.write(f"{row}\n")
    except OSError as error:
        raise CommandFailed(f"{path}: {error.strerror}") from error
    print(made)


def _roles(names: list[str]) -> frozenset[Role]:
    from digits.security.tokens import Role

    unknown = set(names) - set(Role)
    if unknown:
        raise CommandFailed(f"no role {min(unknown)!r}: there are {', '.join(Role)}")
    return frozenset(map(Role, names))
