"""The `digits` command. What a command needs is imported when it runs, so that --help is quick."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

import digits
from cli import (
    classifying,
    comparing,
    doctor,
    jobs,
    logs,
    models,
    reporting,
    service,
    taking_along,
    tokens,
    training,
)
from cli.failure import fail
from cli.help import NAMES, Root
from cli.standard_output import standard_output
from digits.errors import DigitsError

app = typer.Typer(
    cls=Root,
    help="Train a digit classifier, classify pictures, and run the service.",
    no_args_is_help=True,
    context_settings=NAMES,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"digits {digits.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say which this is.")
    ] = False,
) -> None:
    """Holds the options of the command itself."""


app.command()(training.train)
app.command()(classifying.classify)
app.add_typer(jobs.app, name="jobs")
app.add_typer(models.app, name="models")
jobs.app.command("report")(reporting.write_report)
models.app.command("compare")(comparing.compare_models)
models.app.command("export")(taking_along.export_model)
models.app.command("import")(taking_along.import_model)
app.command()(tokens.token)
app.command()(service.status)
app.command()(service.up)
app.command()(service.down)
app.command()(doctor.doctor)
app.command()(logs.logs)


def main() -> None:
    """Runs a command. Exit code 1: it failed and said why on stderr; 2: it was called in a wrong way."""
    # What a terminal cannot show, such as a file's name, is a question mark there and no traceback.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    with standard_output():
        try:
            app(prog_name="digits")
        except DigitsError as error:
            fail(error)
        except KeyboardInterrupt:
            sys.exit(130)


if __name__ == "__main__":
    main()
