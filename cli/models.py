"""`digits models`: list, promote, rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.connection import connected
from cli.options import AsJson, Server
from cli.output import as_dict, print_json, print_table

if TYPE_CHECKING:
    from digits.v1.models_pb2 import Model

app = typer.Typer(help="List, promote and roll back models.", invoke_without_command=True)
COLUMNS = ("", "VERSION", "ACCURACY", "HELD OUT", "RECIPE", "DATA", "KB", "CREATED")


@app.callback()
def list_models(context: typer.Context, server: Server = "", as_json: AsJson = False) -> None:
    """List the models; * marks the one that serves."""
    if context.invoked_subcommand:
        return
    with connected(server) as client:
        models = list(client.list_models().models)
    if as_json:
        print_json([as_dict(model) for model in models])
    else:
        print_table(COLUMNS, [_row(model) for model in models])


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="The version to serve.")],
    server: Server = "",
    as_json: AsJson = False,
) -> None:
    """Make a version serve."""
    with connected(server) as client:
        _print(client.promote_model(version), as_json)


@app.command()
def rollback(server: Server = "", as_json: AsJson = False) -> None:
    """Make the version serve that served before."""
    with connected(server) as client:
        _print(client.rollback_model(), as_json)


def _print(model: Model, as_json: bool) -> None:
    if as_json:
        print_json(as_dict(model))
    else:
        print(f"{model.version} serves now ({model.metrics.accuracy:.2%})")


def _row(model: Model) -> tuple[object, ...]:
    from digits.v1 import models_pb2

    metrics, origin = model.metrics, model.provenance
    return (
        "*" if model.state == models_pb2.Model.SERVING else "",
        model.version,
        f"{metrics.accuracy:.2%}",
        metrics.held_out_image_count,
        origin.recipe,
        origin.data_name,
        model.bundle_bytes // 1024,
        model.create_time.ToDatetime().isoformat(" ", "seconds"),
    )
