"""`digits models`: list, show, promote, rollback, history, pin, prune; taking_along.py has the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.connection import connected
from cli.help import NAMES, WholeHelp
from cli.options import AsJson, DryRun, Keep, OlderThan, Server, seconds_of
from cli.output import as_dict, print_fields, print_json, print_pruned, print_table, time_text
from cli.paging import DEFAULT_LIMIT, Before, Limit, Listing

if TYPE_CHECKING:
    from digits.v1.models_pb2 import Model, ServingChange

app = typer.Typer(
    cls=WholeHelp,
    context_settings=NAMES,
    help="List, show, promote and roll back models, see what served, take versions along.",
    invoke_without_command=True,
)
COLUMNS = ("", "VERSION", "ACCURACY", "HELD OUT", "REFERENCE", "REDRAWN", "RECIPE", "DATA", "KB", "CREATED")
HISTORY_COLUMNS = ("WHEN", "FROM", "TO", "WHY", "WHO", "WHERE")


@app.callback()
def list_models(
    context: typer.Context,
    limit: Limit = DEFAULT_LIMIT,
    before: Before = "",
    server: Server = "",
    as_json: AsJson = False,
) -> None:
    """List the models; * marks the one that serves."""
    if context.invoked_subcommand:
        return
    with connected(server) as client:
        models = Listing(client.list_models, lambda answer: list(answer.models), limit, before)
    if as_json:
        print_json([as_dict(model) for model in models.rows])
    else:
        print_table(COLUMNS, [_row(model) for model in models.rows])
    models.say_rest("digits models")


@app.command()
def show(
    version: Annotated[str, typer.Argument(help="The version, or serving for the one that serves.")],
    server: Server = "",
    as_json: AsJson = False,
) -> None:
    """Show one version: how it did, what it learned from, and why it serves or not."""
    with connected(server) as client:
        model = client.get_model(version)
    if as_json:
        print_json(as_dict(model))
    else:
        print_fields(_fields(model))


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
def history(
    limit: Limit = DEFAULT_LIMIT, before: Before = "", server: Server = "", as_json: AsJson = False
) -> None:
    """List who made which version serve, when, why and from where."""
    with connected(server) as client:
        changes = Listing(client.list_serving_history, lambda answer: list(answer.changes), limit, before)
    if as_json:
        print_json([as_dict(change) for change in changes.rows])
    else:
        print_table(HISTORY_COLUMNS, [_change_row(change) for change in changes.rows])
    changes.say_rest("digits models history")


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
        time_text(model.create_time),
    )


def _change_row(change: ServingChange) -> tuple[object, ...]:
    return (
        time_text(change.change_time),
        change.previous_version or "-",
        change.version,
        change.Reason.Name(change.reason).lower(),
        change.caller,
        change.origin or "-",
    )


def _fields(model: Model) -> dict[str, object]:
    metrics, origin = model.metrics, model.provenance
    serves = model.state == model.SERVING
    judged = metrics.reference_image_count
    return {
        "version": model.version,
        "serves": "now" if serves else "served before" if model.served else "no",
        "why": model.promotion_reason,
        "held out": f"{metrics.accuracy:.2%} of {metrics.held_out_image_count:,} images",
        "reference": f"{metrics.reference_accuracy:.2%} of {judged:,} images" if judged else "",
        "redrawn": f"{metrics.robustness:.2%}" if judged else "",
        "loss": f"{metrics.loss:.4f} nats",
        "suspicion": metrics.suspicion,
        "recipe": origin.recipe,
        "data": f"{origin.data_name} ({origin.image_count:,} images, SHA-256 {origin.data_sha256[:12]}…)",
        "epochs": origin.epochs,
        "seed": origin.seed,
        "trained in": f"{origin.training_seconds:.1f} s",
        "job": origin.job_id,
        "code": origin.code_version,
        "bundle": f"{model.store_path} ({model.bundle_bytes:,} bytes, SHA-256 {model.bundle_sha256[:12]}…)",
        "created": time_text(model.create_time),
        "kept": "whatever its age" if model.pinned else "",
    }
