"""`digits jobs`: list, show, watch, cancel, prune; reporting.py has the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.connection import connected
from cli.help import NAMES, WholeHelp
from cli.options import AsJson, DryRun, Keep, OlderThan, Server, seconds_of
from cli.output import as_dict, print_fields, print_json, print_pruned, time_text
from cli.paging import DEFAULT_LIMIT, Before, Limit, Listing
from cli.progress import figures, print_notes, state_name, verdict
from cli.table import print_table
from cli.watching import watch

if TYPE_CHECKING:
    from digits.v1.training_pb2 import Job

app = typer.Typer(
    cls=WholeHelp,
    context_settings=NAMES,
    help="List, show, watch, cancel and prune training jobs, and write reports of them.",
    invoke_without_command=True,
)
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job.")]
COLUMNS = ("JOB", "STATE", "BATCH", "RECIPE", "IMAGES", "ACCURACY", "MODEL", "CREATED")
# A job's name says when it was made.
SPARE = ("CREATED", "RECIPE", "IMAGES", "BATCH", "ACCURACY")


@app.callback()
def list_jobs(
    context: typer.Context,
    limit: Limit = DEFAULT_LIMIT,
    before: Before = "",
    server: Server = "",
    as_json: AsJson = False,
) -> None:
    """List the newest jobs, or do something with them."""
    if context.invoked_subcommand:
        return
    with connected(server) as client:
        jobs = Listing(client.list_jobs, lambda answer: list(answer.jobs), limit, before)
    if as_json:
        print_json([as_dict(job) for job in jobs.rows])
    else:
        print_table(COLUMNS, [_row(job) for job in jobs.rows], SPARE)
    jobs.say_rest("digits jobs")


@app.command()
def show(job_id: JobId, server: Server = "", as_json: AsJson = False) -> None:
    """Show one job: what was asked for, where it is, and how it ended."""
    with connected(server) as client:
        job = client.get_job(job_id)
    if as_json:
        print_json(as_dict(job))
    else:
        print_fields(_fields(job))
        print_notes(job.progress.notes)


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
    images = f"{progress.images_trained}/{progress.images_total}"
    return (
        job.job_id,
        state_name(job),
        _batch(job),
        job.spec.recipe,
        images,
        accuracy,
        progress.model_version,
        time_text(job.create_time),
    )


def _fields(job: Job) -> dict[str, object]:
    from digits.final_states import FINAL
    from digits.reports.facts import partitions
    from digits.v1.training_pb2 import Promotion

    # A job that failed early may have reported no progress of its own.
    progress = job.progress
    progress.job_id, progress.state = job.job_id, job.state
    return {
        "job": job.job_id,
        "state": state_name(job) + (" (cancel requested)" if job.cancel_requested else ""),
        "batch": _batch(job),
        "recipe": job.spec.recipe,
        "went on from": job.spec.base_model_version,
        "seed": job.spec.seed,
        "promotion": Promotion.Name(job.spec.promotion or Promotion.IF_BETTER),
        "caller": job.spec.caller,
        "request id": job.spec.request_id,
        "progress": "  ".join(figures(progress)),
        "epoch": f"{progress.epoch} of {progress.epochs}" if progress.epochs else "",
        "partitions": partitions(job),
        "created": time_text(job.create_time),
        "ended": time_text(job.end_time) if job.HasField("end_time") else "",
        "attempts": job.attempt_count or "",
        "last problem": job.last_problem,
        "result": verdict(progress) if job.state in FINAL else "",
    }


def _batch(job: Job) -> str:
    return job.spec.images_batch_path or ("a model" if job.spec.is_model else "upload")
