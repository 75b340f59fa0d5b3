"""`digits classify`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.connection import connected, reason
from cli.failure import CommandFailed, complain
from cli.missing_file import advice
from cli.options import AsJson, Server, path_of
from cli.output import as_dict, print_json

if TYPE_CHECKING:
    from digits.client.client import Client
    from digits.v1.digit_service_pb2 import ClassifyResponse

# From here on the picture likelier shows no digit, or several.
_NO_DIGIT = 0.5
_STANDARD_INPUT = Path("-")


def classify(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", parser=path_of, help="Pictures on this machine; - is standard input."
        ),
    ],
    model: Annotated[
        str, typer.Option(metavar="VERSION", help="Ask this version, not the serving one.")
    ] = "",
    show: Annotated[
        bool, typer.Option("--show", help="Show the 28 x 28 pixels that the network judged.")
    ] = False,
    server: Server = "",
    as_json: AsJson = False,
) -> None:
    """Say which digit each picture shows."""
    with connected(server) as client:
        right = [_classify(client, file, model, show=show, as_json=as_json) for file in files]
    if not all(right):
        raise CommandFailed("")


def _classify(client: Client, file: Path, model: str, *, show: bool, as_json: bool) -> bool:
    """Prints one file's digit, or why there is none; returns whether there was one.

    Raises RemoteError if the next file would fare no better.
    """
    from grpc import StatusCode

    from digits.client.errors import RemoteError

    try:
        answer = client.classify(image=_read(file), model_version=model, preview=show)
    except OSError as error:
        complain(f"{file}: {error.strerror}{advice(file, error)}", file=str(file))
        return False
    except RemoteError as error:
        if error.code is not StatusCode.INVALID_ARGUMENT:
            raise
        said = reason(error, client.address)
        complain(f"{file}: {said}", error.code.name, error.field, file=str(file))
        return False
    if as_json:
        print_json({"file": str(file), **as_dict(answer)})
    else:
        _print(file, answer, show=show)
    return True


def _read(file: Path) -> bytes:
    return sys.stdin.buffer.read() if file == _STANDARD_INPUT else file.read_bytes()


def _print(file: Path, answer: ClassifyResponse, *, show: bool) -> None:
    doubt = f"  (not a digit: {answer.not_a_digit:.0%})" if answer.not_a_digit >= _NO_DIGIT else ""
    print(f"{file}  {answer.digit}  {answer.confidence:.1%}{doubt}", flush=True)
    if show:
        from cli.picture import drawn

        print(drawn(answer.preview.pixels), flush=True)
