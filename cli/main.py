"""The `digits` command. What a command needs is imported when it runs, so that --help is quick."""

from __future__ import annotations

import sys

import typer

from cli import classifying, jobs, logs, models, service, tokens, training
from cli.failure import fail
from digits.errors import DigitsError

app = typer.Typer(
    help="Train a digit classifier, classify pictures, and run the service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(training.train)
app.command()(classifying.classify)
app.add_typer(jobs.app, name="jobs")
app.add_typer(models.app, name="models")
app.command()(tokens.token)
app.command()(service.status)
app.command()(service.up)
app.command()(service.down)
app.command()(logs.logs)


def main() -> None:
    """Runs a command. Exit code 1: it failed and said why on stderr; 2: it was called in a wrong way."""
    try:
        app()
    except DigitsError as error:
        fail(error)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
