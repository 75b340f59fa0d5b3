"""Shows a training as it goes: a live bar on a terminal, plain lines elsewhere, or JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from digits.v1.training_pb2 import Job, TrainProgress

Show = Callable[["TrainProgress"], None]


@contextmanager
def progress_view(console: Console, as_json: bool) -> Iterator[Show]:
    """A function that shows each message, in the way that fits where the output goes."""
    if as_json:
        yield _json_line
    elif console.is_terminal:
        from cli.live_bar import live_bar

        with live_bar(console) as show:
            yield show
    else:
        yield _PlainLines()


def summary(progress: TrainProgress) -> str:
    """Where the job is, on one line; parts that are not known yet are left out."""
    eta = [f"eta {progress.eta.seconds} s"] if progress.eta.seconds else []
    return "  ".join([f"{state_name(progress):<10}", *figures(progress), *eta]).rstrip()


def figures(progress: TrainProgress) -> list[str]:
    """What is known of how it goes, the most important first."""
    parts = []
    if progress.images_total:
        parts.append(f"{progress.images_trained}/{progress.images_total} images")
    if progress.images_per_second:
        parts.append(f"{progress.images_per_second:.0f} img/s")
    if progress.accuracy:
        parts.append(f"accuracy {progress.accuracy:.2%}")
    if progress.micro_batch:
        parts.append(f"loss {progress.loss:.4f}")
    return parts


def state_name(progress: TrainProgress | Job) -> str:
    """The job's state as the contract names it."""
    from digits.v1 import training_pb2

    return training_pb2.JobState.Name(progress.state)


def verdict(progress: TrainProgress) -> str:
    """How a job ended, in one sentence."""
    state = state_name(progress)
    if state == "SUCCEEDED":
        return _judgement(progress)
    if state == "CANCELLED":
        return f"job {progress.job_id} was cancelled"
    return f"job {progress.job_id} failed: {progress.error.message}"


def _judgement(progress: TrainProgress) -> str:
    metrics = progress.metrics
    read = f"{_percent(progress.accuracy)} of its own held-out images"
    if metrics.reference_image_count:
        read += f", {_percent(metrics.reference_accuracy)} of the reference set"
    serves = "it serves now" if progress.promoted else "it does not serve"
    reason = f" ({progress.promotion_reason})" if progress.promotion_reason else ""
    return f"{progress.model_version}: {read}: {serves}{reason}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def print_notes(notes: Iterable[str]) -> None:
    """What was accepted of a batch though it is not as described, a line each."""
    for note in notes:
        print(f"note: {note}", flush=True)


def _json_line(progress: TrainProgress) -> None:
    from cli.output import as_dict, print_json

    print_json(as_dict(progress))


class _PlainLines:
    """Prints a line when something changed; heartbeats alone are not worth one."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, progress: TrainProgress) -> None:
        if not self._last:
            print(f"job {progress.job_id}", flush=True)
        line = summary(progress)
        if line != self._last:
            print(line, flush=True)
        self._last = line
