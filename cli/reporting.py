"""`digits jobs report`: a job as one HTML file to keep and to send."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import connected
from cli.failure import CommandFailed
from cli.options import AsJson, Server, path_of
from cli.output import print_json


def write_report(
    job_id: Annotated[str, typer.Argument(metavar="ID", help="The job.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            parser=path_of,
            help="Where to write it, - for standard output; digits-ID.html if not said.",
        ),
    ] = None,
    server: Server = "",
    as_json: AsJson = False,
) -> None:
    """Write a job's report to an HTML file: its course in charts, its end, what its model misread."""
    from digits.reports import report

    with connected(server) as client:
        job = client.get_job(job_id)
    if output == Path("-"):
        sys.stdout.write(report.html(job))
        return
    file = output or Path(report.file_name(job))
    try:
        file.write_text(report.html(job), encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{file}: {error.strerror}") from error
    if as_json:
        print_json({"job_id": job.job_id, "file": str(file)})
    else:
        print(file)
