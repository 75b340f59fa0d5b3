"""`digits train`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import connected
from cli.failure import CommandFailed
from cli.missing_file import advice
from cli.options import AsJson, Server, path_of
from cli.watching import watch


class Promotion(StrEnum):
    """Whether the model may start to serve."""

    IF_BETTER = "if-better"
    ALWAYS = "always"
    NEVER = "never"


class Orientation(StrEnum):
    """How the batch stores its pictures."""

    AS_IS = "as-is"
    TRANSPOSED = "transposed"


def train(  # noqa: PLR0917
    batch: Annotated[
        str | None,
        typer.Argument(
            help="Batch of images below the service's data folder, or a pattern of its files: 'shards/*.npz'."
        ),
    ] = None,
    upload: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            parser=path_of,
            help="Send this npz, CSV or Parquet file instead of naming a batch.",
        ),
    ] = None,
    recipe: Annotated[str, typer.Option(help="fast, standard or best; the service's default is fast.")] = "",
    seed: Annotated[
        int,
        typer.Option(min=-(2**63), max=2**63 - 1, help="Seed of the initial weights and of every shuffle."),
    ] = 0,
    request_id: Annotated[str, typer.Option(help="The same id twice is one job.")] = "",
    promotion: Annotated[Promotion, typer.Option(help="May the model start to serve?")] = Promotion.IF_BETTER,
    orientation: Annotated[
        Orientation, typer.Option(help="Are rows and columns swapped, as EMNIST's are?")
    ] = Orientation.AS_IS,
    base: Annotated[
        str, typer.Option(metavar="VERSION", help='Go on from this version, or from "serving".')
    ] = "",
    server: Server = "",
    as_json: AsJson = False,
) -> None:
    """Train a model and watch it learn."""
    if batch == "":
        raise typer.BadParameter('BATCH is empty: name a batch, such as "mnist.npz"')
    if bool(batch) == bool(upload):
        raise typer.BadParameter("name a batch, or give one file with --upload")
    content = _read(upload) if upload else None
    with _advising(batch), connected(server) as client:
        messages = client.train(
            images_batch_path=batch,
            images_batch=content,
            recipe=recipe,
            request_id=request_id or uuid.uuid4().hex,
            seed=seed,
            promotion=promotion.name,
            orientation=orientation.name,
            base_model_version=base,
        )
        watch(client, messages, as_json)


def _read(upload: Path) -> bytes:
    try:
        return upload.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{upload}: {error.strerror}{advice(upload, error)}") from error


@contextmanager
def _advising(batch: str | None) -> Iterator[None]:
    """Says how a batch of this machine is sent, if the service has none of that name."""
    try:
        yield
    except CommandFailed as error:
        if error.code != "NOT_FOUND" or not batch or not Path(batch).is_file():
            raise
        said = f"{error} in the service's data folder; send the one here with: digits train --upload {batch}"
        raise CommandFailed(said, error.code, error.field) from error
