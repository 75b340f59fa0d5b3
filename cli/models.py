"""`digits models`: list, promote, rollback, history, pin, prune."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.connection import connected
from cli.options import AsJson, DryRun, Keep, OlderThan, Server, seconds_of
from cli.output import as_dict, print_json, print_pruned, print_table

if TYPE_CHECKING:
    from digits.v1.models_pb2 import Model, ServingChange

app = typer.Typer(help="List, promote and roll back models; see what served.", invoke_without_command=True)
COLUMNS = ("", "VERSION", "ACCURACY", "HELD OUT", "REFERENCE", "REDRAWN", "RECIPE", "DATA", "KB", "CREATED")
HISTORY_COLUMNS = ("WHEN", "FROM", "TO", "WHY", "WHO")


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
def rollback(
    from_version: Annotated[
        str,
        typer.Option("--from", help="Roll back only if this version serves; repeating it changes nothing."),
    ] = "",
    server: Server = "",
    as_json: AsJson = False,
) -> None:
    """Make the version serve that served before; each time one further back."""
    with connected(server) as client:
        _print(client.rollback_model(from_version), as_json)


@app.command()
def history(server: Server = "", as_json: AsJson = False) -> None:
    """List who made which version serve, when and why."""
    with connected(server) as client:
        changes = list(client.list_serving_history().changes)
    if as_json:
        print_json([as_dict(change) for change in changes])
    else:
        print_table(HISTORY_COLUMNS, [_change_row(change) for change in changes])


@app.command()
def pin(
    version: Annotated[str, typer.Argument(help="The version to keep.")],
    unpin: Annotated[bool, typer.Option("--unpin", help="Let it go with the others again.")] = False,
    server: Server = "",
    as_json: AsJson = False,
) -> None:
    """Keep a version from being pruned."""
    with connected(server) as client:
        model = client.pin_model(version, not unpin)
    if as_json:
        print_json(as_dict(model))
    else:
        print(f"{model.version} is {'kept' if model.pinned else 'no longer kept'} whatever its age")


@app.command()
def prune(
    older_than: OlderThan = "",
    keep: Keep = None,
    dry_run: DryRun = False,
    server: Server = "",
    as_json: AsJson = False,
) -> None:
    """Remove versions that never served; by the service's own limits if none is given."""
    with connected(server) as client:
        names = client.prune_models(seconds_of(older_than), keep, dry_run)
    print_pruned(names, "versions", dry_run, as_json)


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
        f"{metrics.reference_accuracy:.2%}" if metrics.reference_image_count else "",
        f"{metrics.robustness:.2%}" if metrics.reference_image_count else "",
        origin.recipe,
        origin.data_name,
        model.bundle_bytes // 1024,
        model.create_time.ToDatetime().isoformat(" ", "seconds"),
    )


def _change_row(change: ServingChange) -> tuple[object, ...]:
    return (
        change.change_time.ToDatetime().isoformat(" ", "seconds"),
        change.previous_version or "-",
        change.version,
        change.Reason.Name(change.reason).lower(),
        change.caller,
    )
