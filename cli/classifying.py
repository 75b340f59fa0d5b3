"""`digits classify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.connection import connected, reason
from cli.failure import CommandFailed, complain
from cli.options import AsJson, Server
from cli.output import as_dict, print_json

if TYPE_CHECKING:
    from digits.client.client import Client

# From here on the picture likelier shows no digit, or several.
_NO_DIGIT = 0.5


def classify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Pictures on this machine.")],
    model: Annotated[
        str, typer.Option(metavar="VERSION", help="Ask this version, not the serving one.")
    ] = "",
    server: Server = "",
    as_json: AsJson = False,
) -> None:
    """Say which digit each picture shows."""
    with connected(server) as client:
        right = [_classify(client, file, model, as_json) for file in files]
    if not all(right):
        raise CommandFailed("")


def _classify(client: Client, file: Path, model: str, as_json: bool) -> bool:
    """Prints one file's digit, or why there is none; returns whether there was one.

    Raises RemoteError if the next file would fare no better.
    """
    from grpc import StatusCode

    from digits.client.errors import RemoteError

    try:
        answer = client.classify(image=file.read_bytes(), model_version=model)
    except OSError as error:
        complain(f"{file}: {error.strerror}")
        return False
    except RemoteError as error:
        if error.code is not StatusCode.INVALID_ARGUMENT:
            raise
        complain(f"{file}: {reason(error, client.address)}")
        return False
    if as_json:
        print_json({"file": str(file), **as_dict(answer)})
    else:
        doubt = f"  (not a digit: {answer.not_a_digit:.0%})" if answer.not_a_digit >= _NO_DIGIT else ""
        print(f"{file}  {answer.digit}  {answer.confidence:.1%}{doubt}", flush=True)
    return True
