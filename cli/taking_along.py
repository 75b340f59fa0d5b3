"""`digits models export` and `digits models import`: a version as a file, and one of another service."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import connected
from cli.failure import CommandFailed
from cli.missing_file import advice
from cli.options import AsJson, Server, path_of
from cli.output import print_json
from cli.training import Promotion
from cli.watching import watch

FORMATS = ("bundle", "onnx", "keras")


def export_model(
    version: Annotated[str, typer.Argument(help="The version, or serving for the one that serves.")],
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            parser=path_of,
            help="Such as model.onnx, model.keras or v3.bundle; or bundle, onnx, keras alone.",
        ),
    ],
    server: Server = "",
    as_json: AsJson = False,
) -> None:
    """Write a version to a file: the network as ONNX or as Keras saves one, or all of it as a bundle."""
    kind = _format(file)
    with connected(server) as client:
        answer = client.export_model(version, kind.upper())
    path = Path(answer.file_name) if str(file) == kind else file
    try:
        path.write_bytes(answer.data)
    except OSError as error:
        raise CommandFailed(f"{path}: {error.strerror}") from error
    if as_json:
        print_json({"version": answer.version, "file": str(path), "sha256": answer.sha256})
    else:
        print(f"{path}  {len(answer.data):,} bytes  {answer.version}")


def import_model(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", parser=path_of, help="A bundle that models export wrote.")
    ],
    promotion: Annotated[Promotion, typer.Option(help="May the model start to serve?")] = Promotion.IF_BETTER,
    request_id: Annotated[str, typer.Option(help="The same id twice is one job.")] = "",
    server: Server = "",
    as_json: AsJson = False,
) -> None:
    """Bring a version of another service in: it is measured on the reference set and judged by the gate. Its
    weights alone count: a training that goes on from it (--base) begins with fresh moments of Adam's."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{file}: {error.strerror}{advice(file, error)}") from error
    with connected(server) as client:
        messages = client.train(
            model_bundle=content, request_id=request_id or uuid.uuid4().hex, promotion=promotion.name
        )
        watch(client, messages, as_json)


def _format(file: Path) -> str:
    """The format that a file's name asks for; raises CommandFailed."""
    kind = str(file) if str(file) in FORMATS else file.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        endings = ", ".join(f".{name}" for name in FORMATS)
        raise CommandFailed(f"{file}: the name says what kind of file it is: end it in one of {endings}")
    return kind
