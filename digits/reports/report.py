"""A job's report: what its record says, laid out by the template beside this file."""

from __future__ import annotations

from pathlib import Path

from google.protobuf.timestamp_pb2 import Timestamp
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from digits.pixels import CLASSES
from digits.reports import charts
from digits.reports.pictures import data_url
from digits.v1 import training_pb2 as pb

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    # What callers name ends in a page that others open.
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def html(job: pb.Job) -> str:
    """The report of a job as it is now, whatever its state: one HTML document."""
    return _ENVIRONMENT.get_template("report.html").render(
        job=job,
        state=pb.JobState.Name(job.state).lower(),
        facts={name: value for name, value in _facts(job).items() if value},
        findings={name: value for name, value in _findings(job).items() if value},
        charts=charts.charts(job),
        width=charts.WIDTH,
        height=charts.HEIGHT,
        confusion=_confusion(job.held_out_reading),
        mistakes=[(each, data_url(each.pixels)) for each in job.held_out_reading.mistakes],
    )


def file_name(job: pb.Job) -> str:
    """A name for the report's file; the service made the job's."""
    return f"digits-{job.job_id}.html"


def _facts(job: pb.Job) -> dict[str, str]:
    """What was asked for and how far it went."""
    spec, progress = job.spec, job.progress
    images = f"{progress.images_trained:,} of {progress.images_total:,}" if progress.images_total else ""
    return {
        "Batch": spec.images_batch_path or ("a model" if spec.is_model else "an upload"),
        "Recipe": spec.recipe,
        "Went on from": spec.base_model_version,
        "Seed": str(spec.seed),
        "May serve": pb.Promotion.Name(spec.promotion or pb.IF_BETTER),
        "Asked for by": spec.caller,
        "Accepted": _time(job, "create_time"),
        "Begun": _time(job, "start_time"),
        "Ended": _time(job, "end_time"),
        "Images trained": images,
        "Epochs": f"{progress.epoch} of {progress.epochs}" if progress.epochs else "",
        "Micro-batches": str(progress.micro_batch or ""),
        "Partitions": str(job.log_partition_count or ""),
        "Attempts that got no further": str(job.attempt_count or ""),
        "Last problem": job.last_problem,
    }


def _findings(job: pb.Job) -> dict[str, str]:
    """How the model did, and what the gate made of it; nothing before it was evaluated."""
    progress, metrics = job.progress, job.progress.metrics
    if not progress.HasField("metrics"):
        return {}
    judged = metrics.reference_image_count
    return {
        "Version": progress.model_version,
        "The gate": "it was made the serving one" if progress.promoted else "it does not serve by this job",
        "Why": progress.promotion_reason,
        "Held-out images": f"{metrics.accuracy:.2%} of {metrics.held_out_image_count:,}",
        "By chance": f"{metrics.chance_accuracy:.2%}" if metrics.chance_accuracy else "",
        "Loss on them": f"{metrics.loss:.4f} nats",
        "Reference set": f"{metrics.reference_accuracy:.2%} of {judged:,}" if judged else "",
        "Redrawn pictures of it": f"{metrics.robustness:.2%}" if judged else "",
        "Suspicion": metrics.suspicion,
    }


def _confusion(reading: pb.HeldOutReading) -> list[list[int]]:
    """A row of ten counts for each label; none before the model was evaluated."""
    counts = reading.confusion_counts
    return [list(counts[first : first + CLASSES]) for first in range(0, len(counts), CLASSES)]


def _time(job: pb.Job, name: str) -> str:
    """A time of the job in UTC, to the second; empty if it has not come."""
    if not job.HasField(name):
        return ""
    stamp: Timestamp = getattr(job, name)
    return stamp.ToDatetime().isoformat(" ", "seconds") + " UTC"
