"""`digits train`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.connection import connected
from cli.failure import CommandFailed, complain
from cli.missing_file import advice
from cli.options import AsJson, Server
from cli.progress import print_notes, state_name, verdict
from cli.progress_view import progress_view

if TYPE_CHECKING:
    from digits.client.client import Client
    from digits.v1.training_pb2 import TrainProgress

INTERRUPTED = 130


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
        str,
        typer.Argument(
            help="Batch of images below the service's data folder, or a pattern of its files: 'shards/*.npz'."
        ),
    ] = "",
    upload: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Send this npz or CSV file instead of naming a batch."),
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
    if bool(batch) == bool(upload):
        raise typer.BadParameter("name a batch, or give one file with --upload")
    content = _read(upload) if upload else None
    with _advising(batch), connected(server) as client:
        messages = client.train(
            images_batch_path=batch or None,
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
def _advising(batch: str) -> Iterator[None]:
    """Says how a batch of this machine is sent, if the service has none of that name."""
    try:
        yield
    except CommandFailed as error:
        if error.code != "NOT_FOUND" or not batch or not Path(batch).is_file():
            raise
        said = f"{error} in the service's data folder; send the one here with: digits train --upload {batch}"
        raise CommandFailed(said, error.code, error.field) from error


def watch(client: Client, messages: Iterator[TrainProgress], as_json: bool) -> None:
    """Shows a job until it ends; raises CommandFailed if it does not succeed.

    Ctrl-C leaves the job running and says how to find it again.
    """
    from rich.console import Console

    from digits.client.errors import RemoteError
    from digits.client.resume import follow
    from digits.final_states import FINAL

    last, noted = None, 0
    try:
        with progress_view(Console(), as_json) as show:
            for last in follow(client, messages):
                show(last)
                if not as_json:
                    print_notes(last.notes[noted:])
                    noted = len(last.notes)
    except RemoteError:
        # Behind a FAILED message, which has said it.
        if last is None or last.state not in FINAL:
            raise
    except KeyboardInterrupt:
        if last is not None:
            complain(f"the job goes on; watch it with: digits jobs watch {last.job_id}")
        raise typer.Exit(INTERRUPTED) from None
    if last is None:
        raise CommandFailed("the service ended the call without an answer")
    if state_name(last) != "SUCCEEDED":
        raise CommandFailed(verdict(last))
    if not as_json:
        print(verdict(last))
