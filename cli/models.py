"""`digits models`: list, show, promote, rollback, history, pin, prune; taking_along.py has the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.connection import connected
from cli.help import NAMES, WholeHelp
from cli.model_view import CHANGE_COLUMNS, CHANGE_SPARE, COLUMNS, SPARE, change_row, fields, row
from cli.options import AsJson, DryRun, Keep, OlderThan, Server, seconds_of
from cli.output import as_dict, print_fields, print_json, print_pruned
from cli.paging import DEFAULT_LIMIT, Before, Limit, Listing
from cli.table import print_table

if TYPE_CHECKING:
    from digits.v1.models_pb2 import Model

app = typer.Typer(
    cls=WholeHelp,
    context_settings=NAMES,
    help="List, show, promote and roll back models, see what served, take versions along.",
    invoke_without_command=True,
)


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
        print_table(COLUMNS, [row(model) for model in models.rows], SPARE)
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
        print_fields(fields(model))


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
        print_table(CHANGE_COLUMNS, [change_row(change) for change in changes.rows], CHANGE_SPARE)
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
