"""Line charts of a training as SVG's numbers: where its lines, its axes' ends and its resumptions are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from digits.v1 import training_pb2 as pb

WIDTH, HEIGHT = 600, 160

Value = Callable[[pb.MicroBatchPoint], float]


@dataclass(frozen=True)
class Line:
    """One course: its name, and its corners in a box of WIDTH x HEIGHT, as SVG's `points` takes them."""

    name: str
    corners: str


@dataclass(frozen=True)
class Chart:
    """What a chart shows. `top` is the value at its upper edge, 0 is at its lower; times are in seconds."""

    title: str
    unit: str
    top: float
    first_seconds: float
    last_seconds: float
    lines: Sequence[Line]
    marks: Sequence[float]


def charts(job: pb.Job) -> list[Chart]:
    """The charts of a job's micro-batches over the time since a worker first had it; none without any."""
    if not job.history:
        return []
    return [
        _chart(job, "Training loss", "nats", {"loss": lambda point: point.loss}),
        _chart(job, "Training accuracy", "%", {"accuracy": lambda point: 100 * point.accuracy}),
        _chart(job, "Images a second", "images/s", {"images/s": lambda point: point.images_per_second}),
        _chart(
            job,
            "Images in the log and not trained yet",
            "images",
            {"backlog": lambda point: point.backlog_images, "window": lambda point: point.window_images},
        ),
        _chart(job, "A micro-batch", "s", {"whole": lambda point: point.seconds}),
        _chart(
            job,
            "Of that, merge and commit",
            "s",
            {"commit": lambda point: point.commit_seconds, "merge": lambda point: point.merge_seconds},
        ),
    ]


def _chart(job: pb.Job, title: str, unit: str, values: dict[str, Value]) -> Chart:
    times = [point.elapsed_seconds for point in job.history]
    highest = max(value(point) for value in values.values() for point in job.history)
    top, across = highest or 1.0, _across(times[0], times[-1])

    def line(value: Value) -> str:
        return _corners([(across(point.elapsed_seconds), value(point) / top) for point in job.history])

    return Chart(
        title=title,
        unit=unit,
        top=top,
        first_seconds=times[0],
        last_seconds=times[-1],
        lines=[Line(name, line(value)) for name, value in values.items()],
        marks=[round(across(each.elapsed_seconds), 1) for each in job.resumptions],
    )


def _across(first: float, last: float) -> Callable[[float], float]:
    """How far to the right a time is; a resumption may be earlier than what came after it."""
    span = (last - first) or 1.0
    return lambda seconds: min(max((seconds - first) / span, 0.0), 1.0) * WIDTH


def _corners(places: Sequence[tuple[float, float]]) -> str:
    """Corners of a line through places, each across in pixels and up from 0 to 1; one place is a dash."""
    if len(places) == 1:
        places = [places[0], (WIDTH, places[0][1])]
    return " ".join(f"{across:.1f},{(1 - up) * HEIGHT:.1f}" for across, up in places)
