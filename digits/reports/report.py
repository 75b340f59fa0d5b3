"""A job's report: what its record says, laid out by the template beside this file."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from digits.pixels import CLASSES
from digits.reports import charts
from digits.reports.facts import facts, findings
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
        facts=facts(job),
        findings=findings(job),
        charts=charts.charts(job),
        width=charts.WIDTH,
        height=charts.HEIGHT,
        confusion=_confusion(job.held_out_reading),
        mistakes=[(each, data_url(each.pixels)) for each in job.held_out_reading.mistakes],
    )


def file_name(job: pb.Job) -> str:
    """A name for the report's file; the service made the job's."""
    return f"digits-{job.job_id}.html"


def _confusion(reading: pb.HeldOutReading) -> list[list[int]]:
    """A row of ten counts for each label; none before the model was evaluated."""
    counts = reading.confusion_counts
    return [list(counts[first : first + CLASSES]) for first in range(0, len(counts), CLASSES)]
