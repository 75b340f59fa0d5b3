"""`digits jobs`: list, watch, cancel, prune."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.connection import connected
from cli.options import AsJson, DryRun, Keep, OlderThan, Server, seconds_of
from cli.output import as_dict, print_json, print_pruned, print_table
from cli.progress import state_name
from cli.training import watch

if TYPE_CHECKING:
    from digits.v1.training_pb2 import Job

app = typer.Typer(help="List, watch, cancel and prune training jobs.", invoke_without_command=True)
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job.")]
COLUMNS = ("JOB", "STATE", "BATCH", "RECIPE", "IMAGES", "ACCURACY", "MODEL", "CREATED")


@app.callback()
def list_jobs(context: typer.Context, server: Server = "", as_json: AsJson = False) -> None:
    """List the newest jobs, or do something with them."""
    if context.invoked_subcommand:
        return
    with connected(server) as client:
        jobs = list(client.list_jobs().jobs)
    if as_json:
        print_json([as_dict(job) for job in jobs])
    else:
        print_table(COLUMNS, [_row(job) for job in jobs])


@app.command("watch")
def watch_job(job_id: JobId, server: Server = "", as_json: AsJson = False) -> None:
    """Watch a job from where it is now."""
    with connected(server) as client:
        watch(client, client.watch_job(job_id), as_json)


@app.command("cancel")
def cancel_job(job_id: JobId, server: Server = "", as_json: AsJson = False) -> None:
    """Ask a job to stop."""
    with connected(server) as client:
        job = client.cancel_job(job_id)
    if as_json:
        print_json(as_dict(job))
    else:
        print(f"{job.job_id}  {state_name(job)}" + ("  (cancel requested)" if job.cancel_requested else ""))


@app.command()
def prune(
    older_than: OlderThan = "",
    keep: Keep = None,
    dry_run: DryRun = False,
    server: Server = "",
    as_json: AsJson = False,
) -> None:
    """Remove records of finished jobs; by the service's own limits if none is given. Models stay."""
    with connected(server) as client:
        names = client.prune_jobs(seconds_of(older_than), keep, dry_run)
    print_pruned(names, "jobs", dry_run, as_json)


def _row(job: Job) -> tuple[str, ...]:
    progress = job.progress
    accuracy = f"{progress.accuracy:.2%}" if progress.accuracy else ""
    created = job.create_time.ToDatetime().isoformat(" ", "seconds")
    images = f"{progress.images_trained}/{progress.images_total}"
    batch = job.spec.images_batch_path or "upload"
    return (
        job.job_id,
        state_name(job),
        batch,
        job.spec.recipe,
        images,
        accuracy,
        progress.model_version,
        created,
    )
